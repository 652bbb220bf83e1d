"""How a model fares on new rows: measured where the true values are known, estimated from its predictions where not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import CLASSIFICATION, Predictions, Target, Task
from headrace.ml.metrics import METRICS, Metric, bootstrap_intervals

Numbers = npt.NDArray[np.float64]
DRAWS = 100
"""Times that true classes are drawn from the probabilities, of rows drawn anew each time."""
DRAWN_ROWS = 5_000
ERROR_BINS = 10
DROP = 0.01
"""How much worse a metric between 0 and 1 must be to matter; of an error, five times that share of it."""
_PULL = 100.0  # as if slope and intercept were known to about a tenth beforehand
_EXACT = 1e-7
_CELLS = 4_000_000


@dataclass(frozen=True)
class Performance:
    """A metric on new rows with its 95 % interval, beside the value and interval on the test part of the run.

    `p_value` is how likely chance alone makes it so much worse than there (None where that cannot be told).
    """

    metric: str
    value: float
    low: float
    high: float
    test: float | None = None
    test_low: float | None = None
    test_high: float | None = None
    p_value: float | None = None
    worse: bool = False


def judging_metrics(task: Task, rows: int, classes: int) -> list[Metric]:
    """Return the metrics of a task, without what takes too long on so many rows and classes."""
    found = [metric for metric in METRICS.values() if task in metric.tasks]
    return [metric for metric in found if metric.name != "roc_auc_ovr" or rows * classes <= _CELLS // 2]


def measure_performance(
    metrics: Sequence[Metric], target: Target, predictions: Predictions, threshold: float, seed: int
) -> list[Performance]:
    """Score predictions against true class codes or values, with bootstrap intervals."""
    intervals = bootstrap_intervals(metrics, target, predictions, threshold, seed=seed, replicates=2 * DRAWS)
    scores = [(metric.name, metric.score(target, predictions, threshold)) for metric in metrics]
    return [Performance(name, value, *intervals[name]) for name, value in scores if np.isfinite(value)]


def fit_calibration(target: npt.NDArray[np.int64], probabilities: Numbers) -> tuple[tuple[float, float], ...]:
    """Return slope and intercept of each class's log odds by which they fit the test rows.

    Pulled towards no change where rows are few. Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999.
    """
    classes = probabilities.shape[1]
    if classes == 2:
        slope, intercept = _fit_line(_log_odds(probabilities[:, 1]), target == 1)
        return ((slope, -intercept), (slope, intercept))
    return tuple(_fit_line(_log_odds(probabilities[:, k]), target == k) for k in range(classes))


def calibrated(probabilities: Numbers, calibration: Sequence[tuple[float, float]]) -> Numbers:
    """Apply `fit_calibration`'s lines, and make the classes of each row add up to one."""
    if not calibration:
        return probabilities
    lines = np.array(calibration)
    odds = _log_odds(probabilities) * lines[:, 0] + lines[:, 1]
    corrected = 1 / (1 + np.exp(-odds))
    return np.asarray(corrected / corrected.sum(axis=1, keepdims=True))


def expected_classification(
    metrics: Sequence[Metric], probabilities: Numbers, believed: Numbers, threshold: float, seed: int
) -> list[tuple[str, Numbers]]:
    """Return metric → its values where the true classes are drawn from the believed probabilities.

    The rows are drawn anew each time, so that the spread is that of a sample of as many rows. Source: confidence-based
    performance estimation, as NannyML describes it; here by simulation, which suits every metric.
    """
    generator = np.random.default_rng(seed)
    rows = min(len(probabilities), DRAWN_ROWS)
    narrowed = np.sqrt(rows / len(probabilities))
    cumulative = np.cumsum(believed, axis=1)[:, :-1]
    found: dict[str, list[float]] = {metric.name: [] for metric in metrics}
    for _ in range(DRAWS):
        chosen = generator.integers(0, len(probabilities), rows)
        codes = (generator.random((rows, 1)) > cumulative[chosen]).sum(axis=1).astype(np.int64)
        for metric in metrics:
            found[metric.name].append(metric.score(codes, probabilities[chosen], threshold))
    values = {name: np.array(each)[np.isfinite(each)] for name, each in found.items()}
    return [(name, each.mean() + (each - each.mean()) * narrowed) for name, each in values.items() if len(each)]


