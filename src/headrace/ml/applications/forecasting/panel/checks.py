"""What of the data is notable, and what makes a forecast impossible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.options import PanelOptions
from headrace.ml.applications.forecasting.panel.inference import differing_steps, infer_frequency
from headrace.ml.applications.forecasting.panel.keys import shown
from headrace.ml.applications.forecasting.panel.moments import when
from headrace.ml.applications.forecasting.panel.panel import Panel
from headrace.ml.applications.forecasting.panel.target import Observations
from headrace.ml.errors import DataError

_MANY = 0.1
MOST_GAP, _GAPS = 100, 10
"""Periods without any value that are always borne, and how many times those with values beyond that."""


def notable_rows(observed: Observations, labels: pl.DataFrame, options: PanelOptions) -> list[str]:
    """Say what is odd about the rows: no value, negative ones, several of one moment."""
    name, notes = options.target, []
    for mask, told in (
        (np.isnan(observed.values), "no value in {}, which {} as if absent"),
        (observed.values < 0, "a negative value in {}, which {} kept"),
    ):
        if mask.any():
            first = int(observed.rows[mask].min())
            count = int(mask.sum())
            rows = f"{count:,} rows (first: row {first:,})" if count > 1 else f"row {first:,}"
            notes.append(f"column '{name}' has " + told.format(rows, "are" if count > 1 else "is"))
    again = np.flatnonzero((np.diff(observed.codes) == 0) & (np.diff(observed.seconds) == 0)) + 1
    if len(again):
        pairs = observed.rows[again], observed.rows[again - 1]
        first = int(np.argmin(pairs[0]))
        item = shown(labels.row(int(observed.codes[again[first]])))
        filling = options.filling.get(name)
        rule = (filling.aggregation if filling else None) or "sum"
        notes.append(
            f"{len(again):,} {'rows have' if len(again) > 1 else 'row has'} the item and time stamp of another (first: "
            f"rows {int(pairs[1][first]):,} and {int(pairs[0][first]):,}, {item}); their {rule} counts"
        )
    return notes


def check_steps(observed: Observations, labels: pl.DataFrame, options: PanelOptions) -> list[str]:
    """Raise `DataError` for values at longer steps than the asked frequency, or at steps that differ by item."""
    differ = differing_steps(observed.times, observed.codes)
    if differ is None and options.frequency is None:
        return []
    if differ is not None:
        (one, short), (other, long), share = differ
        first, second = (shown(labels.row(code)) for code in (one, other))
        told = f"{first} has a value every {_days(short)} and {second} every {_days(long)}"
        if options.frequency is None and share >= _MANY:
            raise DataError(f"items have different frequencies: {told}; give the frequency to bring all to")
        finer = options.frequency is None or long > 1.1 * options.frequency.days
        return [f"items have different frequencies: {told}"] if finer else []
    asked = options.frequency
    steps = (np.diff(observed.codes) == 0) & (np.diff(observed.seconds) > 0)
    filling = options.filling.get(options.target)
    if asked is None or not steps.any() or (filling is not None and filling.middle is not None):
        return []
    found = infer_frequency(observed.times, observed.codes)
    if found.days > 1.1 * asked.days:
        raise DataError(
            f"values come every {found.title}, and cannot be forecast by {asked.title}; give the frequency {found} or "
            "a longer one"
        )
    return []


def check_gap(observed: Observations, frequency: Frequency, options: PanelOptions) -> None:
    """Raise `DataError` for a gap in all items far longer than all that has values: a date was mistyped."""
    ordinals = frequency.ordinals(observed.times)
    present = np.unique(ordinals)
    steps = np.diff(present)
    if not len(steps) or steps.max() <= max(MOST_GAP, _GAPS * len(present)):
        return
    at = int(steps.argmax())
    after, before = ordinals >= present[at + 1], ordinals <= present[at]
    odd = after if after.sum() <= before.sum() else before
    row = int(observed.rows[odd].min())
    first, last = (when(frequency.timestamps(present[[place]])) for place in (at, at + 1))
    raise DataError(
        f"column '{options.time}' has nothing between {first} and {last}, {steps[at] - 1:,} periods ({frequency}) "
        f"beside {len(present):,} with values; correct or remove row {row:,}"
    )


def check_history(panel: Panel, options: PanelOptions) -> None:
    """Raise `DataError` for a horizon that is more than a part of the longest history (a third, if not said else)."""
    longest = int(panel.lengths.max(initial=0))
    most = longest // options.share
    if not most:
        periods = f"{longest:,} {'periods' if longest != 1 else 'period'}"
        raise DataError(
            f"the longest history has {periods} ({panel.frequency}), too few to forecast from; give at least "
            f"{options.share}"
        )
    if options.horizon > most:
        part = {3: "a third", 4: "a quarter"}.get(options.share, f"1/{options.share}")
        raise DataError(
            f"the horizon of {options.horizon} periods ({panel.frequency}) is longer than {part} of the longest "
            f"history, which has {longest:,}; use at most {most}"
        )


def notable_series(panel: Panel, options: PanelOptions) -> list[str]:
    """Say which histories are short, never change, or end before the others."""
    lengths, some = panel.lengths, panel.lengths > 0
    notes = []
    least, most, zero = np.full(len(panel), np.nan), np.full(len(panel), np.nan), np.zeros(len(panel), np.bool_)
    if some.any():
        first = panel.offsets[:-1][some]
        least[some], most[some] = np.fmin.reduceat(panel.values, first), np.fmax.reduceat(panel.values, first)
        zero = (least == 0) & (most == 0)
    constant = (least == most) & ~zero & (lengths > 1)
    short = some & (lengths < options.horizon)
    last = panel.ends[some].max() if some.any() else 0
    early = some & (panel.ends < last)
    for mask, told in (
        (short, "a shorter history than the horizon"),
        (zero, "no value but 0"),
        (constant, "the same value throughout"),
        (early, "a history that ends before that of others, and a forecast from there on"),
    ):
        if mask.any():
            notes.append(_items(panel.items, mask, told))
    return notes


def _items(items: Sequence[tuple[str, ...]], mask: np.ndarray[tuple[int], np.dtype[np.bool_]], told: str) -> str:
    count, first = int(mask.sum()), shown(items[int(np.flatnonzero(mask)[0])])
    return f"{count:,} items have {told} (first: {first})" if count > 1 else f"item {first} has {told}"


def _days(days: float) -> str:
    if days < 1:
        minutes = round(days * 1440)
        return f"{minutes} minutes" if minutes % 60 else f"{minutes // 60} {'hours' if minutes > 60 else 'hour'}"
    return f"{days:.3g} days" if days > 1 else "day"
