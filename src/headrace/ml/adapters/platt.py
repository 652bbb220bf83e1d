"""Platt scaling: probabilities from the decision values of margin classifiers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from headrace.ml.adapters.links import sigmoid
from headrace.ml.contract import Features, Predictions, Target

FOLDS = 3


def platt_scaling(decisions: Predictions, positive: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Return (slope, offset): the probability of the positive class is sigmoid(slope · decision + offset).

    Newton's method on the log loss of Platt's smoothed targets. Source: Lin, Lin and Weng, A note on Platt's
    probabilistic outputs for support vector machines (Machine Learning, 2007).
    """
    positives, negatives = positive.sum(), (~positive).sum()
    aims = np.where(positive, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    design = np.column_stack([decisions, np.ones(len(decisions))])
    weights = np.array([0.0, np.log((positives + 1) / (negatives + 1))])
    loss = _loss(design @ weights, aims)
    for _ in range(100):
        chances = sigmoid(design @ weights)
        gradient = design.T @ (chances - aims)
        curvature = (design * (chances * (1 - chances))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        if np.abs(gradient).max() < 1e-8:
            break
        share = 1.0
        while share > 1e-10 and _loss(design @ (weights - share * step), aims) > loss - 1e-4 * share * (
            gradient @ step
        ):
            share /= 2
        if share <= 1e-10:
            break
        weights = weights - share * step
        loss = _loss(design @ weights, aims)
    return float(weights[0]), float(weights[1])


def _loss(scores: Predictions, aims: Predictions) -> float:
    return float((np.logaddexp(0, scores) - aims * scores).sum())


def held_out_platt(
    fit_decide: Callable[[Features, Target, Features], Predictions], features: Features, target: Target, seed: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return slopes and offsets, one a column of decision values, learnt on rows held out of the fit.

    `fit_decide(features, target, rows)` fits on some rows and decides on others: [rows, 1] for two classes, else
    [rows, classes]. Classes with fewer rows than folds are calibrated on the rows they were fitted on.
    """
    classes = int(target.max()) + 1
    fold = np.empty(len(target), np.int64)
    order = np.random.default_rng(seed).permutation(len(target))
    order = order[np.argsort(target[order], kind="stable")]
    fold[order] = np.arange(len(target)) % FOLDS
    if np.bincount(target).min() < FOLDS:
        decisions = fit_decide(features, target, features)
    else:
        decisions = np.empty((len(target), 1 if classes == 2 else classes))
        for number in range(FOLDS):
            out = fold == number
            decisions[out] = fit_decide(features[~out], target[~out], features[out])
    positives = [target == 1] if classes == 2 else [target == code for code in range(classes)]
    scalings = [platt_scaling(column, positive) for column, positive in zip(decisions.T, positives, strict=True)]
    slopes, offsets = np.array(scalings).T
    return slopes, offsets
