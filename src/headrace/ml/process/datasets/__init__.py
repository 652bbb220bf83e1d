"""Step 3, datasets: one typed table, and the readiness checklist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import Task
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.tables.columns import Column
from headrace.ml.tables.table import Table


@dataclass(frozen=True)
class Check:
    """One of the eight readiness checks: `status` is pass, warn, fail or unknown."""

    name: str
    status: str
    evidence: tuple[str, ...]
    advice: str


@dataclass(frozen=True)
class Dataset:
    """The typed table: rows with a label only.

    `frame` holds the parsed feature columns (Float64 with null, or String with "" for missing), `target` class codes
    (int64) or values (float64), `rows` the source positions. `personal` maps a column to the kind of personal data
    found in its values; `excluded` maps a column that must not be learnt from to the reason.
    `test` is the same for the table given by `--test`, or None.
    """

    task: Task
    columns: tuple[Column, ...]
    frame: pl.DataFrame
    target: npt.NDArray[np.int64] | npt.NDArray[np.float64]
    rows: npt.NDArray[np.int64]
    personal: Mapping[str, str]
    excluded: Mapping[str, str]
    readiness: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    test: Dataset | None = None


def develop_datasets(
    table: Table,
    business: BusinessProblem,
    framing: ProblemFraming,
    *,
    test: Table | None = None,
    exclude: tuple[str, ...] = (),
    sensitive: tuple[str, ...] = (),
    time: str | None = None,
    group: str | None = None,
) -> Dataset:
    """Type the columns, set aside what must not be learnt from, and run the eight readiness checks."""
    raise NotImplementedError
