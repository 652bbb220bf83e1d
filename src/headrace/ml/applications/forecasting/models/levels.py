"""Quantiles of any level from those that a model knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MEAN_LEVELS = tuple((each + 0.5) / 40 for each in range(40))


def at_levels(values: Floats, levels: Sequence[float], wanted: Sequence[float]) -> Floats:
    """Return quantiles [..., wanted] from those [..., levels] of ascending levels; they come in order.

    Between two levels, and beyond the last, values lie on a straight line over the normal distribution's quantiles.
    """
    from scipy.special import ndtri

    known = np.sort(values, axis=-1)
    if len(levels) == 1:
        return np.repeat(known, len(wanted), axis=-1)
    axis, places = ndtri(np.asarray(levels)), ndtri(np.asarray(wanted))
    right = np.clip(np.searchsorted(axis, places), 1, len(axis) - 1)
    share = (places - axis[right - 1]) / (axis[right] - axis[right - 1])
    left = known[..., right - 1]
    return np.asarray(left + share * (known[..., right] - left))


def mean_of_levels(values: Floats, levels: Sequence[float]) -> Floats:
    """Return the mean [...] of the distributions whose quantiles [..., levels] are known."""
    return np.asarray(at_levels(values, levels, MEAN_LEVELS).mean(axis=-1))
