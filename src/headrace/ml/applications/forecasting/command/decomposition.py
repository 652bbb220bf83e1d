"""A series as trend, season and rest: the classical additive decomposition by moving averages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Decomposition:
    """The parts of a series, [t] each, NaN where the trend is not known; the strengths lie between 0 and 1."""

    trend: Floats
    season: Floats
    rest: Floats
    trend_strength: float
    season_strength: float


def decompose(values: Floats, season: int) -> Decomposition | None:
    """Take a series apart; None where it is shorter than two seasons and a bit, or has no season.

    Strengths as Hyndman and Athanasopoulos, "Forecasting: principles and practice", section on features of STL.
    """
    if season < 2 or len(values) < 2 * season + 2:
        return None
    kernel = np.ones(season) / season
    if season % 2 == 0:
        kernel = np.convolve(kernel, [0.5, 0.5])
    reach = len(kernel) // 2
    trend = np.full(len(values), np.nan)
    trend[reach : len(values) - reach] = np.convolve(values, kernel, "valid")
    free = values - trend
    phase = np.arange(len(values)) % season
    means = np.array([np.nanmean(free[phase == place]) for place in range(season)])
    seasonal = (means - means.mean())[phase]
    rest = free - seasonal
    noise = float(np.nanvar(rest))
    return Decomposition(trend, seasonal, rest, _strength(noise, trend + rest), _strength(noise, seasonal + rest))


def _strength(noise: float, part: Floats) -> float:
    whole = float(np.nanvar(part))
    return max(0.0, 1.0 - noise / whole) if whole > 0 else 0.0
