"""Gaps on a regular grid: which they are, and what stands in them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.applications.forecasting.panel.blocks import Floats, Integers

Mask = npt.NDArray[np.bool_]
Rule = str | float


class Grid:
    """Values of n items after each other, item i's from `offsets[i]`, NaN where nothing is known.

    `first` and `last` are the positions of each item's first and last known value; the end of the item where it has
    none. `history` are the lengths before the horizon, [n]; None where nothing of a grid lies ahead.
    """

    def __init__(self, offsets: Integers, values: Floats, history: Integers | None = None) -> None:
        """Work out where each item's known values begin and end."""
        lengths = np.diff(offsets)
        self.offsets, self.values = offsets, values
        self.known = ~np.isnan(values)
        self.items = np.repeat(np.arange(len(lengths)), lengths)
        self.count = np.bincount(self.items[self.known], minlength=len(lengths))
        self.history_end = offsets[1:] if history is None else offsets[:-1] + history
        positions, ends = np.flatnonzero(self.known), np.cumsum(self.count)
        some = self.count > 0
        self.first, self.last = offsets[1:].copy(), offsets[1:].copy()
        self.first[some] = positions[ends[some] - self.count[some]]
        self.last[some] = positions[ends[some] - 1]

    def places(self) -> dict[str, Mask]:
        """Return where the gaps lie: front, middle, back and future, each [total].

        Front is before an item's first known value, back behind its last, future behind its history.
        """
        position = np.arange(len(self.values))
        first, last, end = self.first[self.items], self.last[self.items], self.history_end[self.items]
        gap, ahead = ~self.known, position >= end
        return {
            "front": gap & ~ahead & (position < first),
            "middle": gap & ~ahead & (position > first) & (position < last),
            "back": gap & ~ahead & (position > last),
            "future": gap & ahead,
        }

    def filled(self, rules: Mapping[str, Rule]) -> Floats:
        """Return the values with the gaps of each place filled by its rule; items without known values stay NaN.

        Zero and a number fill those too.
        """
        values = self.values.copy()
        for place, mask in self.places().items():
            rule = rules.get(place, "none")
            if rule not in ("none", "nan") and mask.any():
                values[mask] = self._fill(mask, rule)
        return values

    def _fill(self, mask: Mask, rule: Rule) -> Floats:
        if not isinstance(rule, str) or rule == "zero":
            return np.full(int(mask.sum()), 0.0 if rule == "zero" else float(rule))
        if rule == "previous":
            return self._nearest(mask)
        if rule == "interpolate":
            nearest, position, known = self._nearest(mask), np.flatnonzero(mask), np.flatnonzero(self.known)
            within = (position > self.first[self.items[mask]]) & (position < self.last[self.items[mask]])
            line = np.interp(position, known, self.values[known]) if len(known) else nearest
            return np.where(within, line, nearest)
        return self.statistic(rule)[self.items[mask]]

    def _nearest(self, mask: Mask) -> Floats:
        """Return the known value before each gap, or the item's first where there is none before."""
        if not self.known.any():
            return np.full(int(mask.sum()), np.nan)
        position, items = np.arange(len(self.values)), self.items
        before = np.maximum.accumulate(np.where(self.known, position, -1))
        found = np.maximum(before, self.first[items])[mask]
        empty = self.count[items[mask]] == 0
        return np.where(empty, np.nan, self.values[np.where(empty, 0, found)])

    def statistic(self, name: str) -> Floats:
        """Return the mean, median, min or max of each item's known values, [n]; NaN where it has none."""
        known = pl.DataFrame({"item": self.items[self.known], "value": self.values[self.known]})
        made = known.group_by("item").agg(getattr(pl.col("value"), name)().alias("made"))
        result = np.full(len(self.count), np.nan)
        result[made["item"].to_numpy()] = made["made"].to_numpy()
        return result