def error_bins(target: Numbers, predictions: Numbers) -> tuple[tuple[float, float, float], ...]:
    """Return (largest prediction, mean absolute error, mean squared error) of rows by their prediction."""
    order = np.argsort(predictions, kind="stable")
    errors = np.abs(target - predictions)[order]
    parts = np.array_split(np.arange(len(order)), min(ERROR_BINS, max(1, len(order) // 20)))
    return tuple(
        (float(predictions[order][part[-1]]), float(errors[part].mean()), float((errors[part] ** 2).mean()))
        for part in parts
    )


def expected_regression(
    bins: Sequence[tuple[float, float, float]], predictions: Numbers, seed: int
) -> list[tuple[str, Numbers]]:
    """Return mae and rmse where rows err as the test rows with such predictions did: values of resampled rows.

    Source: direct loss estimation, as NannyML describes it, with the prediction as what errors depend on.
    """
    places = np.minimum(np.searchsorted([edge for edge, _, _ in bins], predictions), len(bins) - 1)
    shares = np.bincount(places, minlength=len(bins)) / len(predictions)
    drawn = np.random.default_rng(seed).multinomial(len(predictions), shares, DRAWS) / len(predictions)
    absolute, squared = np.array([a for _, a, _ in bins]), np.array([s for _, _, s in bins])
    return [("mae", drawn @ absolute), ("rmse", np.sqrt(drawn @ squared))]


def expected_performance(
    task: Task, predictions: Predictions, threshold: float, seed: int, *,
    calibration: Sequence[tuple[float, float]] = (), errors: Sequence[tuple[float, float, float]] = (),
) -> list[tuple[str, Numbers]]:  # fmt: skip
    """Return metric → the values to be expected of these predictions where nothing but the rows changed."""
    if task in CLASSIFICATION:
        metrics = judging_metrics(task, DRAWN_ROWS, predictions.shape[1] * 10)
        believed = calibrated(predictions, calibration)
        return expected_classification(metrics, predictions, believed, threshold, seed)
    return expected_regression(errors, predictions, seed) if errors else []


def worse_by(metric: str, before: float, now: float) -> tuple[float, bool]:
    """Return by how much `now` is worse than `before`, and whether that matters."""
    greater = METRICS[metric].greater_is_better
    drop = before - now if greater else now - before
    error = METRICS[metric].name in ("rmse", "mae", "mape", "log_loss", "brier")
    return drop, drop >= (5 * DROP * abs(before) if error else DROP)


def drop_p_value(drop: float, spread: float) -> float:
    """Return how likely chance alone makes a metric worse by `drop`, at a standard error of `spread`."""
    from scipy.stats import norm

    return float(norm.sf(drop / spread)) if spread > 0 else float(drop <= 0)


def _log_odds(probability: Numbers) -> Numbers:
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _fit_line(odds: Numbers, true: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Minimise the pulled log loss by Newton's method, halving steps that lead too far."""
    parts, unchanged = np.stack([odds, np.ones(len(odds))]), np.array([1.0, 0.0])

    def loss(line: Numbers) -> float:
        scores = line @ parts
        return float((np.logaddexp(0, scores) - true * scores).sum() + _PULL / 2 * ((line - unchanged) ** 2).sum())

    line, value = unchanged, loss(unchanged)
    for _ in range(50):
        chances = 1 / (1 + np.exp(-(line @ parts)))
        gradient = parts @ (chances - true) + _PULL * (line - unchanged)
        step = np.linalg.solve((parts * (chances * (1 - chances))) @ parts.T + _PULL * np.eye(2), gradient)
        while (found := loss(line - step)) > value and np.abs(step).max() > _EXACT:
            step = step / 2
        if found > value:
            break
        line, value = line - step, found
        if np.abs(step).max() <= _EXACT:
            break
    return float(max(line[0], 0.05)), float(line[1])
