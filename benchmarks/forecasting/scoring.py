"""How good the forecasts of a split are, beside M4's Naive 2; points are the median of every system."""

from __future__ import annotations

import numpy as np
from benchmarks.forecasting.sets import LEVELS, SeriesSet, Split

from headrace.ml.applications.forecasting import accuracy

Z_90 = 1.645


def score(chosen: SeriesSet, split: Split, values: np.ndarray) -> dict[str, float]:
    """Return the metrics of quantile forecasts [items, horizon, levels]; OWA for M4's sets only."""
    if values.shape != (*split.actual.shape, len(LEVELS)) or not np.isfinite(values).all():
        raise ValueError(f"forecasts of the shape {values.shape}, or some that are not finite")
    point = values[:, :, LEVELS.index(0.5)]
    scales = np.array([accuracy.seasonal_error(each, chosen.lag) for each in split.history])
    facts = {
        "wql": accuracy.weighted_quantile_loss(split.actual, values, LEVELS),
        "wape": accuracy.wape(split.actual, point),
        "mase": accuracy.mase(split.actual, point, scales),
        "smape": accuracy.smape(split.actual, point),
        "coverage": accuracy.coverage(split.actual, values[:, :, 0], values[:, :, -1]),
    }
    if chosen.part == "m4":
        naive = np.stack([naive2(each, chosen.lag, chosen.horizon) for each in split.history])
        naive_smape, naive_mase = accuracy.smape(split.actual, naive), accuracy.mase(split.actual, naive, scales)
        facts["owa"] = accuracy.owa(facts["smape"], facts["mase"], naive_smape, naive_mase)
    return facts


def naive2(history: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """Forecast by M4's Naive 2: the last value, of the seasonally adjusted series where a test finds a season.

    The test compares the autocorrelation at the season with 1.645 standard errors; the adjustment is the classical
    multiplicative decomposition (the code of the M4 competition).
    """
    if not _seasonal(history, season):
        return np.repeat(history[-1], horizon)
    indices = _indices(history, season)
    phase = len(history) % season
    ahead = indices[(phase + np.arange(horizon)) % season]
    return np.asarray(history[-1] / indices[(phase - 1) % season] * ahead)


def _seasonal(history: np.ndarray, season: int) -> bool:
    if season == 1 or len(history) < 3 * season:
        return False
    centred = history - history.mean()
    power = float((centred**2).sum())
    if power == 0:
        return False
    correlation = (
        np.array([(centred[lag:] * centred[: len(centred) - lag]).sum() for lag in range(1, season + 1)]) / power
    )
    limit = Z_90 / np.sqrt(len(history)) * np.sqrt(1 + 2 * (correlation[:-1] ** 2).sum())
    return bool(abs(correlation[-1]) > limit)


def _indices(history: np.ndarray, season: int) -> np.ndarray:
    """Return the factor of each place in the season, in the order of the history's first values; their mean is 1."""
    weights = np.ones(season) if season % 2 else np.concatenate([[0.5], np.ones(season - 1), [0.5]])
    trend = np.convolve(history, weights / season, mode="valid")
    first = len(weights) // 2
    places = (first + np.arange(len(trend))) % season
    ratios = history[first : first + len(trend)] / trend
    factors = np.bincount(places, ratios, season) / np.bincount(places, minlength=season)
    return np.asarray(factors / factors.mean())
