"""How good forecasts are, by the formulas of Amazon Forecast and of the M4 competition.

The former stand on AWS's page "Evaluating Predictor Accuracy".
Everywhere `actual` is [n, h] with NaN where nothing is known, which counts for nothing; `forecast` is [n, h], and
quantile forecasts are [n, h, q] beside q levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_TINY = 1e-12


def quantile_loss(actual: Floats, forecasts: Floats, quantiles: Sequence[float]) -> Floats:
    """Return twice the pinball loss of each value, [n, h, q]; NaN where nothing is known."""
    levels = np.asarray(quantiles, np.float64)
    short = actual[..., None] - forecasts
    return 2.0 * np.maximum(levels * short, (levels - 1.0) * short)


def weighted_quantile_losses(actual: Floats, forecasts: Floats, quantiles: Sequence[float]) -> Floats:
    """Return wQL for each quantile, [q]: twice the pinball losses' sum over the sum of the actual values' sizes.

    Where that sum is 0, the losses' sum itself, as Amazon Forecast does.
    """
    losses = np.nansum(quantile_loss(actual, forecasts, quantiles), axis=(0, 1))
    return _over_sum(losses, actual)


def weighted_quantile_loss(actual: Floats, forecasts: Floats, quantiles: Sequence[float]) -> float:
    """Return the average wQL over all quantiles; NaN where there are none."""
    losses = weighted_quantile_losses(actual, forecasts, quantiles)
    return float(losses.mean()) if losses.size else float("nan")


def wape(actual: Floats, forecast: Floats) -> float:
    """Return the sum of the errors' sizes over that of the actual values; the former itself, where the latter is 0."""
    return float(_over_sum(np.nansum(np.abs(actual - forecast)), actual))


def rmse(actual: Floats, forecast: Floats) -> float:
    """Return the root of the mean squared error, in the target's unit."""
    return float(np.sqrt(_mean((actual - forecast) ** 2)))


def mape(actual: Floats, forecast: Floats) -> float:
    """Return the mean of the errors as a share of the actual value; values of 0 are left out."""
    known = np.where(np.abs(actual) > _TINY, actual, np.nan)
    return _mean(np.abs((known - forecast) / known))


def mase(actual: Floats, forecast: Floats, scales: Floats) -> float:
    """Return the mean over items of their mean absolute error over their scale [n] (see `seasonal_error`).

    Items whose scale is 0 or not known (constant or too short) are left out.
    """
    return _mean(mase_of_items(actual, forecast, scales))


def mase_of_items(actual: Floats, forecast: Floats, scales: Floats) -> Floats:
    """Return MASE for each item, [n]; NaN where it has no scale or nothing is known."""
    usable = np.where(scales > _TINY, scales, np.nan)
    return _mean_of_rows(np.abs(actual - forecast)) / usable


def seasonal_error(values: Floats, season: int) -> float:
    """Return a history's mean absolute difference to one season before: what MASE is scaled by.

    A history not longer than a season is scaled by its differences to the value before; NaN where it has none.
    """
    lag = season if len(values) > season else 1
    return _mean(np.abs(values[lag:] - values[:-lag])) if len(values) > lag else float("nan")


def smape(actual: Floats, forecast: Floats) -> float:
    """Return M4's symmetric MAPE in percent, 0 to 200: the mean over items; 0 where actual and forecast are both 0."""
    return _mean(smape_of_items(actual, forecast))


def smape_of_items(actual: Floats, forecast: Floats) -> Floats:
    """Return M4's sMAPE for each item, [n], in percent."""
    size = np.abs(actual) + np.abs(forecast)
    share = np.divide(2.0 * np.abs(actual - forecast), size, out=np.where(np.isnan(size), np.nan, 0.0), where=size > 0)
    return 100.0 * _mean_of_rows(share)


def owa(smape: float, mase: float, naive_smape: float, naive_mase: float) -> float:
    """Return M4's overall weighted average: sMAPE and MASE relative to those of Naive 2, averaged; 1 is as good."""
    return (smape / naive_smape + mase / naive_mase) / 2.0


def coverage(actual: Floats, lower: Floats, upper: Floats) -> float:
    """Return the share of known values that lie between two quantile forecasts [n, h], bounds included."""
    inside = ((actual >= lower) & (actual <= upper)).astype(np.float64)
    return _mean(np.where(np.isnan(actual), np.nan, inside))


def _over_sum(total: npt.ArrayLike, actual: Floats) -> Floats:
    size = float(np.nansum(np.abs(actual)))
    return np.asarray(total, np.float64) / (size if size > _TINY else 1.0)


def _mean(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _mean_of_rows(values: Floats) -> Floats:
    known = ~np.isnan(values)
    count = known.sum(axis=-1)
    total: Floats = np.where(known, values, 0.0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
