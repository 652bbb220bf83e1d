"""What to stock, and what it costs: the quantile at which one unit more costs as much as it saves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.command.request import Costs
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.applications.forecasting.predictor import Backtested, Predictor

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Policy:
    """A way to choose the stock, and what surplus and shortage of all items cost a period in the backtest windows."""

    name: str
    cost: float
    over: float
    under: float


@dataclass(frozen=True)
class Stocking:
    """The quantile to stock, `level`, and what stocking it (the first) and other ways cost, a period."""

    level: float
    currency: str
    policies: tuple[Policy, ...]

    @property
    def saving(self) -> float:
        """Return how much less than the cheapest other way it costs, a period."""
        return min(policy.cost for policy in self.policies[1:]) - self.policies[0].cost


def choose_stock(panel: Panel | None, predictor: Predictor, costs: Costs) -> Stocking | None:
    """Measure, on what the backtest windows forecast, the quantile that the costs ask for; None without costs.

    `panel` is what the predictor was trained on; without it, last season's values are not measured beside.
    With costs X of a unit too many and Y of one too few it is Y / (X + Y) (the newsvendor's critical ratio).
    """
    level = costs.level
    if level is None or level not in predictor.options.quantiles or not predictor.backtests:
        return None
    place = predictor.options.quantiles.index(level)
    windows = predictor.backtests
    ways = {
        f"the {100 * level:g} % quantile": [window.values[..., place] for window in windows],
        "the mean forecast": [window.mean for window in windows],
    }
    if panel is not None:
        ways["last season's values"] = _last_seasons(panel, predictor, windows)
    if 0.5 in predictor.options.quantiles and level != 0.5:
        middle = predictor.options.quantiles.index(0.5)
        ways["the median forecast"] = [window.values[..., middle] for window in windows]
    return Stocking(level, costs.currency, tuple(_policy(name, each, windows, costs) for name, each in ways.items()))


def _policy(name: str, stocks: Sequence[Floats], windows: Sequence[Backtested], costs: Costs) -> Policy:
    over = under = 0.0
    periods = 0
    for stock, window in zip(stocks, windows, strict=True):
        known = ~np.isnan(window.actual) & ~np.isnan(window.mean) & ~np.isnan(stock)
        surplus = np.where(known, stock - window.actual, 0.0)
        over += costs.over * float(np.maximum(surplus, 0.0).sum())
        under += costs.under * float(np.maximum(-surplus, 0.0).sum())
        periods += window.actual.shape[1]
    return Policy(name, (over + under) / periods, over / periods, under / periods)


def _last_seasons(panel: Panel, predictor: Predictor, windows: Sequence[Backtested]) -> list[Floats]:
    """Return, for each window, the values one season before."""
    options = predictor.options
    offset, season = options.window_offset or options.horizon, panel.frequency.season
    found = []
    for place, window in enumerate(windows):
        before = panel.cut(offset + place * options.horizon)
        last = before.last(max(season, 1))
        last = np.where(np.isnan(last), before.last(1), last)
        steps = np.arange(window.actual.shape[1]) % last.shape[1]
        found.append(last[:, steps])
    return found
