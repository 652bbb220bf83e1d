"""What the models forecast in the backtest windows, side by side, and how they did item by item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.accuracy import quantile_loss, seasonal_error
from headrace.ml.applications.forecasting.models.contract import Forecast
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.applications.forecasting.predictor.windows import Window

Floats = npt.NDArray[np.float64]
MEDIAN = 0.5


@dataclass(frozen=True)
class Trial:
    """One window: what came [n, h], and what each of m models forecast: means [m, n, h], quantiles [m, n, h, q].

    NaN where nothing came, or a model did not forecast. `scales` [n] are the seasonal errors of the histories before.
    """

    window: Window
    actual: Floats
    scales: Floats
    means: Floats
    values: Floats


@dataclass(frozen=True)
class Trials:
    """All windows, the newest first, with the models' names and the levels of their quantiles."""

    models: tuple[str, ...]
    quantiles: tuple[float, ...]
    windows: tuple[Trial, ...]

    def of(self, models: Sequence[str]) -> Trials:
        """Return the trials of some of the models."""
        rows = [self.models.index(name) for name in models]
        kept = tuple(
            Trial(trial.window, trial.actual, trial.scales, trial.means[rows], trial.values[rows])
            for trial in self.windows
        )
        return Trials(tuple(models), self.quantiles, kept)


def empty_trial(panel: Panel, window: Window, models: int, quantiles: int) -> Trial:
    """Return a window in which nothing was forecast yet."""
    n, h = len(panel), window.horizon
    season, before = panel.frequency.season, panel.cut(window.cut)
    scales = np.array([seasonal_error(before.series(i), season) for i in range(n)])
    means, values = np.full((models, n, h), np.nan), np.full((models, n, h, quantiles), np.nan)
    return Trial(window, window.actual(panel), scales, means, values)


def put(trial: Trial, model: int, items: Sequence[int], forecast: Forecast) -> None:
    """Write a model's forecast of some items into a window; items with a value that is not finite stay unknown."""
    fine = np.isfinite(forecast.mean).all(axis=1) & np.isfinite(forecast.values).all(axis=(1, 2))
    rows = np.asarray(items, np.int64)[fine]
    trial.means[model, rows] = forecast.mean[fine]
    trial.values[model, rows] = forecast.values[fine]


def item_losses(trial: Trial, means: Floats, values: Floats, levels: Sequence[float], metric: str) -> Floats:
    """Return the loss of forecasts for each item: [n] from means [n, h] and values [n, h, q], or [m, n] from [m, …].

    By the metric to be optimised: the mean quantile loss, the mean absolute error of the median (WAPE; MASE divides
    it by the scale, MAPE by the actual values), or the mean squared error of the mean (RMSE). NaN where not known.
    """
    actual = trial.actual
    if metric == "wQL":
        loss = quantile_loss(actual, values, levels).mean(axis=-1)
    elif metric == "RMSE":
        loss = (actual - means) ** 2
    else:
        loss = np.abs(actual - values[..., median_position(levels)])
        if metric == "MAPE":
            loss = loss / np.where(np.abs(actual) > 1e-12, np.abs(actual), np.nan)
    known = ~np.isnan(loss) & ~np.isnan(actual)
    count = known.sum(axis=-1)
    mean: Floats = np.where(known, loss, 0.0).sum(axis=-1) / np.maximum(count, 1)
    mean = np.where(count > 0, mean, np.nan)
    if metric == "MASE":
        mean = mean / np.where(trial.scales > 1e-12, trial.scales, np.nan)
    return mean


def median_position(levels: Sequence[float]) -> int:
    """Return the position of the level nearest to the median."""
    return int(np.abs(np.asarray(levels) - MEDIAN).argmin())
