"""An additive model: a trend with bends, waves of the calendar, holidays and related series, and what is left over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.models.calendar import calendar_positions
from headrace.ml.applications.forecasting.models.contract import Forecast, Model
from headrace.ml.applications.forecasting.models.local import LONGEST, fill_gaps
from headrace.ml.applications.forecasting.panel import Panel

Floats = npt.NDArray[np.float64]
WAVES = {"day": 6, "week": 3, "month": 3, "year": 8}
"""The waves of each cycle at most: 1 to this many in its length."""
STIFFNESS = (0.03, 1.0, 100.0)
"""What a bend of the trend costs: the one that forecasts a series' last periods best is taken."""
_BENDS, _BENT_PART = 25, 0.9
_WAVE_COST, _RELATED_COST = 0.05, 0.05
_FEWEST = 8
_CLIP = 12.0


@dataclass(frozen=True)
class AdditiveFit:
    """All is fitted again on the panel that is asked about: only the horizon is kept."""

    horizon: int

    def forecast(self, panel: Panel, quantiles: tuple[float, ...]) -> Forecast:
        """See `FittedModel.forecast`; items on one grid with equal related series are solved together."""
        n, h = len(panel), self.horizon
        mean, found = np.full((n, h), np.nan), np.full((n, h, len(quantiles)), np.nan)
        series = [fill_gaps(panel.series(i))[-LONGEST:] for i in range(n)]
        groups: dict[tuple[Any, ...], list[int]] = {}
        for i, values in enumerate(series):
            if len(values):
                equal = (_beside(panel, name, i, len(values), h).tobytes() for name in panel.related)
                groups.setdefault((int(panel.ends[i]), len(values), *equal), []).append(i)
        reach = np.array([NormalDist().inv_cdf(level) for level in quantiles])
        for (end, length, *_), members in groups.items():
            together = np.stack([series[i] for i in members], axis=1)
            beside = [_beside(panel, name, members[0], length, h) for name in panel.related]
            with np.errstate(all="ignore"):
                means, values = _forecast(panel.frequency, end, together, beside, h, reach)
            mean[members], found[members] = means, values
        return Forecast(mean, quantiles, found)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """See `FittedModel.to_arrays`."""
        return {"horizon": np.array(self.horizon)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """See `FittedModel.from_arrays`."""
        return cls(int(arrays["horizon"]))


class Additive(Model):
    """Trend, seasons, holidays and related series added up, or multiplied, as in Prophet (Taylor and Letham, 2018).

    Maximum a posteriori with normal priors, which is ridge regression; the last error fades from period to period.
    """

    name: ClassVar[str] = "additive"
    title: ClassVar[str] = "Additive model"
    needs: ClassVar[frozenset[str]] = frozenset({"related"})
    fitted = AdditiveFit

    def fit(self, panel: Panel, horizon: int, *, seed: int, seconds: float | None) -> AdditiveFit:  # noqa: ARG002
        """See `Model.fit`."""
        return AdditiveFit(horizon)


def _beside(panel: Panel, name: str, i: int, length: int, horizon: int) -> Floats:
    """Return item i's related series as [length + horizon] deviations from its mean, 0 where nothing is known."""
    whole = panel.related_series(name, i)
    first = panel.length(i) - length
    found = np.full(length + horizon, np.nan)
    part = whole[first : first + length + min(horizon, panel.horizon_known)]
    found[: len(part)] = part
    past = found[:length][np.isfinite(found[:length])]
    spread = float(past.std()) if len(past) else 0.0
    if not panel.related[name].known_ahead or not spread > 1e-12:
        return np.zeros(length + horizon)
    away = (found - past.mean()) / spread
    return np.where(np.isfinite(away), away, 0.0)


def _forecast(
    frequency: Frequency, end: int, together: Floats, beside: list[Floats], horizon: int, reach: Floats
) -> tuple[Floats, Floats]:
    """Forecast series [n, k] on one grid: means [k, h] and values [k, h, q] at `reach` standard deviations."""
    n, k = together.shape
    size = np.maximum(np.abs(together).max(axis=0), 1e-300)
    plain = together / size
    if n < _FEWEST:
        centre, deviation = plain[-1], plain.std(axis=0)
        values = (centre[:, None, None] + deviation[:, None, None] * reach) * size[:, None, None]
        return np.repeat((centre * size)[:, None], horizon, 1), np.repeat(values, horizon, 1)
    columns, costs, bends = _design(frequency, end, n, horizon, beside)
    positive = plain.min(axis=0) > 1e-6
    logs = np.log(np.where(positive, plain, 1.0))
    held = min(horizon, n // 4)
    tries = [(stiffness, log) for stiffness in STIFFNESS for log in (False, True)]
    losses = np.full((len(tries), k), np.inf)
    for number, (stiffness, log) in enumerate(tries):
        if log and not positive.any():
            continue
        past = (logs if log else plain)[: n - held]
        found, _ = _solve(columns[:n], costs + stiffness * bends, past, held)
        ahead = np.exp(np.minimum(found, _CLIP)) if log else found
        loss = np.abs(ahead - plain[n - held :]).mean(axis=0)
        losses[number] = np.where(positive | (not log), loss, np.inf)
    chosen = losses.argmin(axis=0)
    means, values = np.empty((k, horizon)), np.empty((k, horizon, len(reach)))
    for number in np.unique(chosen):
        stiffness, log = tries[number]
        of = np.flatnonzero(chosen == number)
        found, deviation = _solve(columns, costs + stiffness * bends, (logs if log else plain)[:, of], horizon)
        spread = found[..., None] + deviation[..., None] * reach
        if log:
            found, spread = np.exp(np.minimum(found, _CLIP)), np.exp(np.minimum(spread, _CLIP))
        means[of], values[of] = (found * size[of]).T, (spread * size[of][:, None]).transpose(1, 0, 2)
    return means, values


def _design(
    frequency: Frequency, end: int, n: int, horizon: int, beside: list[Floats]
) -> tuple[Floats, Floats, Floats]:
    """Return the columns [n + h, p], what their coefficients cost [p], and which of them are bends of the trend [p]."""
    ordinals = np.arange(end - n, end + horizon)
    time = np.arange(n + horizon) / n
    bends = min(_BENDS, n // 3)
    parts = [np.ones_like(time), time - 0.5]
    parts += [np.maximum(time - _BENT_PART * (i + 1) / (bends + 1), 0.0) for i in range(bends)]
    costs, bent = [1e-6, 1e-4, *[0.0] * bends], [0.0, 0.0, *[1.0] * bends]
    positions = calendar_positions(frequency, ordinals)
    for name, most in WAVES.items():
        if name not in positions:
            continue
        place = positions[name].astype(np.float64)
        turns = int((np.diff(place[:n]) < 0).sum())
        per_turn = n / max(1, turns)
        if turns < 2:
            continue
        for wave in range(1, int(min(most, per_turn // 2, n // 12)) + 1):
            pair = [np.sin(2 * np.pi * wave * place), np.cos(2 * np.pi * wave * place)]
            if name == "day" and "week" in positions:
                weekend = positions["week"] > 4.5 / 7
                pair += [each * weekend for each in pair]
            parts += pair
            costs += [_WAVE_COST] * len(pair)
    parts += beside
    costs += [_RELATED_COST] * len(beside)
    return np.stack(parts, axis=1), np.array(costs), np.array(bent + [0.0] * (len(costs) - len(bent)))


def _solve(columns: Floats, costs: Floats, past: Floats, horizon: int) -> tuple[Floats, Floats]:
    """Fit series [n, k] on the first n rows of `columns` and forecast the next: means and deviations [h, k].

    The error's correlation with the one before it carries the last error on. Deviations are those of that process, and
    of a trend that goes on bending as it did.
    """
    n = len(past)
    known, ahead = columns[:n], columns[n : n + horizon]
    weights = np.linalg.solve(known.T @ known + np.diag(costs), known.T @ past)
    errors = past - known @ weights
    before, after = errors[:-1], errors[1:]
    carried = np.clip((before * after).sum(axis=0) / np.maximum(np.square(before).sum(axis=0), 1e-300), 0.0, 0.98)
    steps = np.arange(1, horizon + 1)[:, None]
    fading = carried**steps
    free = max(1.0, n - min(len(costs), n / 2))
    noise = np.square(after - carried * before).sum(axis=0) / free
    spread = noise * (1 - fading**2) / (1 - carried**2)
    bends = weights[2 : 2 + min(_BENDS, n // 3)]
    drift = np.square(bends).sum(axis=0) / (_BENT_PART * n) / n**2 * steps**3 / 3
    return ahead @ weights + errors[-1] * fading, np.sqrt(spread + drift)
