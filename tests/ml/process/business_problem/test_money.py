"""What predictions earn by the charter's money."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.contract import Task
from headrace.ml.process.business_problem import Charter
from headrace.ml.process.business_problem.money import expected_value, has_money, row_values

DECISIONS = Charter.model_validate(
    {
        "decisions": {
            "true_positive": {"earns": 100, "costs": 10},
            "false_positive": {"costs": 10},
            "true_negative": {"earns": 1},
            "false_negative": {"costs": 50},
        }
    }
)
ERRORS = Charter.model_validate({"error_cost": {"under": 2, "over": 1}})


def test_each_decision_earns_what_its_outcome_does():
    scores = np.array([0.9, 0.9, 0.1, 0.1])
    values = row_values(DECISIONS, Task.BINARY, np.array([1, 0, 0, 1]), np.column_stack([1 - scores, scores]))
    assert values.tolist() == [90, -10, 1, -50]


def test_errors_cost_by_their_direction_and_size():
    values = row_values(ERRORS, Task.REGRESSION, np.array([10.0, 10.0, 10.0]), np.array([7.0, 14.0, 10.0]))
    assert values.tolist() == [-6, -4, 0]


@pytest.mark.parametrize(
    ("charter", "task", "given"),
    [
        (DECISIONS, Task.BINARY, True),
        (DECISIONS, Task.REGRESSION, False),
        (DECISIONS, Task.MULTICLASS, False),
        (ERRORS, Task.REGRESSION, True),
        (Charter(), Task.BINARY, False),
    ],
)
def test_money_belongs_to_its_task(charter, task, given):
    target, predictions = np.array([0, 1]), np.array([0.2, 0.8])
    assert has_money(charter, task) is given
    assert (expected_value(charter, task, target, predictions) is not None) is given


def test_the_threshold_decides():
    scores = np.array([0.4])
    assert expected_value(DECISIONS, Task.BINARY, np.array([1]), scores, 0.3) == 90
    assert expected_value(DECISIONS, Task.BINARY, np.array([1]), scores, 0.5) == -50
