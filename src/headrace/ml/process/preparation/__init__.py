"""Step 4, preparation: cleaned, imputed, shuffled and split data, and the cross-validation plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import Task
from headrace.ml.process.datasets import Dataset
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.tables.columns import Column

if TYPE_CHECKING:
    from headrace.ml.process.preparation.rest import Rest

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cleaning:
    """One thing that was cleaned or only found: `count` rows, columns or cells touched, and the evidence.

    `action` is a few plain words, such as "duplicate rows removed from training" or "disguised missing values";
    `column` None where it concerns rows or several columns.
    """

    action: str
    column: str | None
    count: int
    evidence: str


@dataclass(frozen=True)
class Preparation:
    """Cleaned data and the split.

    `frame` has the columns of `columns` only, in that order; `train`, `validation`, `test` and `folds` are
    positions in it (0-based); a fold is (rows to fit on, rows to score on), both within `train`. One fold (train,
    validation) stands for a hold-out plan. `imputation` is the strategy chosen for models that need complete data
    (`median`, `most_frequent`, `knn`, `iterative`), `indicators` whether missing-value indicators are added, and
    `imputation_scores` the cross-validated score of each strategy tried. `source_rows` are 1-based in the source.

    Duplicates removed from training are in no part. Rows of `--test TABLE` stand last in `frame`; their
    `source_rows` count in that table. `split` and `fold_plan` say in a sentence how rows were split;
    `imputation_reason` why the strategy was chosen. The keys of `imputation_scores` are a strategy's name, with " +
    indicators" where they are added; greater is better, by `imputation_measure`. `spellings` maps a column to
    variant → most frequent spelling: found, not applied. `aside` has the columns of `Dataset.aside` (time, group,
    sensitive; no features) for the rows of `frame`. `rest` are more rows of a table of which `frame` holds a sample.
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
    fold_plan: str = ""
    imputation_reason: str = ""
    imputation_measure: str = ""
    spellings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    aside: pl.DataFrame = field(default_factory=pl.DataFrame)
    rest: Rest | None = None


def prepare_data(
    dataset: Dataset,
    framing: ProblemFraming,
    *,
    seed: int,
    budget: float | None,
    time: str | None = None,
    group: str | None = None,
) -> Preparation:
    """Clean, choose the imputation, and split 70/10/20 into train, validation and test, as `dataset.parts` says.

    `budget` is in seconds and decides, with the shape of the data alone, how many folds there are. Raises
    `DataError` where there are too few rows (or groups) to split.
    """
    from headrace.ml.process.datasets.splitting import Order, split_rows
    from headrace.ml.process.preparation.cleaning import describe_cleaning, find_spellings
    from headrace.ml.process.preparation.duplicates import duplicate_columns, remove_duplicate_rows
    from headrace.ml.process.preparation.folds import plan_folds
    from headrace.ml.process.preparation.imputation import choose_imputation

    test, task = dataset.test, framing.task
    frame = dataset.frame if test is None else pl.concat([dataset.frame, test.frame])
    aside = dataset.aside if test is None else pl.concat([dataset.aside, test.aside])
    target = dataset.target if test is None else np.concatenate([dataset.target, test.target])
    order = Order.of(dataset.frame.hstack(dataset.aside), time, group)
    parts = dataset.parts or split_rows(
        dataset.target, task, order, seed=seed, test_rows=0 if test is None else len(test.target)
    )

    dropped = duplicate_columns(dataset.frame)
    train, removed = remove_duplicate_rows(frame, target, parts)
    lone = frame[train].select(pl.all().n_unique()).row(0)
    dropped |= {
        n: "constant in the training part"
        for n, count in zip(frame.columns, lone, strict=True)
        if count <= 1 and n not in dropped
    }
    if len(dropped) == frame.width:
        dropped.pop(next(iter(frame.columns)))
    columns = tuple(column for column in dataset.columns if column.name not in dropped)
    frame = frame.select([column.name for column in columns])
    spellings = find_spellings(frame[train], columns)
    folds, fold_plan = plan_folds(train, parts.validation, target, task, order, frame.width, seed=seed, budget=budget)
    choice = choose_imputation(frame[train], target[train], task, seed=seed, budget=budget)
    return Preparation(
        task=task,
        columns=columns,
        frame=frame,
        target=target,
        source_rows=dataset.rows if test is None else np.concatenate([dataset.rows, test.rows]),
        train=train,
        validation=parts.validation,
        test=parts.test,
        folds=folds,
        split=parts.described,
        cleaning=(*removed, *describe_cleaning(dataset, frame, train, columns, dropped, spellings)),
        dropped=dropped,
        imputation=choice.strategy,
        indicators=choice.indicators,
        imputation_scores=choice.scores,
        fold_plan=fold_plan,
        imputation_reason=choice.reason,
        imputation_measure=choice.measure,
        spellings=spellings,
        aside=aside,
    )
