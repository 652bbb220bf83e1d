"""The metrics of each part of the data, their intervals, and those of the baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headrace.ml.contract import Predictions, Target, Task
from headrace.ml.metrics import METRICS, MOST_ROWS, Metric, bootstrap_intervals
from headrace.ml.process.evaluation.allowance import Allowance

_MOST_CELLS = 2_000_000  # rows times classes; ranking each class against the rest takes too long beyond


def metrics_of(task: Task, rows: int, classes: int) -> list[Metric]:
    """Return the metrics that judge `task`, without those that take too long on so many rows and classes."""
    fitting = [metric for metric in METRICS.values() if task in metric.tasks]
    return [metric for metric in fitting if metric.name != "roc_auc_ovr" or rows * classes <= _MOST_CELLS]


def score_all(
    metrics: Sequence[Metric], target: Target, predictions: Predictions, threshold: float
) -> dict[str, float]:
    """Return metric → value, without those that have none on these rows."""
    values = {metric.name: metric.score(target, predictions, threshold) for metric in metrics}
    return {name: value for name, value in values.items() if np.isfinite(value)}


def intervals_of(
    metrics: Sequence[Metric],
    target: Target,
    predictions: Predictions,
    threshold: float,
    *,
    seed: int,
    allowance: Allowance,
) -> dict[str, tuple[float, float]]:
    """Return metric → 95 % bootstrap interval, with fewer resamples where time is short."""
    classes = 1 if predictions.ndim == 1 else predictions.shape[1]
    weight = sum(classes if metric.name == "roc_auc_ovr" else 1 for metric in metrics)
    affordable = allowance.replicates(min(len(target), MOST_ROWS), weight, most=500)
    replicates = affordable if affordable < 500 else None
    if replicates is not None and replicates < 200:
        allowance.notes.append(f"Intervals come from {replicates} resamples only: time was short.")
    found = bootstrap_intervals(metrics, target, predictions, threshold, seed=seed, replicates=replicates)
    return {name: (low, high) for name, (low, high) in found.items() if np.isfinite(low) and np.isfinite(high)}


def constant_predictions(baseline_held_out: Predictions, rows: int) -> Predictions:
    """Return what the baseline answers for `rows` rows: always the same shares, or the same value."""
    answer = np.mean(baseline_held_out, axis=0)
    return np.tile(answer, (rows, 1)) if baseline_held_out.ndim == 2 else np.full(rows, float(answer))


def sign(metric: Metric) -> float:
    """Return +1 where greater is better, else -1."""
    return 1.0 if metric.greater_is_better else -1.0
