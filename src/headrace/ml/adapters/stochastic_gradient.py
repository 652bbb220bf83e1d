"""Stochastic gradient descent for linear models: learning rate and schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.contract import Choice, Hyperparameter, Integer, Real

SCHEDULE: Mapping[str, Hyperparameter] = {
    "schedule": Hyperparameter(
        "optimal",
        Choice(("constant", "optimal", "invscaling", "adaptive")),
        "sgd: learning rate over time: constant; optimal: Bottou's 1/(alpha(t+t0)); invscaling: rate/t^power; "
        "adaptive: divided by 5 whenever the loss stops falling",
    ),
    "learning_rate": Hyperparameter(0.01, Real(1e-7, 10.0), "sgd: first learning rate (not used by 'optimal')"),
    "power": Hyperparameter(0.25, Real(0.0, 2.0), "sgd: exponent of 'invscaling'"),
    "epochs": Hyperparameter(50, Integer(1, 10_000), "sgd: passes over the rows at most"),
}
"""Hyperparameters that matter where `solver` is sgd."""


def stochastic_gradient_options(values: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Return what scikit-learn's SGDClassifier and SGDRegressor call these; averaged weights, elastic-net penalty."""
    return {
        "penalty": "elasticnet",
        "learning_rate": values["schedule"],
        "eta0": values["learning_rate"],
        "power_t": values["power"],
        "max_iter": values["epochs"],
        "average": True,
        "random_state": seed,
    }
