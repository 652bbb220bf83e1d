"""Linear Learner's losses: value and derivative at the scores of a model.

The losses with a corner are rounded off within `CORNER` of it, so that every one has a derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Loss = Callable[[Doubles, npt.NDArray[Any]], tuple[Doubles, Doubles]]
"""Scores [rows, outputs] and labels [rows] to losses [rows] and derivatives [rows, outputs]."""
CORNER = 0.01


def loss_of(name: str, predictor_type: str, options: Mapping[str, Any]) -> Loss:
    """Return the loss that hyperparameters name; labels are 0 and 1, class codes, or values."""
    if name == "logistic":
        return logistic
    if name == "softmax_loss":
        return softmax
    if name == "hinge_loss":
        margin = options["margin"]
        several = predictor_type == "multiclass_classifier"
        return (lambda s, y: hinge_of_classes(s, y, margin)) if several else (lambda s, y: hinge(s, y, margin))
    residual_loss = _residual_loss(name, options)

    def loss(scores: Doubles, labels: npt.NDArray[Any]) -> tuple[Doubles, Doubles]:
        values, slopes = residual_loss(labels - scores[:, 0])
        return values, -slopes[:, None]

    return loss


def logistic(scores: Doubles, labels: npt.NDArray[Any]) -> tuple[Doubles, Doubles]:
    """Return log(1 + exp(-t s)) for t of -1 and 1."""
    signs = 2.0 * labels - 1
    agreement = signs * scores[:, 0]
    values = np.logaddexp(0, -agreement)
    return values, (-signs * np.exp(-np.logaddexp(0, agreement)))[:, None]


def softmax(scores: Doubles, labels: npt.NDArray[Any]) -> tuple[Doubles, Doubles]:
    """Return the cross-entropy of the labels' classes."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    odds = np.exp(shifted)
    sums = odds.sum(axis=1)
    rows = np.arange(len(labels))
    slopes = odds / sums[:, None]
    slopes[rows, labels] -= 1
    return np.log(sums) - shifted[rows, labels], slopes


def hinge(scores: Doubles, labels: npt.NDArray[Any], margin: float) -> tuple[Doubles, Doubles]:
    """Return how far scores lie within the margin, or on the wrong side."""
    signs = 2.0 * labels - 1
    values, slopes = _positive_part(margin - signs * scores[:, 0])
    return values, (-signs * slopes)[:, None]


def hinge_of_classes(scores: Doubles, labels: npt.NDArray[Any], margin: float) -> tuple[Doubles, Doubles]:
    """Return the sum over the other classes of how far each comes within the margin of the right one."""
    rows = np.arange(len(labels))
    values, slopes = _positive_part(margin + scores - scores[rows, labels][:, None])
    values[rows, labels] = slopes[rows, labels] = 0
    slopes[rows, labels] = -slopes.sum(axis=1)
    return values.sum(axis=1), slopes


def _residual_loss(name: str, options: Mapping[str, Any]) -> Callable[[Doubles], tuple[Doubles, Doubles]]:
    """Return a regression loss as a function of label - score, with its derivative."""
    delta, quantile, overlooked = options["huber_delta"], options["quantile"], options["loss_insensitivity"]

    def huber(residuals: Doubles) -> tuple[Doubles, Doubles]:
        sizes, small = np.abs(residuals), np.abs(residuals) <= delta
        values = np.where(small, residuals**2 / 2, delta * (sizes - delta / 2))
        return values, np.where(small, residuals, delta * np.sign(residuals))

    def overlooking(residuals: Doubles, *, square: bool) -> tuple[Doubles, Doubles]:
        signs = np.sign(residuals)
        if square:
            beyond = np.maximum(np.abs(residuals) - overlooked, 0)
            return beyond**2, 2 * beyond * signs
        values, slopes = _positive_part(np.abs(residuals) - overlooked)
        return values, slopes * signs

    def tilted(residuals: Doubles, above: float) -> tuple[Doubles, Doubles]:
        over, over_slopes = _positive_part(residuals)
        under, under_slopes = _positive_part(-residuals)
        return above * over + (1 - above) * under, above * over_slopes - (1 - above) * under_slopes

    def absolute(residuals: Doubles) -> tuple[Doubles, Doubles]:
        values, slopes = tilted(residuals, 0.5)
        return 2 * values, 2 * slopes

    losses: Mapping[str, Callable[[Doubles], tuple[Doubles, Doubles]]] = {
        "squared_loss": lambda residuals: (residuals**2, 2 * residuals),
        "absolute_loss": absolute,
        "huber_loss": huber,
        "quantile_loss": lambda residuals: tilted(residuals, quantile),
        "eps_insensitive_squared_loss": lambda residuals: overlooking(residuals, square=True),
        "eps_insensitive_absolute_loss": lambda residuals: overlooking(residuals, square=False),
    }
    return losses[name]


def _positive_part(values: Doubles) -> tuple[Doubles, Doubles]:
    """Return max(values, 0), a parabola between 0 and CORNER, and its derivative."""
    slopes = np.clip(values / CORNER, 0, 1)
    return np.where(values < CORNER, slopes * values / 2, values - CORNER / 2), slopes
