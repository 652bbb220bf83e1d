"""What predictions earn by the charter's money."""

from __future__ import annotations

import numpy as np

from headrace.ml.contract import Predictions, Target, Task
from headrace.ml.metrics import Values, labels
from headrace.ml.process.business_problem.charter import Charter, Decisions, ErrorCost


def has_money(charter: Charter, task: Task) -> bool:
    """Whether the charter says what predictions of this task earn or cost."""
    given = {Task.BINARY: charter.decisions, Task.REGRESSION: charter.error_cost}.get(task)
    return given is not None


def expected_value(
    charter: Charter, task: Task, target: Target, predictions: Predictions, threshold: float = 0.5
) -> float | None:
    """Return the money that a decision earns on average; None where the charter has none for this task."""
    values = row_values(charter, task, target, predictions, threshold)
    return None if values is None or not len(values) else float(values.mean())


def row_values(
    charter: Charter, task: Task, target: Target, predictions: Predictions, threshold: float = 0.5
) -> Values | None:
    """Return the money that each decision earns [rows], negative where it costs; None without money for this task."""
    if task is Task.BINARY and charter.decisions is not None:
        return decision_values(charter.decisions, target, labels(predictions, threshold))
    if task is Task.REGRESSION and charter.error_cost is not None:
        return error_values(charter.error_cost, target, predictions)
    return None


def decision_values(decisions: Decisions, target: Target, acted: Target) -> Values:
    """Return the money of each yes/no decision [rows]; `target` and `acted` are 0 or 1."""
    table = np.array(
        [
            [decisions.true_negative.value, decisions.false_positive.value],
            [decisions.false_negative.value, decisions.true_positive.value],
        ]
    )
    values: Values = table[np.asarray(target, dtype=np.int64), np.asarray(acted, dtype=np.int64)]
    return values


def error_values(cost: ErrorCost, target: Target, predictions: Predictions) -> Values:
    """Return the (negative) money of each error [rows]: its size times the cost of a unit below or above."""
    error = np.asarray(target - predictions.ravel(), dtype=np.float64)
    return -np.where(error > 0, cost.under * error, -cost.over * error)
