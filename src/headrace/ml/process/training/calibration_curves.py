"""The curves that correct probabilities, fitted: beta, isotonic, temperature, and beta of each class alone."""

from __future__ import annotations

import numpy as np

from headrace.ml.adapters.calibrators import (
    BetaCalibrator,
    Calibrator,
    IsotonicCalibrator,
    OneVersusRestCalibrator,
    TemperatureCalibrator,
    logarithms,
)
from headrace.ml.adapters.links import sigmoid
from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics import Values

_STEEPEST, _FLATTEST = 10.0, 1e-3


def fit_beta(target: Target, given: Predictions) -> Calibrator:
    """Fit beta calibration of the positive class by its log loss."""
    return BetaCalibrator(*_beta(target == 1, logarithms(given[:, 1]), logarithms(given[:, 0])))


def fit_one_versus_rest(target: Target, given: Predictions) -> Calibrator:
    """Fit beta calibration of each class against the rest."""
    columns = [
        _beta(target == code, logarithms(chances), logarithms(1 - np.asarray(chances, np.float64)))
        for code, chances in enumerate(given.T)
    ]
    return OneVersusRestCalibrator(*np.array(columns).T)


def _beta(positive: np.ndarray, logs: Values, rest: Values) -> tuple[float, float, float]:
    """Minimise the log loss by Newton's method; slopes that would turn the order around stop just above 0."""
    parts = np.stack([logs, -rest, np.ones(len(logs))])
    aims = positive.astype(np.float64)
    lowest = np.array([_FLATTEST, _FLATTEST, -np.inf])

    def loss(weights: Values) -> float:
        scores = weights @ parts
        return float((np.logaddexp(0, scores) - aims * scores).sum())

    weights = np.array([1.0, 1.0, 0.0])
    value = loss(weights)
    for _ in range(50):
        chances = sigmoid(weights @ parts)
        gradient = parts @ (chances - aims)
        free = (weights > lowest) | (gradient < 0)
        curvature = (parts * (chances * (1 - chances))) @ parts.T + 1e-6 * np.eye(3)
        step = np.zeros(3)
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        share = 1.0
        while share > 1e-4 and (found := loss(np.maximum(weights - share * step, lowest))) > value:
            share /= 2
        if share <= 1e-4:
            break
        weights, gain, value = np.maximum(weights - share * step, lowest), value - found, found
        if gain < 1e-9 * len(logs):
            break
    return float(weights[0]), float(weights[1]), float(weights[2])


def fit_temperature(target: Target, given: Predictions) -> Calibrator:
    """Fit the temperature by the log loss: its logarithm by golden sections between -3 and 3."""
    logs, places = logarithms(given), np.arange(len(target))

    def loss(logarithm: float) -> float:
        scores = logs / np.exp(logarithm)
        largest = scores.max(axis=1)
        totals = largest + np.log(np.exp(scores - largest[:, None]).sum(axis=1))
        return float((totals - scores[places, target]).mean())

    low, high = -3.0, 3.0
    for _ in range(25):
        third = (high - low) * (3 - 5**0.5) / 2
        low, high = (low, high - third) if loss(low + third) < loss(high - third) else (low + third, high)
    return TemperatureCalibrator(float(np.exp((low + high) / 2)))


def fit_isotonic(target: Target, given: Predictions) -> Calibrator:
    """Fit isotonic regression on bins of equally many rows, with one knot a block at its mean log-odds.

    Neighbouring blocks are pooled until their shares rise (and not more steeply than float32 bears). Shares are
    smoothed by half a row of each class, so that none is 0 or 1.
    """
    logs = logarithms(given)
    odds = logs[:, 1] - logs[:, 0]
    order = np.argsort(odds, kind="stable")
    blocks: list[tuple[float, float, float]] = []
    for part in np.array_split(order, min(50, len(order) // 50)):
        blocks.append((float(len(part)), float(odds[part].sum()), float((target[part] == 1).sum())))
        while len(blocks) > 1 and not _rising(blocks[-2], blocks[-1]):
            last, before = blocks.pop(), blocks.pop()
            blocks.append((before[0] + last[0], before[1] + last[1], before[2] + last[2]))
    knots, values = np.array([_knot(block) for block in blocks]).T
    return IsotonicCalibrator(knots, values)


def _knot(block: tuple[float, float, float]) -> tuple[float, float]:
    rows, odds, hits = block
    return odds / rows, float(np.log((hits + 0.5) / (rows - hits + 0.5)))


def _rising(left: tuple[float, float, float], right: tuple[float, float, float]) -> bool:
    (start, low), (end, high) = _knot(left), _knot(right)
    return 0 < high - low < _STEEPEST * (end - start)
