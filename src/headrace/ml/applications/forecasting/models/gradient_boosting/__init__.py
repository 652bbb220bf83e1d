"""Gradient boosting as a forecasting model: trees for all items of a panel, which read lags, seasons and more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from headrace.ml.applications.forecasting.frequencies import Numbers
from headrace.ml.applications.forecasting.models.contract import Forecast, Model
from headrace.ml.applications.forecasting.models.gradient_boosting.boosters import (
    LEVELS,
    MEAN,
    Boosters,
    Schedule,
    boosters_from_arrays,
    train,
)
from headrace.ml.applications.forecasting.models.gradient_boosting.features import Plan, Reader
from headrace.ml.applications.forecasting.models.levels import at_levels
from headrace.ml.applications.forecasting.models.networks.panels import count_labels
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.errors import DataError, ModelError

ROWS_AT_ONCE = 200_000
MOST_LABELS = 200
"""Columns with more labels than this are not read."""
MOST_EXPLAINED = 4_000
"""Forecasts whose contributions are reckoned at most."""


@dataclass(frozen=True, eq=False)
class FittedGradientBoosting:
    """Boosters of the mean and of some quantiles, and the plan of what they read."""

    plan: Plan
    boosters: Boosters

    def forecast(self, panel: Panel, quantiles: tuple[float, ...]) -> Forecast:
        """Forecast from the end of `panel`; levels between the trained ones are interpolated."""
        reader, horizon = Reader(panel, self.plan), self.plan.horizon
        mean = np.empty(len(panel) * horizon)
        values = np.empty((len(mean), len(LEVELS)))
        for first in range(0, len(mean), ROWS_AT_ONCE):
            rows = np.arange(first, min(first + ROWS_AT_ONCE, len(mean)))
            items, origins, steps = _ahead(panel, rows, horizon)
            features, _ = reader.matrix(items, origins, steps)
            scale, base = reader.scales(items, origins), reader.bases(items, origins)
            mean[rows] = self.boosters.predict(MEAN, features) * scale + base
            for place, level in enumerate(LEVELS):
                values[rows, place] = self.boosters.predict(level, features) * scale + base
        shape = (len(panel), horizon)
        return Forecast(mean.reshape(shape), quantiles, at_levels(values, LEVELS, quantiles).reshape(*shape, -1))

    def contributions(self, panel: Panel) -> dict[str, NDArray[np.float64]]:
        """Return by related series or metadata what it adds to each mean forecast, [n, h], in the target's unit.

        These are Shapley values of the trees (see `headrace.ml.explanation`). Of a large panel, items are picked at
        even distances, and the others have NaN.
        """
        reader, horizon = Reader(panel, self.plan), self.plan.horizon
        step = max(1, -(-len(panel) * horizon // MOST_EXPLAINED))
        picked = np.arange(0, len(panel), step)
        rows = (picked[:, None] * horizon + np.arange(horizon)).ravel()
        items, origins, steps = _ahead(panel, rows, horizon)
        features, names = reader.matrix(items, origins, steps)
        found = self.boosters.contributions(features) * reader.scales(items, origins)[:, None]
        shares: dict[str, NDArray[np.float64]] = {}
        for column, name in enumerate(names):
            attribute = attribute_of(name, self.plan)
            if attribute is not None:
                shares.setdefault(attribute, np.full((len(panel), horizon), np.nan))
                part = found[:, column].reshape(len(picked), horizon)
                shares[attribute][picked] = np.nan_to_num(shares[attribute][picked]) + part
        return shares

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the plan and the boosters' texts as plain arrays."""
        return {"plan": self.plan.to_array()} | self.boosters.to_arrays()

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Make it again of `to_arrays`; raises ModelError."""
        if "plan" not in arrays:
            raise ModelError("the arrays hold no gradient boosting; train it again")
        return cls(Plan.from_array(arrays["plan"]), boosters_from_arrays(arrays))


class GradientBoosting(Model):
    """LightGBM over all items: how far ahead is a feature, and each quantile has its own trees (pinball loss)."""

    name, title = "gradient_boosting", "Gradient boosting"
    needs: ClassVar[frozenset[str]] = frozenset({"related", "metadata"})
    across_items = True
    fitted = FittedGradientBoosting

    def __init__(self, *, rounds: int = 120, most_rows: int = 150_000) -> None:
        self.rounds, self.most_rows = rounds, most_rows

    def fit(self, panel: Panel, horizon: int, *, seed: int, seconds: float | None = None) -> FittedGradientBoosting:
        """Train the boosters for about `seconds`; raises DataError where no item has two values of a size."""
        labels = {name: counted for name, counted in count_labels(panel).items() if len(counted) <= MOST_LABELS}
        plan = Plan.of(panel, horizon, labels)
        reader = Reader(panel, plan)
        random = np.random.default_rng([seed, 5])
        items, origins, steps = draw_rows(panel, plan, self.most_rows, random)
        values, scale = reader.targets(items, origins, steps), reader.scales(items, origins)
        good = ~np.isnan(values) & (scale > 0)
        if not good.any():
            raise DataError("gradient boosting learns from two values, one of them not 0, and no item has them")
        items, origins, steps = items[good], origins[good], steps[good]
        values, scale = values[good], scale[good]
        features, _ = reader.matrix(items, origins, steps)
        target = (values - reader.bases(items, origins)) / scale
        boosters = train(features, target, np.sqrt(scale), Schedule(self.rounds, seconds), seed)
        return FittedGradientBoosting(plan, boosters)


def draw_rows(panel: Panel, plan: Plan, most: int, random: np.random.Generator) -> tuple[Numbers, Numbers, Numbers]:
    """Return items, first periods ahead and steps of what is learnt: all there are, or about `most` drawn of them."""
    lengths, horizon = panel.lengths, plan.horizon
    least = np.minimum(min(plan.window, 8), np.maximum(lengths - 1, 0))
    count = np.maximum(lengths - np.maximum(least, 1), 0)
    ends: Numbers = np.cumsum(count)
    total = int(ends[-1]) * horizon if len(ends) else 0
    places = np.arange(total) if total <= most else np.unique(random.integers(0, total, most))
    moment, steps = places // horizon, places % horizon
    items = np.searchsorted(ends, moment, side="right").astype(np.int64)
    origins: Numbers = lengths[items] - (ends[items] - moment)
    inside = origins + steps < lengths[items]
    return items[inside], origins[inside], steps[inside]


def attribute_of(feature: str, plan: Plan) -> str | None:
    """Return the related series or metadata that a feature comes from; None where it comes from the target itself."""
    for name in (*plan.related, *plan.past):
        if feature in (f"related_{name}", f"past_{name}") or feature.startswith((f"related_{name}_", f"past_{name}_")):
            return name
    if feature.startswith("label_metadata."):
        return feature.removeprefix("label_metadata.")
    return feature.removeprefix("metadata_") if feature.startswith("metadata_") else None


def _ahead(panel: Panel, rows: Numbers, horizon: int) -> tuple[Numbers, Numbers, Numbers]:
    items = rows // horizon
    return items, panel.lengths[items], rows % horizon
