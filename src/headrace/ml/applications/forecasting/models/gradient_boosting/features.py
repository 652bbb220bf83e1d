"""What the trees read of a period ahead: lags, means, seasons, the calendar, related series and labels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.frequencies import Numbers
from headrace.ml.applications.forecasting.models.calendar import calendar_positions, cycles
from headrace.ml.applications.forecasting.models.networks.panels import codes_of, laid_out
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.errors import ModelError

Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float32]
MOST_LAGS, OCCURRENCES = 8, 3
POWERS = {"zero": 0, "value": 1, "size": 1, "square": 2}
"""The power of the item's unit that a mean has."""
SHARE_OF_ITEM = 0.05
"""What a period is divided by is at least this share of its item's mean absolute value."""


@dataclass(frozen=True)
class Plan:
    """What is read: chosen when the trees are trained, and kept with them.

    `lags` last values, means over the last `windows` values, the same place of each season of `repeats`, and of the
    `labels`' codes. `window` is the span, in periods, whose mean absolute value everything is divided by.
    """

    horizon: int
    window: int
    lags: int
    windows: tuple[int, ...]
    repeats: tuple[int, ...]
    related: tuple[str, ...]
    past: tuple[str, ...]
    numbers: tuple[str, ...]
    labels: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, panel: Panel, horizon: int, labels: Mapping[str, Mapping[str, int]]) -> Plan:
        """Choose what to read of a panel by its frequency and the length of its histories."""
        usual = int(np.quantile(panel.lengths, 0.75)) if len(panel) else 0
        season = panel.frequency.season
        repeats = tuple(length for length in cycles(panel.frequency) if length + min(horizon, length) < usual)
        spans = {3, 7, 14, 28, season, 2 * season, *(length for length in repeats if length <= 4 * max(season, 7))}
        return cls(
            horizon=horizon,
            window=2 * season if season > 1 else 12,
            lags=int(np.clip(usual // 3, 1, MOST_LAGS)),
            windows=tuple(sorted(span for span in spans if 1 < span < usual)),
            repeats=repeats,
            related=tuple(name for name, each in panel.related.items() if each.known_ahead),
            past=tuple(name for name, each in panel.related.items() if not each.known_ahead),
            numbers=tuple(name for name, values in panel.metadata.items() if isinstance(values, np.ndarray)),
            labels=labels,
        )

    def to_array(self) -> npt.NDArray[np.str_]:
        """Return the plan as a text."""
        return np.array(json.dumps(asdict(self)))

    @classmethod
    def from_array(cls, array: npt.NDArray[Any]) -> Plan:
        """Read what `to_array` wrote; raises ModelError."""
        try:
            read = json.loads(str(array))
            found: dict[str, Any] = {
                name: tuple(each) if isinstance(each, list) else each for name, each in read.items()
            }
            return cls(**found)
        except (TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"the plan of what trees read is damaged ({error}); train them again") from error


class Reader:
    """Reads the features of any periods of a panel; sums over its values are made once."""

    def __init__(self, panel: Panel, plan: Plan) -> None:
        self.panel, self.plan = panel, plan
        self._codes = {name: codes_of(panel, name, counted) for name, counted in plan.labels.items()}
        self.lengths = panel.lengths
        self._values = np.append(panel.values, np.nan)
        there = ~np.isnan(panel.values)
        filled = np.where(there, panel.values, 0)
        owner = np.repeat(np.arange(len(panel)), self.lengths)
        largest = np.zeros(len(panel))
        np.maximum.at(largest, owner, np.abs(filled))
        self._units = np.where(largest > 0, largest, 1.0)  # sums of small items would be lost beside those of large
        filled = filled / self._units[owner]
        self._sums = {
            "count": _summed(there),
            "value": _summed(filled),
            "size": _summed(np.abs(filled)),
            "square": _summed(filled * filled),
            "zero": _summed(there & (panel.values == 0)),
        }
        ahead = plan.horizon
        unknown = np.full(len(panel.values) + len(panel) * ahead, np.nan)
        self._related = {
            name: laid_out(panel, name, ahead) if name in panel.related else unknown
            for name in (*plan.related, *plan.past)
        }
        first = int(panel.start.min()) if len(panel) else 0
        last = int(panel.ends.max()) + ahead if len(panel) else 0
        self._first = first
        self._calendar = calendar_positions(panel.frequency, np.arange(first, last))

    def scales(self, items: Numbers, origins: Numbers) -> Floats:
        """Return what the values of rows are divided by [rows]: a recent mean absolute value; 0 where all were 0."""
        recent = self._mean("size", items, origins, self.plan.window)
        overall = np.nan_to_num(self._mean("size", items, origins, None))
        return np.maximum(np.nan_to_num(recent), SHARE_OF_ITEM * overall)

    def bases(self, items: Numbers, origins: Numbers) -> Floats:
        """Return the level that forecasts start from [rows]: the mean of the last season, 0 without history."""
        return np.nan_to_num(self._mean("value", items, origins, self.plan.window // 2))

    def targets(self, items: Numbers, origins: Numbers, steps: Numbers) -> Floats:
        """Return the values to forecast, `steps` (from 0) after the first period ahead: [rows], NaN if missing."""
        return self._at(items, origins + steps)

    def matrix(self, items: Numbers, origins: Numbers, steps: Numbers) -> tuple[Matrix, list[str]]:
        """Return features [rows, features] and their names; `origins` are places of the first period ahead."""
        columns = dict(self._columns(items, origins, steps))
        return np.stack(list(columns.values()), axis=1).astype(np.float32), list(columns)

    def _columns(
        self, items: Numbers, origins: Numbers, steps: Numbers
    ) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
        plan, base = self.plan, self.bases(items, origins)
        scale = self.scales(items, origins)
        scale = np.where(scale > 0, scale, 1.0)
        places = origins + steps

        def even(values: Floats) -> Floats:
            return (values - base) / scale

        for lag in range(1, plan.lags + 1):
            yield f"lag_{lag}", even(self._at(items, origins - lag))
        for span in plan.windows:
            yield f"mean_{span}", even(self._mean("value", items, origins, span))
            square = self._mean("square", items, origins, span)
            deviation = np.sqrt(np.maximum(square - self._mean("value", items, origins, span) ** 2, 0))
            yield f"deviation_{span}", deviation / scale
        yield "zeros", self._mean("zero", items, origins, plan.window)
        yield "growth", (base - self._mean("value", items, origins - plan.window // 2, plan.window // 2)) / scale
        for season in plan.repeats:
            total, first = np.zeros(len(items)), season * (steps // season + 1)
            for times in range(OCCURRENCES):
                value = even(self._at(items, places - first - times * season))
                total = total + value
                yield f"season_{season}_{times + 1}", value
            yield f"season_{season}_mean", total / OCCURRENCES
            for shift in (-1, 1):
                place = places - first + shift
                value = np.where(place < origins, self._at(items, place), np.nan)
                yield f"season_{season}_{'before' if shift < 0 else 'after'}", even(value)
            level = self._mean("value", items, np.maximum(origins - first + season, 0), season)
            yield f"season_{season}_level", even(level)
        yield "step", steps
        yield "size", np.log(scale)
        yield "age", np.log1p(origins)
        moments = self.panel.start[items] - self._first + places
        for name, position in self._calendar.items():
            yield f"calendar_{name}", position[moments]
        yield from self._beside(items, origins, places)

    def _beside(
        self, items: Numbers, origins: Numbers, places: Numbers
    ) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
        plan = self.plan
        for name in plan.related:
            now = self._near(name, items, places)
            yield f"related_{name}", now
            yield f"related_{name}_change", now - self._near(name, items, origins - 1)
            if plan.repeats:
                season = plan.repeats[-1]
                yield f"related_{name}_season", now - self._near(name, items, places - season)
        for name in plan.past:
            last = self._near(name, items, origins - 1)
            yield f"past_{name}", last
            yield f"past_{name}_change", last - self._near(name, items, origins - 1 - plan.horizon)
        for name in plan.numbers:
            values = self.panel.metadata.get(name)
            found = values[items] if isinstance(values, np.ndarray) else np.full(len(items), np.nan)
            yield f"metadata_{name}", found
        for name in plan.labels:
            yield f"label_{name}", self._codes[name][items]

    def _at(self, items: Numbers, places: Numbers) -> Floats:
        outside = (places < 0) | (places >= self.lengths[items])
        return np.asarray(self._values[np.where(outside, len(self._values) - 1, self.panel.offsets[items] + places)])

    def _near(self, name: str, items: Numbers, places: Numbers) -> Floats:
        """A related series' values at places of items, NaN outside."""
        values, ahead = self._related[name], self.plan.horizon
        outside = (places < 0) | (places >= self.lengths[items] + ahead)
        at = self.panel.offsets[items] + items * ahead + places
        return (
            np.where(outside, np.nan, values[np.where(outside, 0, at)]) if len(values) else np.full(len(items), np.nan)
        )

    def _mean(self, name: str, items: Numbers, ends: Numbers, span: int | None) -> Floats:
        """The mean over the `span` periods before `ends` (None: all), NaN where none has a value."""
        last = np.clip(ends, 0, self.lengths[items])
        first = np.zeros_like(last) if span is None else np.maximum(last - span, 0)
        first, last = first + self.panel.offsets[items], last + self.panel.offsets[items]
        count = self._sums["count"][last] - self._sums["count"][first]
        total = self._sums[name][last] - self._sums[name][first]
        mean = np.divide(total, count, out=np.full(len(items), np.nan), where=count > 0)
        return np.asarray(mean * self._units[items] ** POWERS[name])


def _summed(values: npt.NDArray[np.generic]) -> Floats:
    return np.concatenate([np.zeros(1), np.cumsum(values, dtype=np.float64)])
