"""Bootstrap intervals of metrics, and of anything else that can be estimated from weighted rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics.metric import Estimator, Metric, Values

Interval = tuple[float, float]
Rows = npt.NDArray[np.int64]

MOST_ROWS = 20_000
"""Rows that are resampled at most; of more, a random sample stands for all, and the spread is narrowed by its size."""

_CELLS = 400_000  # weights held at once
_ALL_CELLS = 10_000_000  # weights drawn in all


def bootstrap(
    prepare: Callable[[Rows], Mapping[str, Estimator]], rows: int, *, seed: int, replicates: int | None = None
) -> dict[str, Values]:
    """Score resamples of the rows: name → one value a replicate, the same resamples for all names.

    `prepare` makes the estimators of the rows at some positions. Without `replicates` there are 500 to 1000 of them.
    Past `MOST_ROWS` rows, m of the n are resampled; the values are then moved to the value of all n rows, and their
    distance from it multiplied by √(m / n), which bounds the time. Sources: Efron, Bootstrap Methods: Another Look at
    the Jackknife, 1979; Politis & Romano, Large Sample Confidence Regions Based on Subsamples, 1994.
    """
    generator = np.random.default_rng(seed)
    if rows <= MOST_ROWS:
        return _resample(prepare(np.arange(rows)), rows, generator, replicates)
    whole = {name: _plain(estimate, rows) for name, estimate in prepare(np.arange(rows)).items()}
    chosen = np.sort(generator.choice(rows, MOST_ROWS, replace=False))
    estimators = prepare(chosen)
    found = _resample(estimators, MOST_ROWS, generator, replicates)
    narrowed = np.sqrt(MOST_ROWS / rows)
    return {
        name: whole[name] + (values - _plain(estimators[name], MOST_ROWS)) * narrowed for name, values in found.items()
    }


def _plain(estimate: Estimator, rows: int) -> float:
    return float(estimate(np.ones((1, rows)))[0])


def _resample(
    estimators: Mapping[str, Estimator], rows: int, generator: np.random.Generator, replicates: int | None
) -> dict[str, Values]:
    count = replicates or int(np.clip(_ALL_CELLS // max(rows, 1), 200, 1000))
    chunk = max(1, min(count, _CELLS // max(rows, 1)))
    found: dict[str, list[Values]] = {name: [] for name in estimators}
    for start in range(0, count, chunk):
        weights = np.empty((min(chunk, count - start), rows))
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
    judged = tuple(metrics)
    if not len(target):
        return {metric.name: (float("nan"), float("nan")) for metric in judged}

    def prepare(rows: Rows) -> dict[str, Estimator]:
        return {metric.name: metric.estimator(target[rows], predictions[rows], threshold) for metric in judged}

    found = bootstrap(prepare, len(target), seed=seed, replicates=replicates)
    return {name: interval(values) for name, values in found.items()}
