"""Boosting and the neural network stop on the validation rows and say where."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.algorithms import ALGORITHMS
from headrace.ml.checks import rows_for
from headrace.ml.contract import Task

ROUNDS = {
    "gradient_boosting_lightgbm": "num_iterations",
    "gradient_boosting_xgboost": "num_iterations",
    "gradient_boosting_catboost": "iterations",
    "neural_network": "epochs",
    "neural_network_realmlp": "stop_after",
}


@pytest.mark.parametrize("name", ROUNDS)
def test_noise_stops_the_training(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    algorithm = ALGORITHMS[name]
    if not algorithm.available():
        pytest.skip(f"{algorithm.module} is not installed")
    features, _ = rows_for(algorithm, Task.BINARY, 200)
    target = np.random.default_rng(0).integers(0, 2, 200)
    values = dict(algorithm.quick) | {ROUNDS[name]: 400}
    fitted = algorithm(Task.BINARY, 2, **values).fit(features[:120], target[:120], (features[120:], target[120:]))
    assert fitted.hyperparameters[ROUNDS[name]] < 100
    assert capfd.readouterr() == ("", "")


def test_catboost_keeps_the_learning_rate_it_chose() -> None:
    algorithm = ALGORITHMS["gradient_boosting_catboost"]
    if not algorithm.available():
        pytest.skip("catboost is not installed")
    features, target = rows_for(algorithm, Task.REGRESSION)
    values = dict(algorithm.quick) | {"learning_rate": 0.0}
    assert algorithm(Task.REGRESSION, **values).fit(features, target).hyperparameters["learning_rate"] > 0
