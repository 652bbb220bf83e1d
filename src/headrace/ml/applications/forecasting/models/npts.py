"""NPTS: forecasts drawn from a series' own past, by weights that fade and that know the season."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.accuracy import quantile_loss
from headrace.ml.applications.forecasting.models.contract import Forecast, Model
from headrace.ml.applications.forecasting.models.local import LONGEST, fill_gaps
from headrace.ml.applications.forecasting.panel import Panel

Floats = npt.NDArray[np.float64]
KERNELS = ("exponential", "uniform")
FADING = 3.0
"""By e to this power the oldest value of a history counts less than its newest."""
_FEWEST_PHASES = 2
_SAMPLE = 50


@dataclass(frozen=True)
class NptsFit:
    """Which kernel weighs the past, and whether values of the same place in the season count alone."""

    horizon: int
    kernel: str = "exponential"
    seasonal: bool = True

    def forecast(self, panel: Panel, quantiles: tuple[float, ...]) -> Forecast:
        """See `FittedModel.forecast`; quantiles are values of the past, so they are never negative where it is not."""
        shape = len(panel), self.horizon
        mean, found = np.full(shape, np.nan), np.full((*shape, len(quantiles)), np.nan)
        seasons = panel.frequency.seasons if self.seasonal else ()
        for i in range(len(panel)):
            values = fill_gaps(panel.series(i))[-LONGEST:]
            if len(values):
                mean[i], found[i] = self._one(values, seasons, np.asarray(quantiles))
        return Forecast(mean, quantiles, found)

    def _one(self, values: Floats, seasons: tuple[int, ...], levels: Floats) -> tuple[Floats, Floats]:
        n = len(values)
        m = max((length for length in seasons if n >= _FEWEST_PHASES * length), default=1)
        age = np.arange(n)[::-1]
        weights = np.exp(-FADING * age / n) if self.kernel == "exponential" else np.ones(n)
        order = np.argsort(values, kind="stable")
        ascending = values[order]
        means, quantiles = np.empty(m), np.empty((m, len(levels)))
        for phase in range(min(m, self.horizon)):
            chosen = weights * (((age + 1 + phase) % m) == 0) if m > 1 else weights
            shares = np.cumsum(chosen[order])
            shares /= shares[-1]
            means[phase] = chosen @ values / chosen.sum()
            places = np.searchsorted(shares, levels - 1e-12)
            quantiles[phase] = ascending[np.minimum(places, n - 1)]
        at = np.arange(self.horizon) % m
        return means[at], quantiles[at]

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """See `FittedModel.to_arrays`."""
        return {
            "horizon": np.array(self.horizon),
            "kernel": np.array(self.kernel),
            "seasonal": np.array(self.seasonal),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """See `FittedModel.from_arrays`."""
        return cls(int(arrays["horizon"]), str(arrays["kernel"]), bool(arrays["seasonal"]))


class Npts(Model):
    """Amazon Forecast's non-parametric time series (Gasthaus, 2016): good for counts with many zeros.

    The forecast of a period is the weighted distribution of the past values, of those a whole number of seasons before
    where the history has two seasons. Of exponential and uniform weights, seasonal and not, the panel takes what would
    have forecast its last periods best.
    """

    name: ClassVar[str] = "npts"
    title: ClassVar[str] = "NPTS"
    fitted = NptsFit

    def __init__(self, *, kernel: str | None = None, seasonal: bool | None = None) -> None:
        self.kernel, self.seasonal = kernel, seasonal

    def fit(self, panel: Panel, horizon: int, *, seed: int, seconds: float | None) -> NptsFit:  # noqa: ARG002
        """See `Model.fit`."""
        kernels = KERNELS if self.kernel is None else (self.kernel,)
        seasonal = (True, False) if self.seasonal is None else (self.seasonal,)
        tries = [NptsFit(horizon, *each) for each in itertools.product(kernels, seasonal)]
        if len(tries) == 1 or not len(panel):
            return tries[0]
        chosen = panel.select(np.linspace(0, len(panel) - 1, min(_SAMPLE, len(panel))).astype(np.int64))
        past = chosen.cut(horizon)
        actual = chosen.last(horizon)
        levels = (0.1, 0.5, 0.9)
        losses = []
        for each in tries:
            loss = quantile_loss(actual, each.forecast(past, levels).values, levels)
            per_item = np.where(np.isfinite(loss), loss, 0).sum(axis=(1, 2))
            losses.append(float((per_item / np.maximum(np.nansum(np.abs(actual), axis=1), 1e-9)).mean()))
        return tries[int(np.argmin(losses))]
