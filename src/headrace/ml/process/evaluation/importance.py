"""What the model relies on: how much worse it gets when a raw column is shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from headrace.ml.contract import Target
from headrace.ml.metrics import Metric
from headrace.ml.process.evaluation.allowance import Allowance
from headrace.ml.process.evaluation.measures import sign

MOST_ROWS = 2000
REPEATS = 3
SECONDS_A_COLUMN = 0.004
"""What it takes beside the predictions, on an idle core."""


def permutation_importance(
    model: Any,
    frame: pl.DataFrame,
    target: Target,
    metric: Metric,
    threshold: float,
    columns: Sequence[str],
    *,
    seed: int,
    allowance: Allowance,
) -> list[dict[str, Any]]:
    """Return {column, importance, std} of each of `columns`, which are all that the model reads, most important first.

    Rows are sampled so that all columns take at most half of the time left; columns that the clock did not reach are
    left out and noted.
    Source: Breiman, Random Forests, 2001.
    """
    generator, frame = np.random.default_rng(seed), frame.select(columns)
    budget = allowance.left() / 2
    affordable = budget / max(allowance.seconds_a_row * REPEATS * max(len(columns), 1), 1e-9)
    rows = max(int(min(len(target), MOST_ROWS, affordable)), min(len(target), 200))
    if rows < len(target):
        chosen = np.sort(generator.choice(len(target), rows, replace=False))
        frame, target = frame[chosen], target[chosen]
    cost = rows * allowance.seconds_a_row * REPEATS + SECONDS_A_COLUMN * allowance.slowdown
    if not allowance.allows("Importance of the columns", cost):
        return []
    best = metric.score(target, model.predict_frame(frame), threshold)
    if not np.isfinite(best):
        return []
    stop = allowance.left() - budget
    found: list[dict[str, Any]] = []
    for done, name in enumerate(columns):
        if done and allowance.left() < stop:
            allowance.notes.append(f"Importance was measured for {done} of {len(columns)} columns: the time was up.")
            break
        orders = [generator.permutation(rows) for _ in range(REPEATS)]
        shuffled = pl.concat([frame.with_columns(frame[name].gather(order)) for order in orders])
        parts = np.split(model.predict_frame(shuffled), REPEATS)
        losses = [sign(metric) * (best - metric.score(target, part, threshold)) for part in parts]
        found.append({"column": name, "importance": float(np.mean(losses)), "std": float(np.std(losses))})
    return sorted(found, key=lambda row: (-row["importance"], row["column"]))
