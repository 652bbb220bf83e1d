"""A first look at the table of an AutoML job: what is to be predicted, by which metric, from which columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.ml.contract import Task
from headrace.server.operations.autopilot.inputs import Tables
from headrace.server.operations.autopilot.metrics import PROBLEM_TYPES, TASKS, objective_of
from headrace.server.operations.training.channels import DataError

if TYPE_CHECKING:
    from headrace.ml.tables.table import Table


@dataclass(frozen=True)
class Survey:
    """What was found out: the task, the objective by AWS's name and the library's metric, and columns to leave out.

    `shortlist` pairs each algorithm that fits with why.
    """

    task: Task
    objective: str
    metric: str
    exclude: tuple[str, ...]
    shortlist: tuple[tuple[str, str], ...]
    training: Path
    validation: Path | None

    @property
    def problem_type(self) -> str:
        """The task by AWS's name."""
        return PROBLEM_TYPES[self.task]


def survey_tables(tables: Tables, request: Mapping[str, Any], chosen: Sequence[str] | None) -> Survey:
    """Look at the training table; `chosen` are the columns to learn from, None for all.

    Raises DataError on columns that are not there, the library's errors on what cannot be learnt.
    """
    from headrace.ml.process.business_problem import define_business_problem
    from headrace.ml.process.problem_framing import frame_problem
    from headrace.ml.tables import read_table

    tabular = request["auto_ml_problem_type_config"]["tabular_job_config"]
    target, asked = tabular["target_attribute_name"], tabular.get("problem_type")
    table = read_table(tables.training)
    task = None if asked is None else TASKS[asked]
    framing = frame_problem(table, target, define_business_problem(None), task=task)
    if framing.task not in PROBLEM_TYPES:
        raise DataError(f"The table is for a {framing.task} task, which AutoML jobs here do not take on")
    objective, metric = objective_of(
        PROBLEM_TYPES[framing.task], (request.get("auto_ml_job_objective") or {}).get("metric_name")
    )
    exclude = _excluded(table.frame.columns, target, chosen)
    training, validation = tables.training, tables.validation
    fraction = (request.get("data_split_config") or {}).get("validation_fraction")
    if validation is None and fraction is not None:
        training, validation = _split(table, fraction, tables.training.parent)
    return Survey(framing.task, objective, metric, exclude, framing.shortlist, training, validation)


def _excluded(columns: Sequence[str], target: str, chosen: Sequence[str] | None) -> tuple[str, ...]:
    if chosen is None:
        return ()
    wrong = next((name for name in chosen if name == target or name not in columns), None)
    if wrong is not None:
        reason = "is the target" if wrong == target else "is no column of the table"
        raise DataError(f"The feature specification chooses {wrong!r}, which {reason}; name columns to learn from")
    kept = {*chosen, target}
    return tuple(name for name in columns if name not in kept)


def _split(table: Table, fraction: float, folder: Path) -> tuple[Path, Path]:
    """Write a random part of the rows, the same each time, as the table to test with, and the others to learn from."""
    import numpy as np

    order = np.random.default_rng(0).permutation(table.frame.height)
    count = min(max(1, round(table.frame.height * fraction)), table.frame.height - 1)
    training, validation = folder / "split-training.parquet", folder / "split-validation.parquet"
    table.frame[np.sort(order[count:])].write_parquet(training)
    table.frame[np.sort(order[:count])].write_parquet(validation)
    return training, validation
