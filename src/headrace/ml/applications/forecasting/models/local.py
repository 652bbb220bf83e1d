"""Models that look at one series at a time: they are fitted again on whatever panel they are asked about."""

from __future__ import annotations

import time
from abc import abstractmethod
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar, Self, cast

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.models.contract import Arrays, Forecast, Model
from headrace.ml.applications.forecasting.models.seasonality import Seasons
from headrace.ml.applications.forecasting.panel import Panel

Floats = npt.NDArray[np.float64]
LONGEST = 3000
"""The most values of a series that are looked at, the newest."""
_SAMPLE = 6
_DEARER = 2.5
"""What the first effort takes of the second's time, about."""


@dataclass(frozen=True)
class Effort:
    """How much is tried for one series: whether all forms are, and the most runs of each form's search."""

    thorough: bool = True
    runs: int = 400


EFFORTS = (Effort(), Effort(thorough=False, runs=120))


@dataclass(frozen=True)
class Outlook:
    """Mean and standard deviation of each period ahead, [h] each."""

    mean: Floats
    deviation: Floats

    def with_seasons(self, seasons: Seasons, first: int) -> Outlook:
        """Return the outlook of a series whose seasons were removed, as of the series itself; `first` is its length."""
        part = seasons.at(first, len(self.mean))
        if seasons.multiplicative:
            return Outlook(self.mean * part, self.deviation * np.abs(part))
        return Outlook(self.mean + part, self.deviation)


class LocalModel(Model):
    """A model of one series at a time; fitting only chooses how much effort the time allows."""

    @abstractmethod
    def outlook(self, values: Floats, seasons: tuple[int, ...], horizon: int, effort: Effort) -> Outlook:
        """Forecast one series that varies and has no gaps, of at least three values; `seasons` are lengths."""

    def __init_subclass__(cls) -> None:
        """Give each model the class of what its fitting returns."""
        super().__init_subclass__()
        cls.fitted = type(f"{cls.__name__}Fit", (LocalFit,), {"model": cls})

    def fit(self, panel: Panel, horizon: int, *, seed: int, seconds: float | None) -> LocalFit:  # noqa: ARG002
        """See `Model.fit`: a few series tell how long all of them take."""
        effort = 0
        if seconds is not None and len(panel):
            chosen = panel.select(np.linspace(0, len(panel) - 1, min(_SAMPLE, len(panel))).astype(np.int64))
            self.forecast_all(chosen.select([0]), horizon, EFFORTS[-1])  # compiles where it must
            began = time.perf_counter()
            self.forecast_all(chosen, horizon, EFFORTS[-1])
            effort = int(_DEARER * (time.perf_counter() - began) / len(chosen) * len(panel) > seconds)
        return cast(type[LocalFit], self.fitted)(horizon, effort)

    def forecast_all(self, panel: Panel, horizon: int, effort: Effort) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of each item and period, [n, h]; NaN of items without any value."""
        mean, deviation = np.full((len(panel), horizon), np.nan), np.full((len(panel), horizon), np.nan)
        for i in range(len(panel)):
            found = self._one(panel.series(i), panel.frequency.seasons, horizon, effort)
            if found is not None:
                mean[i], deviation[i] = found.mean, found.deviation
        return mean, deviation

    def _one(self, series: Floats, seasons: tuple[int, ...], horizon: int, effort: Effort) -> Outlook | None:
        values = fill_gaps(series)[-LONGEST:]
        if not len(values):
            return None
        size = float(np.abs(values).max()) or 1.0
        values = values / size
        if len(values) < 3 or float(np.ptp(values)) <= 1e-12:
            found = Outlook(np.full(horizon, values[-1]), np.full(horizon, float(values.std())))
        else:
            with np.errstate(all="ignore"):
                found = self.outlook(values, seasons, horizon, effort)
            if not (np.isfinite(found.mean).all() and np.isfinite(found.deviation).all()):
                found = last_value(values, horizon)
        return Outlook(found.mean * size, found.deviation * size)


@dataclass(frozen=True)
class LocalFit:
    """A local model's choice of effort; `model` is set by each model's own class."""

    horizon: int
    effort: int = 0
    model: ClassVar[type[LocalModel]]

    def forecast(self, panel: Panel, quantiles: tuple[float, ...]) -> Forecast:
        """See `FittedModel.forecast`; quantiles are the normal distribution's."""
        mean, deviation = self.model().forecast_all(panel, self.horizon, EFFORTS[self.effort])
        return normal_forecast(mean, deviation, quantiles)

    def to_arrays(self) -> Arrays:
        """See `FittedModel.to_arrays`."""
        return {"horizon": np.array(self.horizon), "effort": np.array(self.effort)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Self:
        """See `FittedModel.from_arrays`."""
        return cls(int(arrays["horizon"]), int(arrays["effort"]))


def normal_forecast(mean: Floats, deviation: Floats, quantiles: tuple[float, ...]) -> Forecast:
    """Return the forecast of normal distributions, [n, h] each."""
    reach = np.array([NormalDist().inv_cdf(level) for level in quantiles])
    return Forecast(mean, quantiles, mean[..., None] + deviation[..., None] * reach)


def last_value(values: Floats, horizon: int) -> Outlook:
    """Forecast the last value, as uncertain as a random walk."""
    step = float(np.sqrt(np.square(np.diff(values)).mean())) if len(values) > 1 else 0.0
    return Outlook(np.full(horizon, values[-1]), step * np.sqrt(np.arange(1, horizon + 1)))


def spread_of(moves: Floats) -> Floats:
    """Return the standard deviations ahead, in units of one step's, where an error moves later values by `moves`."""
    return np.sqrt(1.0 + np.concatenate([[0.0], np.cumsum(np.square(moves[:-1]))]))


def fill_gaps(values: Floats) -> Floats:
    """Return a series from its first known value on, with straight lines over its gaps."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return values[:0]
    if len(known) == len(values):
        return values
    place = np.arange(known[0], len(values))
    return np.interp(place, known, values[known])
