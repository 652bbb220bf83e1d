"""Step 4, preparation: cleaned, imputed, shuffled and split data, and the cross-validation plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import Task
from headrace.ml.process.datasets import Dataset
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.tables.columns import Column

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cleaning:
    """One thing that was cleaned: `rows` or cells touched, and the evidence."""

    action: str
    column: str | None
    count: int
    evidence: str


@dataclass(frozen=True)
class Preparation:
    """Cleaned data and the split.

    `frame` has the columns of `columns` only, in that order; `train`, `validation`, `test` and `folds` are positions in it (0-based);
    a fold is (rows to fit on, rows to score on), both within `train`. One fold (train, validation) stands for a
    hold-out plan. `imputation` is the strategy chosen for models that need complete data
    (`median`, `most_frequent`, `knn`, `iterative`), `indicators` whether missing-value indicators are added, and
    `imputation_scores` the cross-validated score of each strategy tried. `source_rows` are 1-based in the source.
    """

    task: Task
    columns: tuple[Column, ...]
    frame: pl.DataFrame
    target: npt.NDArray[np.int64] | npt.NDArray[np.float64]
    source_rows: Rows
    train: Rows
    validation: Rows
    test: Rows
    folds: tuple[tuple[Rows, Rows], ...]
    split: str
    cleaning: tuple[Cleaning, ...]
    dropped: Mapping[str, str]
    imputation: str
    indicators: bool
    imputation_scores: Mapping[str, float]


def prepare_data(
    dataset: Dataset,
    framing: ProblemFraming,
    *,
    seed: int,
    budget: float | None,
    time: str | None = None,
    group: str | None = None,
) -> Preparation:
    """Clean, choose the imputation, shuffle and split 70/10/20 into train, validation and test."""
    raise NotImplementedError
