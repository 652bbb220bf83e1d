"""What twice the rows would bring: a power law through the learning curve, with an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headrace.ml.metrics import Metric, Values
from headrace.ml.process.evaluation.measures import sign

_EXPONENTS = np.linspace(0.05, 1.5, 30)
_FEWEST_REPLICATES = 20


def read_learning_curve(points: Sequence[Mapping[str, Any]], metric: Metric) -> dict[str, Any]:
    """Say what twice the rows would bring: {slope, low, high, exponent, reading}; empty with fewer than two points.

    The score is taken to approach its limit by a power of the rows, a - b n^-c; `slope` is the gain of a doubling
    beyond the last point, positive where the metric improves. `low` and `high` (95 %) come from the same fit to every
    resample of the held-out rows (`replicates` of each point), widened by what the curve leaves of the points; None
    without resamples. Source: Viering & Loog, The Shape of Learning Curves: a Review, 2021.
    """
    usable = [p for p in points if p.get("validation_score") is not None and p.get("rows")]
    rows = np.array([float(p["rows"]) for p in usable])
    scores = sign(metric) * np.array([float(p["validation_score"]) for p in usable])
    if len(usable) < 2 or np.ptp(rows) == 0 or not np.isfinite(scores).all():
        return {}
    gain, exponent, rest = _doubling(rows, scores[None, :])
    found: dict[str, Any] = {"slope": float(gain[0]), "low": None, "high": None, "exponent": float(exponent[0])}
    drawn = [p.get("replicates") for p in usable]
    if all(each is not None and len(each) >= _FEWEST_REPLICATES for each in drawn):
        samples = sign(metric) * np.array(drawn, dtype=np.float64).T
        samples = samples[np.isfinite(samples).all(axis=1)]
        if len(samples) >= _FEWEST_REPLICATES:
            gains, _, _ = _doubling(rows, samples)
            low, high = np.percentile(gains - np.median(gains), [2.5, 97.5])
            reach = 1.96 * float(rest[0])
            found["low"] = float(gain[0] - np.hypot(low, reach))
            found["high"] = float(gain[0] + np.hypot(high, reach))
    return found | {"reading": _reading(found, metric)}


def _reading(found: Mapping[str, Any], metric: Metric) -> str:
    gain = sign(metric) * found["slope"]
    spread = ""
    if found["low"] is not None:
        low, high = sorted(sign(metric) * found[end] for end in ("low", "high"))
        spread = f" (95 % interval {low:+.2g} to {high:+.2g})"
        if found["low"] <= 0 <= found["high"]:
            spread += ", which may as well be nothing"
    return f"Twice the rows would change {metric.title} by about {gain:+.2g}{spread}."


def _doubling(rows: Values, scores: Values) -> tuple[Values, Values, Values]:
    """Fit a - b n^-c to each curve [curves, points]; return gain of a doubling, c, and the standard error left over.

    Of exponents that fit about as well (two points, or noise) the one nearest to a half is taken, as of most learners.
    """
    left = np.empty((len(_EXPONENTS), len(scores)))
    gains = np.empty_like(left)
    for place, exponent in enumerate(_EXPONENTS):
        powers = (rows / rows[-1]) ** -exponent
        design = np.column_stack([np.ones_like(rows), -powers])
        weights, *_ = np.linalg.lstsq(design, scores.T, rcond=None)
        left[place] = ((scores.T - design @ weights) ** 2).sum(axis=0)
        gains[place] = weights[1] * (1 - 2.0**-exponent)
    spread = np.maximum(((scores - scores.mean(axis=1, keepdims=True)) ** 2).sum(axis=1), 1e-18)
    best = (left / spread + 0.01 * (_EXPONENTS[:, None] - 0.5) ** 2).argmin(axis=0)
    chosen = np.arange(len(scores))
    rest = np.sqrt(left[best, chosen] / max(1, len(rows) - 2))
    return gains[best, chosen], _EXPONENTS[best], rest
