"""Errors of a regression on the test part: points, and their distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from headrace.ml.contract import Predictions, Target

MOST_POINTS = 500
_BINS = 30


def residual_curves(target: Target, predictions: Predictions, *, seed: int) -> dict[str, Any]:
    """Return residuals: points {actual, predicted, residual} of sampled rows, and a histogram of all residuals."""
    errors = target - predictions
    chosen = np.arange(len(target))
    if len(chosen) > MOST_POINTS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(target), MOST_POINTS, replace=False))
    low, high = np.quantile(errors, [0.005, 0.995])
    counts, edges = np.histogram(np.clip(errors, low, high), bins=_BINS, range=(low, high) if high > low else None)
    return {
        "residuals": {
            "points": [
                {"actual": float(target[i]), "predicted": float(predictions[i]), "residual": float(errors[i])}
                for i in chosen
            ],
            "histogram": [
                {"start": float(edges[i]), "end": float(edges[i + 1]), "count": int(n)} for i, n in enumerate(counts)
            ],
            "sampled": len(chosen),
        }
    }
