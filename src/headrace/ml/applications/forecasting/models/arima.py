"""Seasonal ARIMA: differences by tests, orders by the corrected AIC, coefficients by conditional least squares."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.models.local import Effort, LocalModel, Outlook, last_value, spread_of
from headrace.ml.applications.forecasting.models.seasonality import Seasons, find_seasons, moving_average

Floats = npt.NDArray[np.float64]
_CRITICAL = 0.463
"""Of the KPSS test for a level, at 5 %."""
_STRONG = 0.64
_FEWEST = 10


class Arima(LocalModel):
    """Automatic ARIMA by the steps of Hyndman and Khandakar (2008).

    Where a series has several seasons, all of them are taken out first.
    """

    name: ClassVar[str] = "arima"
    title: ClassVar[str] = "ARIMA"

    def outlook(self, values: Floats, seasons: tuple[int, ...], horizon: int, effort: Effort) -> Outlook:
        """See `LocalModel.outlook`."""
        from headrace.ml.applications.forecasting.models.loops.regression import search, terms

        if len(values) < _FEWEST:
            return last_value(values, horizon)
        m = next((length for length in seasons if len(values) >= 2 * length + 5), 1)
        taken = find_seasons(values, seasons) if len(seasons) > 1 else Seasons()
        plain = taken.remove(values)
        scale = float(np.std(plain)) or 1.0
        plain = plain / scale
        seasonal = m > 1 and len(plain) >= 3 * m and seasonal_strength(plain, m) > _STRONG
        level = plain[m:] - plain[:-m] if seasonal else plain
        ordinary = 0
        while ordinary < 2 and len(level) > _FEWEST and not is_level(level):
            level, ordinary = np.diff(level), ordinary + 1
        if float(np.ptp(level)) < 1e-12:
            return last_value(values, horizon)
        highest, seasonal_highest = (4, 2) if effort.thorough else (2, 1)
        order, parameters, errors = search(
            level, m, highest, seasonal_highest if m > 1 else 0, ordinary + seasonal < 2, 25 if effort.thorough else 10
        )
        lags, weights, error_lags, error_weights = terms(order, parameters)
        own, moved = _dense(lags, weights), _dense(error_lags, error_weights)
        mean = parameters[-1] if order[5] else 0.0
        found = _ahead(level, errors, mean, own, moved, horizon)
        whole = np.concatenate([[1.0], -own])
        for _ in range(ordinary):
            whole = np.convolve(whole, [1.0, -1.0])
        if seasonal:
            whole = np.convolve(whole, np.concatenate([[1.0], np.zeros(m - 1), [-1.0]]))
        before = plain[m:] - plain[:-m] if seasonal else plain
        found = _undo(before, found, ordinary)
        if seasonal:
            past = np.concatenate([plain[-m:], np.zeros(horizon)])
            for step in range(horizon):
                past[m + step] = past[step] + found[step]
            found = past[m:]
        free = max(1, len(errors) - len(parameters))
        sigma = float(np.sqrt(np.square(errors).sum() / free)) * scale
        spread = sigma * spread_of(_impulse(-whole[1:], moved, horizon))
        return Outlook(found * scale, spread).with_seasons(taken, len(values))


def is_level(values: Floats) -> bool:
    """Tell whether a series keeps its level: the test of Kwiatkowski et al. (1992) at 5 %."""
    away = values - values.mean()
    n, lags = len(away), int(3 * np.sqrt(len(away)) / 13)
    size = float(away @ away)
    if size < 1e-12:
        return True
    for lag in range(1, lags + 1):
        size += 2.0 * (1.0 - lag / (lags + 1)) * float(away[lag:] @ away[:-lag])
    return bool(float(np.square(np.cumsum(away)).sum()) / (n * max(size, 1e-12)) <= _CRITICAL)


def seasonal_strength(values: Floats, season: int) -> float:
    """Return which share of the variance beside the trend its season has, 0 to 1 (Wang et al., 2006)."""
    away = values - moving_average(values, season)
    known = ~np.isnan(away)
    seasons = find_seasons(values, (season,), multiplicative=False)
    if not seasons.patterns:
        return 0.0
    left = away[known] - seasons.at(0, len(values))[known]
    return max(0.0, 1.0 - float(left.var()) / max(float(away[known].var()), 1e-300))


def _dense(lags: npt.NDArray[np.int64], weights: Floats) -> Floats:
    found = np.zeros(int(lags.max()) if len(lags) else 0)
    np.add.at(found, lags - 1, weights)
    return found


def _ahead(values: Floats, errors: Floats, mean: float, own: Floats, moved: Floats, horizon: int) -> Floats:
    n = len(values)
    past, known = np.concatenate([values - mean, np.zeros(horizon)]), np.concatenate([errors, np.zeros(horizon)])
    for t in range(n, n + horizon):
        reach, error_reach = min(len(own), t), min(len(moved), t)
        past[t] = own[:reach] @ past[t - reach : t][::-1] + moved[:error_reach] @ known[t - error_reach : t][::-1]
    return past[n:] + mean


def _undo(values: Floats, found: Floats, differences: int) -> Floats:
    for number in range(differences - 1, -1, -1):
        found = np.diff(values, number)[-1] + np.cumsum(found)
    return found


def _impulse(own: Floats, moved: Floats, horizon: int) -> Floats:
    """Return by how much an error of 1 moves the values 1, 2, … periods later, [horizon]."""
    found = np.zeros(horizon + 1)
    found[0] = 1.0
    for step in range(1, horizon + 1):
        reach = min(len(own), step)
        found[step] = own[:reach] @ found[step - reach : step][::-1] + (moved[step - 1] if step <= len(moved) else 0.0)
    return found[1:]
