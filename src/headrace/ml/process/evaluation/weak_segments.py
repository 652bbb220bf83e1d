"""Where the model fails worst: slices found on held-out rows, confirmed on the test part, with the likely reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.contract import CLASSIFICATION, Predictions, Target, Task
from headrace.ml.metrics import Metric, Values, bootstrap
from headrace.ml.process.evaluation.reasons import find_reason
from headrace.ml.process.evaluation.slices import Condition, conditions, described, rows_of_slice
from headrace.ml.tables.columns import Column

MOST_FOUND = 5
MOST_COLUMNS = 25
_MOST_ROWS = 8_000
_FEWEST_ROWS, _SMALLEST_SHARE, _LARGEST_SHARE = 30, 0.02, 0.6
_FEWEST_TEST_ROWS = 10
_PAIRED = 15
_PAIR_BETTER = 1.0  # standard errors that a second column must add
_OVERLAP = 0.5
_MISTAKE = 0.05

Slice = tuple[Condition, ...]


@dataclass(frozen=True)
class Judged:
    """Rows with their raw columns, what is true of them, and what was predicted without having seen them."""

    frame: pl.DataFrame
    target: Target
    predictions: Predictions

    def loss(self, task: Task, metric: Metric) -> Values:
        """Return each row's loss [rows]: logarithmic for classes, absolute or squared error for values."""
        if task in CLASSIFICATION:
            given = self.predictions[np.arange(len(self.target)), self.target.astype(np.int64)]
            return np.asarray(-np.log(np.clip(given, 1e-6, 1.0)))
        error = np.abs(self.target - self.predictions)
        return np.asarray(error**2 if metric.name in ("rmse", "r2") else error)

    def take(self, rows: npt.NDArray[np.int64]) -> Judged:
        """Return some of the rows."""
        return Judged(self.frame[rows], self.target[rows], self.predictions[rows])


def find_weak_segments(
    held_out: Judged,
    test: Judged,
    train: pl.DataFrame,
    columns: Sequence[Column],
    task: Task,
    metric: Metric,
    threshold: float,
    *,
    seed: int,
) -> list[dict[str, Any]]:
    """Return where the loss is highest, at most five slices of one or two columns, the worst first.

    Each: {segment, columns, rows, share, <metric>, low, high, overall, loss, loss_elsewhere, loss_low, loss_high,
    confirmed, reason}. It is chosen on `held_out` rows, beyond what chance explains among all slices that were looked
    at (Bonferroni), and measured on `test`, where the intervals hold for all slices together. `confirmed` tells that
    the higher loss is found again there. `train` are the rows learnt from.
    Source: Chung et al., Slice Finder: Automated Data Slicing for Model Validation, 2019.
    """
    if len(held_out.target) > _MOST_ROWS:
        chosen = np.random.default_rng(seed).permutation(len(held_out.target))[:_MOST_ROWS]
        held_out = held_out.take(np.sort(chosen))
    found = _search(held_out, columns[:MOST_COLUMNS], held_out.loss(task, metric))
    measured = [
        _measure(slice_, held_out, test, train, task, metric, threshold, 1 - _MISTAKE / len(found), seed)
        for slice_ in found
    ]
    known = [row for row in measured if row is not None]
    return sorted(known, key=lambda row: (not row["confirmed"], row["loss_elsewhere"] - row["loss"]))


