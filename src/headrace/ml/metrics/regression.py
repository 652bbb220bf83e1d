"""Metrics of predicted values."""

from __future__ import annotations

import numpy as np

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics.metric import Estimator, Values, divide, weighted_mean


def rmse(target: Target, predictions: Predictions) -> Estimator:
    """Root of the mean squared error."""
    mean = weighted_mean((target - predictions.ravel()) ** 2)
    return lambda weights: np.sqrt(mean(weights))


def mae(target: Target, predictions: Predictions) -> Estimator:
    """Mean absolute error."""
    return weighted_mean(np.abs(target - predictions.ravel()))


def mape(target: Target, predictions: Predictions) -> Estimator:
    """Mean absolute error as a share of the true value, over rows whose true value is not zero."""
    used = (target != 0).astype(np.float64)
    error = used * np.abs(target - predictions.ravel()) / np.where(target == 0, 1.0, np.abs(target))
    return lambda weights: divide(weights @ error, weights @ used)


def r2(target: Target, predictions: Predictions) -> Estimator:
    """One minus the error's share of the target's variance."""
    centred = target - target.mean()
    parts = np.column_stack([(target - predictions.ravel()) ** 2, centred, centred**2])

    def estimate(weights: Values) -> Values:
        error, total, squares = (weights @ parts).T
        return 1 - divide(error, squares - total**2 / weights.sum(axis=1))

    return estimate


def median_absolute_error(target: Target, predictions: Predictions) -> Estimator:
    """Median of the absolute errors."""
    error = np.abs(target - predictions.ravel())
    order = np.argsort(error)

    def estimate(weights: Values) -> Values:
        reached = np.cumsum(weights[:, order], axis=1)
        half = reached[:, -1:] / 2
        return np.asarray(
            (error[order][(reached >= half).argmax(axis=1)] + error[order][(reached > half).argmax(axis=1)]) / 2
        )

    return estimate
