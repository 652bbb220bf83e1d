"""Metrics of the order that predicted probabilities put rows in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics.metric import Estimator, Values, divide, positive_probability


def _sorted(target: Target, scores: Values) -> tuple[npt.NDArray[np.int64], Values, npt.NDArray[np.int64]]:
    """Return the order of descending scores, the positives in it, and where each group of ties starts."""
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    return order, (target[order] == 1).astype(np.float64), starts


def _groups(weights: Values, starts: npt.NDArray[np.int64]) -> Values:
    if len(starts) == weights.shape[1]:
        return weights
    summed: Values = np.add.reduceat(weights, starts, axis=1)
    return summed


def roc_auc(target: Target, predictions: Predictions) -> Estimator:
    """Area under the ROC curve by ranks, ties counted half (Mann-Whitney U)."""
    order, positive, starts = _sorted(target, positive_probability(predictions))

    def estimate(weights: Values) -> Values:
        ranked = weights[:, order]
        positives = ranked * positive
        negatives = _groups(ranked - positives, starts)
        positives = _groups(positives, starts)
        above = np.cumsum(positives, axis=1) - positives / 2
        return divide(np.einsum("rg,rg->r", negatives, above), positives.sum(axis=1) * negatives.sum(axis=1))

    return estimate


def average_precision(target: Target, predictions: Predictions) -> Estimator:
    """Sum over ranks of precision times the recall gained, ties taken together."""
    order, positive, starts = _sorted(target, positive_probability(predictions))

    def estimate(weights: Values) -> Values:
        ranked = weights[:, order]
        positives = _groups(ranked * positive, starts)
        precision = divide(np.cumsum(positives, axis=1), np.cumsum(_groups(ranked, starts), axis=1), 0.0)
        return divide(np.einsum("rg,rg->r", positives, precision), positives.sum(axis=1))

    return estimate


def roc_auc_ovr(target: Target, predictions: Predictions) -> Estimator:
    """ROC AUC of each class against the rest, averaged over classes that occur."""
    present = [k for k in range(predictions.shape[1]) if 0 < np.count_nonzero(target == k) < len(target)]
    estimators = [roc_auc((target == k).astype(np.int64), predictions[:, k]) for k in present]

    def estimate(weights: Values) -> Values:
        values = np.array([estimator(weights) for estimator in estimators]).reshape(len(present), len(weights))
        return divide(np.nansum(values, axis=0), np.isfinite(values).sum(axis=0).astype(np.float64))

    return estimate
