"""What a metric is: a name, a direction, and an estimator that scores weighted rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Predictions, Target, Task

Values = npt.NDArray[np.float64]
Estimator = Callable[[Values], Values]
"""From row weights [replicates, rows] to one value a replicate; all-one weights give the plain value."""


@dataclass(frozen=True)
class Metric:
    """A metric on class codes and probabilities [rows, classes], or on values [rows].

    For binary tasks class 1 is the positive class. `prepare` takes the target and the predictions (class codes where
    the metric needs a threshold) once, so that many weightings of the rows can be scored. What cannot be computed
    (ROC AUC of one class, R² of a constant target) is NaN.
    """

    name: str
    title: str
    tasks: frozenset[Task]
    greater_is_better: bool
    needs_threshold: bool
    prepare: Callable[[Target, npt.NDArray[Any]], Estimator]
    meaning: str

    def estimator(self, target: Target, predictions: Predictions, threshold: float = 0.5) -> Estimator:
        """Return what scores weightings of these rows."""
        return self.prepare(target, labels(predictions, threshold) if self.needs_threshold else predictions)

    def score(self, target: Target, predictions: Predictions, threshold: float = 0.5) -> float:
        """Return the metric's value on all rows; NaN where it has none."""
        if not len(target):
            return float("nan")
        return float(self.estimator(target, predictions, threshold)(np.ones((1, len(target))))[0])


def weighted_mean(values: Values) -> Estimator:
    """Return the estimator of the mean of `values` [rows]."""
    column = np.asarray(values, dtype=np.float64)
    return lambda weights: (weights @ column) / weights.sum(axis=1)


def positive_probability(predictions: Predictions) -> Values:
    """Return the positive class's probability [rows] of binary predictions."""
    return np.asarray(predictions if predictions.ndim == 1 else predictions[:, -1], dtype=np.float64)


def labels(predictions: Predictions, threshold: float = 0.5) -> npt.NDArray[np.int64]:
    """Return the predicted class codes: by `threshold` for two classes, the most probable one for more."""
    if predictions.ndim == 1 or predictions.shape[1] == 2:
        return np.asarray(positive_probability(predictions) >= threshold, dtype=np.int64)
    return np.asarray(predictions.argmax(axis=1), dtype=np.int64)


def divide(a: Values, b: Values, otherwise: float = float("nan")) -> Values:
    """Return a / b, and `otherwise` where b is not above zero."""
    result: Values = np.divide(a, b, out=np.full(np.broadcast(a, b).shape, otherwise), where=np.asarray(b) > 0)
    return result
