"""Penalties, solvers and learning-rate schedules of the linear models do what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headrace.ml.adapters.linear import Linear
from headrace.ml.algorithms import ALGORITHMS
from headrace.ml.checks import require_equal, rows_for
from headrace.ml.contract import Fitted, Task

SCHEDULES = ("constant", "optimal", "invscaling", "adaptive")


def fit(name: str, task: Task, **values: Any) -> Fitted:
    algorithm = ALGORITHMS[name]
    classes = {Task.BINARY: 2, Task.MULTICLASS: 3}.get(task, 0)
    fitted = algorithm(task, classes, **values).fit(*rows_for(algorithm, task, 300))
    require_equal(fitted, rows_for(algorithm, task, 100, seed=5)[0], task)
    return fitted


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("linear_square", Task.REGRESSION),
        ("linear_hinge", Task.BINARY),
        ("linear_logistic", Task.BINARY),
        ("linear_logistic", Task.MULTICLASS),
    ],
)
def test_every_schedule_learns(name: str, task: Task, schedule: str) -> None:
    fitted = fit(name, task, solver="sgd", schedule=schedule)
    features, target = rows_for(ALGORITHMS[name], task, 300)
    predictions = fitted.predict(features)
    if task is Task.REGRESSION:
        assert np.corrcoef(predictions, target)[0, 1] > (0.2 if schedule == "optimal" else 0.6)
    else:
        assert (predictions.argmax(axis=1) == target).mean() > 1.2 * np.bincount(target).max() / len(target)


@pytest.mark.parametrize(
    ("name", "task", "values"),
    [
        ("linear_square", Task.REGRESSION, {"alpha": 0.2}),
        ("linear_logistic", Task.BINARY, {"C": 0.02}),
        ("linear_logistic", Task.MULTICLASS, {"C": 0.02}),
    ],
)
def test_l1_drops_columns_and_l2_does_not(name: str, task: Task, values: dict[str, float]) -> None:
    def coefficients(**others: float) -> Any:
        form = fit(name, task, **values, **others).form
        assert isinstance(form, Linear)
        return form.coefficients

    assert (coefficients(l1_ratio=0.0) != 0).all()
    assert (coefficients(l1_ratio=1.0) == 0).any()


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS])
def test_hinge_losses(loss: str, task: Task) -> None:
    assert fit("linear_hinge", task, loss=loss).hyperparameters["loss"] == loss


@pytest.mark.parametrize("kernel", ["rbf", "poly", "linear"])
@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_every_kernel_compiles(kernel: str, task: Task) -> None:
    assert fit("support_vector_machine", task, kernel=kernel).hyperparameters["kernel"] == kernel


def test_collinear_columns_without_penalty() -> None:
    algorithm = ALGORITHMS["linear_square"]
    features, target = rows_for(algorithm, Task.REGRESSION)
    doubled = np.hstack([features, features])
    fitted = algorithm(Task.REGRESSION, alpha=0.0).fit(doubled, target)
    alone = algorithm(Task.REGRESSION, alpha=0.0).fit(features, target)
    assert np.allclose(fitted.predict(doubled), alone.predict(features), rtol=1e-4)
