"""A trained predictor: what it forecasts, and all that is known of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.accuracy import seasonal_error
from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.models import MODELS
from headrace.ml.applications.forecasting.models.contract import Arrays, Forecast
from headrace.ml.applications.forecasting.options import TrainingOptions
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.applications.forecasting.predictor.assignments import Answer, Assignment
from headrace.ml.applications.forecasting.predictor.calibration import Calibration
from headrace.ml.applications.forecasting.predictor.cold_start import cold_forecast
from headrace.ml.applications.forecasting.predictor.groups import kinds_of
from headrace.ml.applications.forecasting.predictor.impacts import Impact
from headrace.ml.applications.forecasting.predictor.records import WindowAccuracy, average
from headrace.ml.applications.forecasting.predictor.trials import MEDIAN
from headrace.ml.applications.forecasting.predictor.weights import Weights, blend
from headrace.ml.applications.forecasting.predictor.workers import Workers
from headrace.ml.errors import DataError

Floats = npt.NDArray[np.float64]
ENSEMBLE = "ensemble"
_CHUNK = 100


@dataclass(frozen=True)
class Backtested:
    """What the ensemble forecast in one backtest window, [n] items in the order of the predictor's, beside what came.

    `start` is the first moment of the window. Values are NaN for items too short for it.
    """

    start: str
    actual: Floats
    mean: Floats
    values: Floats


@dataclass(frozen=True)
class Predictor:
    """A trained predictor.

    `weights` are those of `items`; `limits` the seconds that models told alone fit with; `states` the arrays of models
    across items. `accuracy` has the windows' figures, newest first, by model and for the `ensemble`; `item_losses` [n]
    by name those of the ensemble and the references. `backtests` are at the levels `options.quantiles`.
    """

    options: TrainingOptions
    frequency: Frequency
    dimensions: tuple[str, ...]
    items: tuple[tuple[str, ...], ...]
    weights: Weights
    calibration: Calibration
    accuracy: Mapping[str, tuple[WindowAccuracy, ...]]
    item_losses: Mapping[str, Floats] = field(default_factory=dict)
    backtests: tuple[Backtested, ...] = ()
    states: Mapping[str, Arrays] = field(default_factory=dict)
    limits: Mapping[str, float | None] = field(default_factory=dict)
    related: tuple[str, ...] = ()
    impacts: tuple[Impact, ...] = ()
    notes: tuple[str, ...] = ()

    def average(self, name: str = ENSEMBLE) -> WindowAccuracy:
        """Return a model's figures averaged over the windows."""
        return average(self.accuracy[name])

    def weights_for(self, panel: Panel) -> Floats:
        """Return the weights [n, m] for the items of a panel: their own, or those of their kind."""
        known = {labels: position for position, labels in enumerate(self.items)}
        places = np.array([known.get(labels, -1) for labels in panel.items], np.int64)
        own = self.weights.items[np.maximum(places, 0)]
        result: Floats = np.where(places[:, None] >= 0, own, self.weights.kinds[kinds_of(panel)])
        return result

    def forecast(
        self, panel: Panel, quantiles: tuple[float, ...] | None = None, *, workers: int | None = None,
        tell: Callable[[str, float], None] = lambda *_: None,
    ) -> Forecast:  # fmt: skip
        """Forecast the horizon after each history of a panel, which may be newer than what was learnt from.

        `quantiles` are any levels (None: those trained for). The quantiles are calibrated, ascend, and are not
        negative for items that never were. Raises `DataError` for a panel that is not of the same making.
        """
        self._check(panel)
        asked = tuple(sorted(quantiles or self.options.quantiles))
        levels = tuple(sorted({*asked, MEDIAN}))
        weights = self.weights_for(panel)
        warm = panel.lengths > 0
        means, values = self._forecast_models(panel, weights, warm, levels, workers, tell)
        mean, quantile = blend(weights, means), blend(weights, values)
        _fill_failed(panel, np.flatnonzero(warm & np.isnan(mean[:, 0])), mean, quantile, levels)
        quantile = self.calibration.apply(quantile[..., levels.index(MEDIAN)], quantile, levels)
        mean, quantile = not_negative(panel, mean, quantile)
        forecast = Forecast(mean, levels, quantile)
        for item in np.flatnonzero(~warm).tolist():
            mean[item], quantile[item] = cold_forecast(panel, item, np.flatnonzero(warm), forecast)
        return Forecast(mean, asked, quantile[..., [levels.index(level) for level in asked]])

    def _forecast_models(
        self, panel: Panel, weights: Floats, warm: npt.NDArray[np.bool_], levels: tuple[float, ...],
        workers: int | None, tell: Callable[[str, float], None],
    ) -> tuple[Floats, Floats]:  # fmt: skip
        models, n, h = self.weights.models, len(panel), self.options.horizon
        means, values = np.full((len(models), n, h), np.nan), np.full((len(models), n, h, len(levels)), np.nan)
        done = 0

        def take(answer: Answer) -> None:
            nonlocal done
            done += 1
            model = answer.assignment.model
            tell(f"forecasting: {model.replace('_', ' ')}", done / len(assignments))
            if not answer.error:
                rows, forecast = np.array(answer.assignment.items, np.int64), answer.forecasts[0]
                fine = np.isfinite(forecast.mean).all(axis=1) & np.isfinite(forecast.values).all(axis=(1, 2))
                means[models.index(model), rows[fine]] = forecast.mean[fine]
                values[models.index(model), rows[fine]] = forecast.values[fine]

        with tempfile.TemporaryDirectory(prefix="headrace-states-") as folder:
            assignments = []
            for place, name in enumerate(models):
                items = np.flatnonzero(warm & (weights[:, place] > 0))
                if items.size:
                    assignments += self._assignments(name, items.tolist(), levels, Path(folder))
            assignments.sort(key=lambda a: a.state is None)
            with Workers(panel, count=workers) as running:
                running.run(assignments, take)
        return means, values

    def _assignments(self, name: str, items: list[int], levels: tuple[float, ...], folder: Path) -> list[Assignment]:
        horizon, seed = self.options.horizon, self.options.seed
        if MODELS[name].across_items:
            path = folder / f"{name}.npz"
            np.savez(path, **self.states[name])  # type: ignore[arg-type]
            return [Assignment(name, tuple(items), (0,), horizon, levels, None, seed, state=str(path))]
        return [
            Assignment(name, tuple(items[i : i + _CHUNK]), (0,), horizon, levels, None, seed, self.limits.get(name))
            for i in range(0, len(items), _CHUNK)
        ]

    def _check(self, panel: Panel) -> None:
        if panel.frequency != self.frequency:
            raise DataError(
                f"the data are of the frequency {panel.frequency}, and the predictor of {self.frequency}; give data of "
                f"that frequency, with --frequency {self.frequency} where they are finer"
            )
        if panel.dimensions != self.dimensions:
            given, learnt = (", ".join(names) or "nothing" for names in (panel.dimensions, self.dimensions))
            raise DataError(
                f"the series are told apart by {given}, and the predictor's by {learnt}; name the same columns"
            )
        missing = [name for name in self.related if name not in panel.related]
        if missing:
            raise DataError(
                f"the related series '{missing[0]}' is missing, which the predictor has learnt from; add it"
            )
        if not (panel.lengths > 0).any():
            raise DataError("no item has a history to forecast from; give at least one value")


def not_negative(panel: Panel, mean: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return mean and quantiles without values below 0, for items that have none in their history."""
    least = np.array([np.nanmin(s) if (s := panel.series(i)).size and not np.isnan(s).all() else 0.0
                      for i in range(len(panel))])  # fmt: skip
    floor = np.where(least >= 0.0, 0.0, -np.inf)
    return np.maximum(mean, floor[:, None]), np.maximum(values, floor[:, None, None])


def _fill_failed(
    panel: Panel, items: npt.NDArray[np.int64], mean: Floats, values: Floats, levels: tuple[float, ...]
) -> None:
    """Forecast what no model could: the last value, as uncertain as a random walk."""
    from statistics import NormalDist

    reach = np.array([NormalDist().inv_cdf(level) for level in levels])
    for item in items.tolist():
        series = panel.series(item)
        known = series[~np.isnan(series)]
        last = known[-1] if known.size else 0.0
        step = np.nan_to_num(seasonal_error(known, 1)) * 1.25 * np.sqrt(np.arange(1, mean.shape[1] + 1))
        mean[item], values[item] = last, last + step[:, None] * reach
