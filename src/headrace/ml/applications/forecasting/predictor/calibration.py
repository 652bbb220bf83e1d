"""Quantiles that keep what they promise: stretched about the median by what the backtest windows taught.

A split-conformal calibration (Romano et al. 2019, "Conformalized quantile regression"): the stretch of a level is the
quantile of the ratios between what came and what was forecast, both measured from the median, over all items and the
neighbouring steps of the horizon. Few ratios are drawn towards no stretch at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.predictor.trials import MEDIAN

Floats = npt.NDArray[np.float64]
GRID = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""The levels that are calibrated beside those asked for; others lie between them."""
LEAST_STRETCH, MOST_STRETCH = 0.3, 4.0
_ENOUGH = 400
_DOUBT = 3.0
"""So many ratios beyond a level are worth as much as the belief that no stretch is needed."""
_EACH = 2.0
"""What the ratios of one item in one window are worth together: the errors of one forecast go the same way."""


@dataclass(frozen=True)
class Calibration:
    """Stretches [h, q] of the distance to the median, by step of the horizon and level."""

    levels: tuple[float, ...]
    stretches: Floats

    def apply(self, median: Floats, values: Floats, levels: Sequence[float]) -> Floats:
        """Return calibrated quantiles [n, h, q] of forecasts at any levels, ascending along the last axis."""
        wide = np.stack([np.interp(levels, self.levels, row) for row in self.stretches])
        steps = np.minimum(np.arange(values.shape[1]), len(wide) - 1)
        stretched = median[..., None] + (values - median[..., None]) * wide[steps]
        return np.sort(stretched, axis=-1)


def no_calibration(horizon: int) -> Calibration:
    """Return the calibration that changes nothing."""
    return Calibration(GRID, np.ones((horizon, len(GRID))))


def calibrate(actual: Sequence[Floats], values: Sequence[Floats], levels: tuple[float, ...]) -> Calibration:
    """Learn the stretches from windows: what came [n, h], and quantiles [n, h, q] at levels that have the median.

    Windows in which nothing of an item is known count for nothing.
    """
    came, said = np.concatenate(actual), np.concatenate(values)
    middle = said[..., levels.index(MEDIAN)]
    known = ~np.isnan(came) & ~np.isnan(middle)
    horizon, worth = came.shape[1], _EACH * known.any(axis=1).sum()
    stretches = np.ones((horizon, len(levels)))
    for position, level in enumerate(levels):
        if level == MEDIAN:
            continue
        reach = said[..., position] - middle
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(known & (reach != 0), (came - middle) / reach, np.nan)
        for step in range(horizon):
            near = _neighbours(ratio, step)
            if near.size:
                stretches[step, position] = _stretch(near, max(level, 1.0 - level), min(near.size, worth))
    return Calibration(levels, _smooth(stretches))


def _neighbours(ratios: Floats, step: int) -> Floats:
    """Return the known ratios of a step and as many steps on both sides as give enough of them."""
    reach, horizon = 0, ratios.shape[1]
    while True:
        near = ratios[:, max(0, step - reach) : step + reach + 1]
        known = near[~np.isnan(near)]
        if known.size >= _ENOUGH or reach >= horizon:
            return known
        reach += max(1, reach)


def _stretch(ratios: Floats, level: float, worth: float) -> float:
    """Return the quantile of the ratios by the conformal rank, drawn towards 1 where beyond it few are left.

    `worth` is how many independent ratios they count as.
    """
    rank = min(1.0, level * (worth + 1) / worth)
    found = float(np.clip(np.quantile(ratios, rank), LEAST_STRETCH, MOST_STRETCH))
    beyond = worth * (1.0 - level)
    return (beyond * found + _DOUBT) / (beyond + _DOUBT)


def _smooth(stretches: Floats) -> Floats:
    """Return the running means over three steps of the horizon."""
    if len(stretches) < 3:
        return stretches
    padded = np.concatenate([stretches[:1], stretches, stretches[-1:]])
    result: Floats = (padded[:-2] + padded[1:-1] + padded[2:]) / 3.0
    return result