def _search(held_out: Judged, columns: Sequence[Column], loss: Values) -> list[Slice]:
    singles = conditions(held_out.frame, columns)
    if not singles or len(loss) < 4 * _FEWEST_ROWS or not np.isfinite(loss).all() or loss.std() == 0:
        return []
    masks = np.stack([condition.holds(held_out.frame) for condition in singles]).astype(np.float32)
    terms = np.column_stack([np.ones(len(loss)), loss, loss**2]).astype(np.float32)
    scores = _excess(masks @ terms, loss)
    tried: list[tuple[float, tuple[int, ...]]] = [(float(score), (k,)) for k, score in enumerate(scores)]
    best = [int(k) for k in np.argsort(-scores)[:_PAIRED] if np.isfinite(scores[k])]
    for first in best:
        both = _excess((masks * masks[first]) @ terms, loss)
        for second, score in enumerate(both):
            apart = singles[first].column.name != singles[second].column.name
            if apart and score > max(scores[first], scores[second]) + _PAIR_BETTER:
                tried.append((float(score), (first, second)))
    looked_at = len(singles) * (1 + len(best))
    bound = NormalDist().inv_cdf(1 - _MISTAKE / looked_at)
    chosen: list[tuple[Slice, npt.NDArray[np.bool_]]] = []
    for score, places in sorted(tried, key=lambda each: (-each[0], each[1])):
        if score < bound or len(chosen) == MOST_FOUND:
            break
        rows = masks[list(places)].prod(axis=0) > 0
        if all((rows & other).sum() < _OVERLAP * (rows | other).sum() for _, other in chosen):
            chosen.append((tuple(singles[place] for place in places), rows))
    return [slice_ for slice_, _ in chosen]


def _excess(sums: npt.NDArray[np.float32], loss: Values) -> Values:
    """Return by how many standard errors the loss of each slice exceeds that of the other rows; -inf for odd sizes."""
    sums = sums.astype(np.float64)
    rows = len(loss)
    inside, total, squares = sums[:, 0], sums[:, 1], sums[:, 2]
    outside = rows - inside
    usable = (inside >= max(_FEWEST_ROWS, _SMALLEST_SHARE * rows)) & (inside <= _LARGEST_SHARE * rows)
    inside, outside = np.maximum(inside, 2), np.maximum(outside, 2)
    mean, other = total / inside, (loss.sum() - total) / outside
    spread = np.maximum(squares / inside - mean**2, 0) / inside
    spread += np.maximum(((loss**2).sum() - squares) / outside - other**2, 0) / outside
    return np.where(usable, (mean - other) / np.sqrt(np.maximum(spread, 1e-18)), -np.inf)


def _measure(
    slice_: Slice,
    held_out: Judged,
    test: Judged,
    train: pl.DataFrame,
    task: Task,
    metric: Metric,
    threshold: float,
    level: float,
    seed: int,
) -> dict[str, Any] | None:
    inside = rows_of_slice(slice_, test.frame)
    if inside.sum() < _FEWEST_TEST_ROWS or (~inside).sum() < _FEWEST_TEST_ROWS:
        return None
    loss = test.loss(task, metric)
    here, there = loss[inside], loss[~inside]
    error = float(np.sqrt(here.var(ddof=1) / len(here) + there.var(ddof=1) / len(there)))
    gap, reach = float(here.mean() - there.mean()), NormalDist().inv_cdf(0.5 + level / 2)
    part = test.take(np.flatnonzero(inside))
    low, high = _interval(metric, part, threshold, level, seed)
    figures: Mapping[str, float] = {
        metric.name: metric.score(part.target, part.predictions, threshold),
        "low": low, "high": high, "overall": metric.score(test.target, test.predictions, threshold),
    }  # fmt: skip
    return {
        "segment": described(slice_),
        "columns": [condition.column.name for condition in slice_],
        "rows": int(inside.sum()),
        "share": float(inside.mean()),
        **{name: value if np.isfinite(value) else None for name, value in figures.items()},
        "loss": float(here.mean()),
        "loss_elsewhere": float(there.mean()),
        "loss_low": gap - reach * error,
        "loss_high": gap + reach * error,
        "confirmed": gap - reach * error > 0,
        "reason": find_reason(
            rows_of_slice(slice_, held_out.frame), held_out.frame, held_out.target, held_out.predictions,
            inside, test.target, in_train=int(rows_of_slice(slice_, train).sum()), task=task,
        ),
    }  # fmt: skip


def _interval(metric: Metric, part: Judged, threshold: float, level: float, seed: int) -> tuple[float, float]:
    found = bootstrap(
        lambda rows: {"": metric.estimator(part.target[rows], part.predictions[rows], threshold)},
        len(part.target), seed=seed, replicates=400,
    )[""]  # fmt: skip
    found = found[np.isfinite(found)]
    if len(found) < 200:
        return float("nan"), float("nan")
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
