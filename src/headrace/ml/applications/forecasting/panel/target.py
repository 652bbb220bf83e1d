"""The target's rows become one value a period and item, and gaps are filled by rule."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from headrace.ml.applications.forecasting.frequencies import SECONDS, Frequency, Numbers
from headrace.ml.applications.forecasting.options import Filling
from headrace.ml.applications.forecasting.panel.blocks import Floats, Integers, offsets_of
from headrace.ml.applications.forecasting.panel.filling import Grid
from headrace.ml.errors import DataError

MOST_PERIODS = 200_000_000
"""Periods of all items together: 1.6 GB of values."""
_GAPS = 0.05
_WHOLE = 0.99
_SMALL = 0.3


@dataclass(frozen=True)
class Observations:
    """Values in the order of items and time: `codes` are the items, `seconds` the moments, [rows] each."""

    codes: Numbers
    seconds: Numbers
    values: Floats
    rows: Numbers

    def sorted(self) -> Observations:
        """Return the observations in the order of items and time, those of one moment in the order of the rows."""
        later = np.diff(self.seconds) >= 0
        steps = np.diff(self.codes)
        if bool(((steps > 0) | ((steps == 0) & later)).all()):
            return self
        order = np.lexsort((self.seconds, self.codes))
        return Observations(self.codes[order], self.seconds[order], self.values[order], self.rows[order])

    def known(self) -> Observations:
        """Return the observations that have a value."""
        given = ~np.isnan(self.values)
        if given.all():
            return self
        return Observations(self.codes[given], self.seconds[given], self.values[given], self.rows[given])

    @property
    def times(self) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
        """Return the moments as datetime64[s]."""
        return self.seconds.astype("datetime64[s]")


@dataclass(frozen=True)
class Periods:
    """One value a period and item, in their order."""

    codes: Numbers
    ordinals: Numbers
    values: Floats


def periods_of(observed: Observations, frequency: Frequency, rule: str) -> Periods:
    """Bring sorted observations to periods, those of one period together by `rule`."""
    ordinals = _ordinals(observed, frequency)
    if not len(ordinals):
        return Periods(observed.codes, ordinals, observed.values)
    new = np.empty(len(ordinals), np.bool_)
    new[0] = True
    new[1:] = (np.diff(ordinals) != 0) | (np.diff(observed.codes) != 0)
    first = np.flatnonzero(new)
    return Periods(observed.codes[first], ordinals[first], _together(observed.values, first, rule))


def _ordinals(observed: Observations, frequency: Frequency) -> Numbers:
    """Return the periods; where single time stamps lie a little off their step, those they lie nearest to."""
    plain = frequency.ordinals(observed.times)
    length = SECONDS.get(frequency.unit)
    apart = (np.diff(observed.seconds) > 0) & (np.diff(observed.codes) == 0)
    met = int((apart & (np.diff(plain) == 0)).sum())
    if not met or length is None or met > _GAPS * len(plain):
        return plain
    half = length * frequency.count // 2
    near = frequency.ordinals((observed.seconds + half).astype("datetime64[s]"))
    return near if int((apart & (np.diff(near) == 0)).sum()) < met else plain


def _together(values: Floats, first: Integers, rule: str) -> Floats:
    if len(first) == len(values):
        return values
    if rule in ("sum", "mean"):
        total: Floats = np.add.reduceat(values, first)
        return total if rule == "sum" else total / np.diff(np.append(first, len(values)))
    if rule in ("first", "last"):
        return values[first] if rule == "first" else values[np.append(first[1:], len(values)) - 1]
    extreme: Floats = (np.minimum if rule == "min" else np.maximum).reduceat(values, first)
    return extreme


def on_grid(periods: Periods, items: int, filling: Filling) -> tuple[Integers, Grid]:
    """Lay periods out without gaps: the number of each item's first period, [n], and the grid.

    With a rule for the front all begin with the first of all; with one for the back all end with the last of all.
    Items without values have length 0 and start behind the last period. Raises `DataError` past `MOST_PERIODS`.
    """
    last_of_all = int(periods.ordinals.max()) if len(periods.ordinals) else -1
    start, end = np.full(items, last_of_all + 1), np.full(items, last_of_all + 1)
    new = np.flatnonzero(np.diff(periods.codes, prepend=-1))
    present = periods.codes[new]
    start[present] = periods.ordinals[new]
    end[present] = periods.ordinals[np.append(new[1:], len(periods.codes)) - 1] + 1
    if filling.front not in (None, "none"):
        start[present] = periods.ordinals.min()
    if filling.back not in (None, "none"):
        end[present] = last_of_all + 1
    offsets = offsets_of(end - start)
    if offsets[-1] > MOST_PERIODS:
        raise DataError(
            f"{len(present):,} items from their first to their last period have {int(offsets[-1]):,} periods, and at "
            f"most {MOST_PERIODS:,} are kept; give a longer frequency, or fewer items"
        )
    values = np.full(int(offsets[-1]), np.nan)
    values[offsets[periods.codes] + periods.ordinals - start[periods.codes]] = periods.values
    return start, Grid(offsets, values)


def chosen(filling: Filling, periods: Periods, items: int, frequency: Frequency) -> tuple[Filling, str | None]:
    """Return the rules of a target with those that were left open decided, and the reason in a sentence.

    Where a twentieth of the periods or more have no row, none has the value 0, none is negative and small values are
    common, a period without a row counts as 0: such tables list what was sold. That is not so of values that are no
    whole numbers where the gaps lie on one or two days of the week, as those of a market do. Else gaps within are
    interpolated, and items that end early are forecast from where they end.
    """
    whole = replace(
        filling,
        aggregation=filling.aggregation or "sum",
        front=filling.front if filling.front is not None else "none",
    )
    if filling.middle is not None:
        return replace(whole, back=filling.back if filling.back is not None else "none"), None
    start, grid = on_grid(periods, items, Filling(front="none", back="none"))
    gaps = int((~grid.known).sum())
    share = gaps / max(1, len(grid.values))
    values = periods.values
    counts = bool((values > 0).all()) and share >= _GAPS
    if counts:
        whole_numbers = bool(np.mean(values == np.floor(values)) >= _WHOLE)
        small = max(_SMALL * float(np.median(values)), 1.0 if whole_numbers else 0.0)
        counts = float(np.quantile(values, 0.05)) <= small
        counts &= whole_numbers or not _weekly_gaps(start, grid, frequency)
    rule = "zero" if counts else "interpolate"
    back = filling.back if filling.back is not None else "zero" if counts else "none"
    reason = None
    if gaps:
        told = "counts as 0, since none is listed with 0" if counts else "is interpolated"
        reason = f"{gaps:,} of {len(grid.values):,} periods have no row ({share:.1%}); each {told}"
    return replace(whole, middle=rule, back=back), reason


def _weekly_gaps(start: Integers, grid: Grid, frequency: Frequency) -> bool:
    if str(frequency) != "D":
        return False
    position = np.flatnonzero(~grid.known)
    items = grid.items[position]
    days = start[items] + position - grid.offsets[items]
    counts = np.sort(np.bincount(days % 7, minlength=7))
    return bool(counts[-2:].sum() >= 0.8 * counts.sum())
