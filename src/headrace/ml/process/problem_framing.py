"""Step 2, the machine-learning problem: task, observations, label, features, metric, baseline, shortlist."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.ml.contract import Task
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.tables.table import Table


@dataclass(frozen=True)
class ProblemFraming:
    """The task and how it was recognised.

    `classes` are the labels in code order: for binary the positive class is last. `metric` is the name in
    ml/metrics.py that choices are made by. `shortlist` pairs an algorithm's name with why it is on the list.
    """

    task: Task
    evidence: tuple[str, ...]
    target: str
    observations: int
    unlabelled: int
    features: tuple[str, ...]
    classes: tuple[str, ...]
    positive_class: str | None
    metric: str
    baseline: str
    shortlist: tuple[tuple[str, str], ...]


def frame_problem(
    table: Table,
    target: str | None,
    business: BusinessProblem,
    *,
    task: Task | None = None,
    metric: str | None = None,
    time: str | None = None,
) -> ProblemFraming:
    """Recognise the task from the table and its target; tasks not built yet raise `NotBuiltError`."""
    raise NotImplementedError
