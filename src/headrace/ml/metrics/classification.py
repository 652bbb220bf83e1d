"""Metrics of predicted labels, and of the probabilities they come from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics.metric import Estimator, Values, divide, positive_probability, weighted_mean

_TINY = float(np.finfo(np.float64).eps)

Codes = npt.NDArray[np.int64]


def log_loss(target: Target, predictions: Predictions) -> Estimator:
    """Mean negative logarithm of the true class's probability."""
    if predictions.ndim == 1:
        predictions = np.column_stack([1 - predictions, predictions])
    chosen = predictions[np.arange(len(target)), target.astype(np.int64)]
    return weighted_mean(-np.log(np.clip(chosen / predictions.sum(axis=1), _TINY, 1.0)))


def brier(target: Target, predictions: Predictions) -> Estimator:
    """Mean squared distance between the positive class's probability and the outcome."""
    return weighted_mean((positive_probability(predictions) - (target == 1)) ** 2)


def accuracy(target: Target, predicted: Codes) -> Estimator:
    """Share of rows predicted correctly."""
    return weighted_mean((predicted == target).astype(np.float64))


def _of_counts(combine: Callable[[Values, Values, Values], Values]) -> Callable[[Target, Codes], Estimator]:
    """Make a metric of the hits, actual and predicted counts of each class, all [replicates, classes]."""

    def prepare(target: Target, predicted: Codes) -> Estimator:
        actual = target.astype(np.int64)
        classes = max(2, int(actual.max()) + 1, int(predicted.max()) + 1)
        hit = np.where(predicted == actual, actual, classes)

        def counts(codes: Codes, weights: Values) -> Values:
            return np.array([np.bincount(codes, row, minlength=classes + 1)[:classes] for row in weights])

        return lambda weights: combine(counts(hit, weights), counts(actual, weights), counts(predicted, weights))

    return prepare


def _balanced_accuracy(hits: Values, actual: Values, _predicted: Values) -> Values:
    return divide(divide(hits, actual, 0.0).sum(axis=1), (actual > 0).sum(axis=1).astype(np.float64))


def _f1_macro(hits: Values, actual: Values, predicted: Values) -> Values:
    seen = (actual + predicted > 0).sum(axis=1).astype(np.float64)
    return divide(divide(2 * hits, actual + predicted, 0.0).sum(axis=1), seen)


def _precision(hits: Values, _actual: Values, predicted: Values) -> Values:
    return divide(hits[:, 1], predicted[:, 1], 0.0)


def _recall(hits: Values, actual: Values, _predicted: Values) -> Values:
    return divide(hits[:, 1], actual[:, 1])


def _f1(hits: Values, actual: Values, predicted: Values) -> Values:
    return divide(2 * hits[:, 1], actual[:, 1] + predicted[:, 1], 0.0)


def _mcc(hits: Values, actual: Values, predicted: Values) -> Values:
    rows = actual.sum(axis=1)
    covariance = hits.sum(axis=1) * rows - (actual * predicted).sum(axis=1)
    spread = (rows**2 - (actual**2).sum(axis=1)) * (rows**2 - (predicted**2).sum(axis=1))
    return divide(covariance, np.sqrt(np.maximum(spread, 0.0)), 0.0)


balanced_accuracy = _of_counts(_balanced_accuracy)
f1_macro = _of_counts(_f1_macro)
precision = _of_counts(_precision)
recall = _of_counts(_recall)
f1 = _of_counts(_f1)
mcc = _of_counts(_mcc)
