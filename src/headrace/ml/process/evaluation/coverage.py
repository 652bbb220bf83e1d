"""Whether intervals and prediction sets keep their promise on the test part: the share they hold, with its interval."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from headrace.ml.contract import Predictions, Target, Task

_Z = 1.959963984540054


def measure_coverage(model: Any, frame: pl.DataFrame, target: Target, predictions: Predictions) -> dict[str, float]:
    """Return {measured, low, high, meant, rows} of the compiled model's band or sets; empty where it has none.

    `low` and `high` are the 95 % interval of the share held. A band adds its mean `width`, sets their mean `size` and
    the share of `single` ones.
    """
    manifest = model.manifest
    if manifest.coverage is None or not len(target):
        return {}
    if manifest.task is Task.REGRESSION:
        bounds = model.predict_columns(frame)
        lower, upper = bounds["lower"].to_numpy(), bounds["upper"].to_numpy()
        held = (lower <= target) & (target <= upper)
        found = {"width": float((upper - lower).mean())}
    else:
        if manifest.sets is None:
            return {}
        inside = manifest.sets.members(predictions)
        held, sizes = inside[np.arange(len(target)), target], inside.sum(axis=1)
        found = {"size": float(sizes.mean()), "single": float((sizes == 1).mean())}
    measured = float(held.mean())
    low, high = share_interval(measured, len(target))
    return {
        "measured": measured, "low": low, "high": high, "meant": float(manifest.coverage), "rows": len(target), **found
    }  # fmt: skip


def share_interval(share: float, rows: int) -> tuple[float, float]:
    """Return the 95 % interval of a share that was counted on `rows` rows (E. B. Wilson, JASA 1927)."""
    weight = _Z**2 / rows
    middle = (share + weight / 2) / (1 + weight)
    half = _Z / (1 + weight) * float(np.sqrt(share * (1 - share) / rows + weight / (4 * rows)))
    return middle - half, middle + half
