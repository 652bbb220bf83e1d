"""Series as the networks read them: values, codes and known features, cut into windows around a first period ahead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.frequencies import Frequency, Numbers
from headrace.ml.applications.forecasting.models.calendar import calendar_waves

Floats = npt.NDArray[np.float32]
LARGEST = 50.0
"""Scaled values further from 0 than this come in as this: a spike must not drown the rest."""
SHARE_OF_ITEM = 0.05
"""A window's scale is at least this share of its item's."""


@dataclass(frozen=True, eq=False)
class Sequences:
    """Items laid end to end: `values` float32 [total] (NaN: missing), item i's from offsets[i] on.

    `codes` int64 [n, labels] are categories, -1 for one that training had not. `known` and `past` are float32
    [total + n * ahead, features], each item's history and the `ahead` periods after it; `past` features are not known
    ahead. `sizes` [n] are the items' mean absolute values.
    """

    frequency: Frequency
    start: Numbers
    offsets: Numbers
    values: Floats
    codes: Numbers
    known: Floats
    past: Floats
    ahead: int

    def __len__(self) -> int:
        return len(self.start)

    @property
    def lengths(self) -> Numbers:
        """How many values each item has: int64 [n]."""
        return np.diff(self.offsets)

    @property
    def sizes(self) -> Floats:
        """Each item's mean absolute value, and 1 where there is none: float32 [n]."""
        there = ~np.isnan(self.values)
        owner = np.repeat(np.arange(len(self)), self.lengths)[there]
        total = np.bincount(owner, np.abs(self.values[there]), len(self))
        count = np.bincount(owner, minlength=len(self))
        found = np.divide(total, count, out=np.zeros(len(self)), where=count > 0)
        return np.where(found > 0, found, 1).astype(np.float32)

    def waves(self) -> tuple[Floats, int]:
        """Return the calendar's waves of every period from the first to the last one ahead, and which is the first."""
        first = int(self.start.min()) if len(self) else 0
        last = int((self.start + self.lengths).max()) + self.ahead if len(self) else 0
        return calendar_waves(self.frequency, np.arange(first, last)), first


@dataclass(frozen=True, eq=False)
class Window:
    """Some periods of some items.

    `values` [rows, periods] are NaN where missing or outside of the item; `features` [rows, periods, .] are waves of
    the calendar, the item's age and known features, `past` [rows, periods, .]. `places` [rows, periods] are the
    periods' numbers within their items.
    """

    values: Floats
    features: Floats
    past: Floats
    places: Numbers


class Cutter:
    """Cuts windows out of sequences; what all windows share is reckoned once."""

    def __init__(self, sequences: Sequences) -> None:
        self.sequences = sequences
        self.sizes = sequences.sizes
        self._waves, self._first = sequences.waves()
        self._values = np.append(sequences.values, np.float32(np.nan))
        features = np.zeros((1, sequences.known.shape[1]), np.float32)
        self._known = np.concatenate([sequences.known, features])
        self._past = np.concatenate([sequences.past, np.zeros((1, sequences.past.shape[1]), np.float32)])

    @property
    def features(self) -> int:
        """How many features of a period are known ahead."""
        return int(self._waves.shape[1] + 1 + self._known.shape[1])

    def cut(self, items: Numbers, places: Numbers) -> Window:
        """Return the periods `places` [rows, periods] of `items` [rows]; those outside have no value."""
        own = self.sequences
        row = items[:, None]
        moments = np.clip(own.start[row] - self._first + places, 0, max(len(self._waves) - 1, 0))
        known, past = (
            table[self._places(row, places, own.ahead, len(table) - 1)] for table in (self._known, self._past)
        )
        age = np.log1p(np.maximum(places, 0).astype(np.float32))[..., None] / 5
        return Window(
            values=self.values(items, places),
            features=np.concatenate([self._waves[moments], age, known], axis=-1),
            past=past,
            places=places,
        )

    def values(self, items: Numbers, places: Numbers) -> Floats:
        """Return values [rows, ...] at `places` [rows, ...] of `items` [rows], NaN outside."""
        row = items.reshape(-1, *[1] * (places.ndim - 1))
        return np.asarray(self._values[self._places(row, places, 0, len(self._values) - 1)])

    def scales(self, items: Numbers, history: Floats) -> Floats:
        """Return what windows are divided by: the mean absolute value of `history` [rows, periods], float32 [rows]."""
        there = ~np.isnan(history)
        total = np.where(there, np.abs(history), 0).sum(axis=1)
        mean = total / np.maximum(there.sum(axis=1), 1)
        return np.asarray(np.maximum(mean, SHARE_OF_ITEM * self.sizes[items]), np.float32)

    def _places(self, row: Numbers, places: Numbers, ahead: int, outside: int) -> Numbers:
        lengths = self.sequences.lengths[row] + ahead
        at = self.sequences.offsets[row] + row * ahead + places
        return np.where((places >= 0) & (places < lengths), at, outside)
