"""Bootstrap intervals of metrics, and of anything else that can be estimated from weighted rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics.metric import Estimator, Metric, Values

Interval = tuple[float, float]

_CELLS = 2_000_000  # weights held at once


def bootstrap(
    estimators: Mapping[str, Estimator], rows: int, *, seed: int, replicates: int | None = None
) -> dict[str, Values]:
    """Score resamples of the rows: name → one value a replicate, the same resamples for all names.

    Without `replicates` there are 1000 for small tables and fewer, at least 200, for large ones, which bounds the time.
    Source: Efron, Bootstrap Methods: Another Look at the Jackknife, 1979.
    """
    count = replicates or int(np.clip(20_000_000 // max(rows, 1), 200, 1000))
    generator = np.random.default_rng(seed)
    chunk = max(1, min(count, _CELLS // max(rows, 1)))
    found: dict[str, list[Values]] = {name: [] for name in estimators}
    for start in range(0, count, chunk):
        size = min(chunk, count - start)
        weights = np.empty((size, rows))
        for row in weights:
            row[:] = np.bincount(generator.integers(0, rows, rows), minlength=rows)
        for name, estimate in estimators.items():
            found[name].append(estimate(weights))
    return {name: np.concatenate(values) for name, values in found.items()}


def interval(values: Values) -> Interval:
    """Return the middle 95 % of bootstrap `values`; NaN when fewer than half of them exist."""
    values = values[np.isfinite(values)] if np.isfinite(values).sum() * 2 > len(values) else values[:0]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def bootstrap_interval(
    metric: Metric,
    target: Target,
    predictions: Predictions,
    threshold: float = 0.5,
    *,
    seed: int = 0,
    replicates: int | None = None,
) -> Interval:
    """Return the 95 % bootstrap interval of `metric` on these rows."""
    return bootstrap_intervals([metric], target, predictions, threshold, seed=seed, replicates=replicates)[metric.name]


def bootstrap_intervals(
    metrics: Iterable[Metric],
    target: Target,
    predictions: Predictions,
    threshold: float = 0.5,
    *,
    seed: int = 0,
    replicates: int | None = None,
) -> dict[str, Interval]:
    """Return the 95 % bootstrap interval of each metric by name, all on the same resamples."""
    if not len(target):
        return {metric.name: (float("nan"), float("nan")) for metric in metrics}
    estimators = {metric.name: metric.estimator(target, predictions, threshold) for metric in metrics}
    found = bootstrap(estimators, len(target), seed=seed, replicates=replicates)
    return {name: interval(values) for name, values in found.items()}
