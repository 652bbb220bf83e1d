"""Many regular series in one block of values, with related series and metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.frequencies import Frequency, Times
from headrace.ml.applications.forecasting.panel.blocks import Floats, Integers, offsets_of, ranges

Metadata = tuple[str | None, ...] | Floats


@dataclass(frozen=True)
class Related:
    """A series beside each item's own: for each item its history and then the `horizon_known` periods after it.

    `values` has total + n · horizon_known entries, NaN where nothing is known. `known_ahead` says that the future is.
    """

    values: Floats
    known_ahead: bool = True


@dataclass(frozen=True)
class Panel:
    """n series on one regular grid.

    `items` are the labels of each by dimension, `dimensions` the columns these stood in (the item's first). Item i's
    values are `values[offsets[i]:offsets[i + 1]]`, oldest first, and the first lies in the period `start[i]`; NaN only
    where a rule said so. Items without history have length 0 and start where the others end.
    """

    frequency: Frequency
    items: tuple[tuple[str, ...], ...]
    dimensions: tuple[str, ...]
    start: Integers
    offsets: Integers
    values: Floats
    related: Mapping[str, Related] = field(default_factory=dict)
    metadata: Mapping[str, Metadata] = field(default_factory=dict)
    horizon_known: int = 0

    @classmethod
    def of(
        cls, frequency: Frequency, series: Sequence[npt.ArrayLike], items: Sequence[str] | None = None, start: int = 0
    ) -> Panel:
        """Make a panel of histories, oldest first, that all begin in the period `start`.

        >>> Panel.of(Frequency("D"), [[1, 2, 3], [4, 5]]).series(1)
        array([4., 5.])
        """
        blocks = [np.asarray(values, np.float64) for values in series]
        labels = [str(i) for i in range(len(blocks))] if items is None else items
        return cls(
            frequency=frequency,
            items=tuple((label,) for label in labels),
            dimensions=("item_id",),
            start=np.full(len(blocks), start, np.int64),
            offsets=offsets_of(np.array([len(values) for values in blocks], np.int64)),
            values=np.concatenate([*blocks, np.zeros(0)]),
        )

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.items)

    @property
    def lengths(self) -> Integers:
        """Return the number of periods of each item's history, [n]."""
        return np.diff(self.offsets)

    @property
    def ends(self) -> Integers:
        """Return the number of the first period after each item's history, [n]: where its forecast begins."""
        return self.start + self.lengths

    def length(self, i: int) -> int:
        """Return the number of periods of item i's history."""
        return int(self.offsets[i + 1] - self.offsets[i])

    def series(self, i: int) -> Floats:
        """Return a view of item i's history, oldest first."""
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def related_series(self, name: str, i: int) -> Floats:
        """Return a view of what is known beside item i: `length(i) + horizon_known` values."""
        shift = i * self.horizon_known
        return self.related[name].values[self.offsets[i] + shift : self.offsets[i + 1] + shift + self.horizon_known]

    def times(self, i: int) -> Times:
        """Return the first moments of the periods of item i's history, datetime64[s]."""
        return self.frequency.timestamps(self.start[i] + np.arange(self.length(i)))

    def future_times(self, i: int, horizon: int) -> Times:
        """Return the first moments of the `horizon` periods after item i's history, datetime64[s]."""
        return self.frequency.timestamps(self.ends[i] + np.arange(horizon))

    def last(self, periods: int) -> Floats:
        """Return the last values of each history, [n, periods], oldest first, NaN where a history is shorter."""
        index = self.offsets[1:, None] - periods + np.arange(periods)
        short = index < self.offsets[:-1, None]
        taken = self.values[np.where(short, 0, index)] if self.values.size else np.zeros(index.shape)
        return np.where(short, np.nan, taken)

    def cut(self, periods: int) -> Panel:
        """Return the panel as it was `periods` before: each history without its end.

        What of a related series was history then lies ahead: it stays where the series is known ahead, and is NaN
        where it is not. `horizon_known` grows by `periods`. Shorter histories become empty.
        """
        if periods == 0:
            return self
        lengths = self.lengths
        kept = np.maximum(lengths - periods, 0)
        offsets = offsets_of(kept)
        values = self.values[ranges(self.offsets[:-1], kept)]
        horizon = self.horizon_known + periods
        related = {name: replace(r, values=self._cut_related(r, kept, horizon)) for name, r in self.related.items()}
        return replace(
            self,
            start=self.ends - periods - kept,
            offsets=offsets,
            values=values,
            related=related,
            horizon_known=horizon,
        )

    def _cut_related(self, related: Related, kept: Integers, horizon: int) -> Floats:
        lengths, n = self.lengths, len(self)
        if (kept == lengths - (horizon - self.horizon_known)).all():
            values = related.values.copy()
        else:  # an item shorter than what is cut: nothing is known before its first value
            values = np.full(int(kept.sum()) + n * horizon, np.nan)
            wide = lengths + self.horizon_known
            ends = np.cumsum(kept + horizon)
            values[ranges(ends - wide, wide)] = related.values
        if not related.known_ahead:
            values[ranges(np.cumsum(kept + horizon) - horizon, np.full(n, horizon))] = np.nan
        return values

    def select(self, indices: npt.NDArray[np.integer] | Sequence[int]) -> Panel:
        """Return the items at `indices`, in that order."""
        chosen = np.asarray(indices, np.int64)
        lengths = self.lengths[chosen]
        wide = np.full(len(chosen), self.horizon_known) + lengths
        first = self.offsets[chosen] + chosen * self.horizon_known
        return replace(
            self,
            items=tuple(self.items[i] for i in chosen),
            start=self.start[chosen],
            offsets=offsets_of(lengths),
            values=self.values[ranges(self.offsets[chosen], lengths)],
            related={name: replace(r, values=r.values[ranges(first, wide)]) for name, r in self.related.items()},
            metadata={
                name: values[chosen] if isinstance(values, np.ndarray) else tuple(values[i] for i in chosen)
                for name, values in self.metadata.items()
            },
        )

    def tail(self, periods: int) -> Panel:
        """Return the panel with at most the last `periods` values of each history."""
        lengths = self.lengths
        kept = np.minimum(lengths, periods)
        left = lengths - kept
        wide = kept + self.horizon_known
        first = self.offsets[:-1] + np.arange(len(self)) * self.horizon_known + left
        return replace(
            self,
            start=self.start + left,
            offsets=offsets_of(kept),
            values=self.values[ranges(self.offsets[:-1] + left, kept)],
            related={name: replace(r, values=r.values[ranges(first, wide)]) for name, r in self.related.items()},
        )
