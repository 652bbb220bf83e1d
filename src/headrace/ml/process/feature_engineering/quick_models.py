"""Two quick models that judge features: small boosted trees, and ridge or logistic regression by Newton's method."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.threads import import_library
from headrace.ml.contract import Features

Array = npt.NDArray[np.float64]
Fit = Callable[[Features, Array, bool], Callable[[Features], Array]]

ROUNDS = 50
NEWTON_STEPS = 5
PENALTY = 3.0


def boosted_trees(features: Features, outcomes: Array, classification: bool) -> Callable[[Features], Array]:
    """Fit LightGBM to each outcome (an indicator of a class, or values) [rows, outcomes]; returns its prediction."""
    lightgbm = import_library("lightgbm")
    settings = {
        "objective": "binary" if classification else "regression",
        "num_leaves": 15,
        "learning_rate": 0.12,
        "max_bin": 63,
        "min_data_in_leaf": 20,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "seed": 0,
        "verbose": -1,
    }
    data = lightgbm.Dataset(features, params=settings, free_raw_data=False)
    boosters = []
    for outcome in outcomes.T:
        data.set_label(outcome)
        boosters.append(lightgbm.train(settings, data, ROUNDS))
    return lambda rows: np.column_stack([booster.predict(rows, num_threads=1) for booster in boosters])


def linear_model(features: Features, outcomes: Array, classification: bool) -> Callable[[Features], Array]:
    """Fit ridge regression, or logistic regression with the same penalty, to each outcome; returns its prediction."""
    design = _with_intercept(features)
    penalty = PENALTY * np.eye(design.shape[1])
    penalty[-1, -1] = 1e-6
    if not classification:
        weights = np.linalg.solve(design.T @ design + penalty, design.T @ outcomes)
        return lambda rows: np.asarray(_with_intercept(rows) @ weights)
    weights = np.zeros((design.shape[1], outcomes.shape[1]))
    for k, outcome in enumerate(outcomes.T):
        for _ in range(NEWTON_STEPS):
            probability = _logistic(design @ weights[:, k])
            curvature = np.maximum(probability * (1 - probability), 1e-3)
            gradient = design.T @ (probability - outcome) + penalty @ weights[:, k]
            weights[:, k] -= np.linalg.solve((design.T * curvature) @ design + penalty, gradient)
    return lambda rows: _logistic(_with_intercept(rows) @ weights)


def losses(outcomes: Array, predicted: Array, classification: bool) -> Array:
    """Return each row's log loss summed over the classes, or squared error: [rows]."""
    if not classification:
        return np.asarray(((outcomes - predicted) ** 2).sum(axis=1))
    sure = np.clip(np.where(outcomes > 0.5, predicted, 1 - predicted), 1e-4, 1.0)
    return np.asarray(-np.log(sure).sum(axis=1))


def _with_intercept(features: Features) -> Array:
    return np.column_stack([features, np.ones(len(features))]).astype(np.float64)


def _logistic(values: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))))
