"""Series beside the target: brought to its periods and items, filled, and known ahead or not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from headrace.ml.applications.forecasting.options import Filling, PanelOptions
from headrace.ml.applications.forecasting.panel.blocks import Floats, Integers, offsets_of, ranges
from headrace.ml.applications.forecasting.panel.filling import Grid
from headrace.ml.applications.forecasting.panel.inference import typical_step
from headrace.ml.applications.forecasting.panel.keys import labels_of, numbered, places_in, shown
from headrace.ml.applications.forecasting.panel.moments import read_moments, when
from headrace.ml.applications.forecasting.panel.panel import Panel, Related
from headrace.ml.applications.forecasting.panel.target import Observations, periods_of
from headrace.ml.applications.forecasting.panel.values import read_numbers
from headrace.ml.errors import DataError
from headrace.ml.tables import ColumnKind, Table, detect_column, parse_column

MOST_LEVELS = 10
"""A column of at most so many different labels becomes as many series of 0 and 1."""


@dataclass(frozen=True)
class _Block:
    """The rows of a related table in the order of series and time; item i's are those of series `group[i]`."""

    codes: Integers
    seconds: Integers
    order: Integers
    group: Integers
    groups: int
    step: float


def with_related(panel: Panel, table: Table, options: PanelOptions) -> tuple[Panel, tuple[str, ...]]:
    """Return the panel with the columns of `table` beside its items, and what is notable.

    A table without a column of items, or without a dimension, goes for all items alike. A series that ends inside the
    horizon raises `DataError`, but where its future is filled by a rule.
    """
    block, notes = _block(panel, table, options)
    columns, more = _columns(table, options)
    findings = [*notes, *more]
    made: dict[str, Related] = {}
    for name, raw in columns.items():
        filling = options.filling.get(name) or options.filling.get(name.partition("=")[0]) or Filling()
        made[name], told = _series(panel, block, name, raw, filling)
        findings += told
    past = [name for name, series in made.items() if not series.known_ahead]
    if past and panel.horizon_known:
        findings.append(f"not known in the horizon, and so of no use to most models: {', '.join(past)}")
    if not made:
        findings.append(f"'{table.source}' has no column beside time and items that can be used")
    return replace(panel, related={**panel.related, **made}), tuple(findings)


def _block(panel: Panel, table: Table, options: PanelOptions) -> tuple[_Block, tuple[str, ...]]:
    seconds, _, notes = read_moments(table, options.time, time_zone=options.time_zone, date_format=options.date_format)
    keys = [name for name in options.keys if name in table.frame.columns]
    if keys:
        distinct, codes = numbered(labels_of(table, keys))
        places = [panel.dimensions.index(name) for name in keys]
        labels = pl.DataFrame(
            {name: [item[at] for item in panel.items] for name, at in zip(keys, places, strict=True)},
            schema=dict.fromkeys(keys, pl.String),
        )
        group, told = places_in(distinct, labels, table.source)
        notes = (*notes, *told)
    else:
        codes, group = np.zeros(table.frame.height, np.int64), np.zeros(len(panel), np.int64)
        distinct = pl.DataFrame({"all": [""]})
    order = np.lexsort((seconds, codes))
    step = typical_step(seconds[order], codes[order]) / (86400 * panel.frequency.days)
    without = int((group < 0).sum())
    if without:
        first = shown(panel.items[int(np.flatnonzero(group < 0)[0])])
        notes = (*notes, f"'{table.source}' has no row of {without:,} items (first: {first}); they get the mean of all")
    return _Block(codes[order], seconds[order], order, group, distinct.height, step), notes


def _columns(table: Table, options: PanelOptions) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Return the columns that can stand beside a series, labels as 0 and 1, and what is notable."""
    found: dict[str, Floats] = {}
    notes: list[str] = []
    for name in table.frame.columns:
        if name in (*options.keys, options.time, options.target):
            continue
        column, _ = detect_column(table.frame[name], table.rows)
        if column.kind is ColumnKind.NUMBER:
            values, told = read_numbers(table, name)
            notes += told
            if np.isnan(values).all():
                notes.append(f"column '{name}' of '{table.source}' is not used: it has no value")
            else:
                found[name] = values
            continue
        text = parse_column(table.frame[name], column)[0] if column.kind is ColumnKind.CATEGORY else None
        levels = [] if text is None else [level for level in text.unique(maintain_order=True).to_list() if level]
        if text is None or not 1 <= len(levels) <= MOST_LEVELS:
            notes.append(
                f"column '{name}' of '{table.source}' is not used: neither numbers nor up to {MOST_LEVELS} labels"
            )
            continue
        for level in levels:
            value = (text == level).cast(pl.Float64).set(text == "", None)
            found[f"{name}={level}"] = value.to_numpy().astype(np.float64)
    return found, tuple(notes)


def _series(panel: Panel, block: _Block, name: str, raw: Floats, filling: Filling) -> tuple[Related, list[str]]:
    grid = _on_grid(panel, block, raw, filling)
    horizon = panel.horizon_known
    future = grid.known[ranges(grid.history_end, np.full(len(panel), horizon))].reshape(len(panel), horizon)
    notes: list[str] = []
    ahead = bool(future.any()) or filling.future not in (None, "none")
    rules = {
        "front": "previous" if filling.front is None else filling.front,
        "middle": "previous" if filling.middle is None else filling.middle,
        "back": "previous" if filling.back is None else filling.back,
        "future": "none" if filling.future is None else filling.future,
    }
    if ahead and filling.future in (None, "none"):
        _check_ends(panel, block, grid, name)
        rules["future"] = "previous"
    values = grid.filled(rules)
    if filling.middle in (None, "previous") and (short := _ends_early(grid)):
        notes.append(f"related series '{name}' ends before the target of {short:,} items; its last value is carried on")
    empty = grid.count == 0
    if empty.any():
        gaps = np.isnan(values) & empty[grid.items]
        if not ahead:
            gaps &= np.arange(len(values)) < grid.history_end[grid.items]
        values[gaps] = np.nanmean(values) if not np.isnan(values).all() else 0.0
    return Related(values, known_ahead=ahead), notes


def _on_grid(panel: Panel, block: _Block, raw: Floats, filling: Filling) -> Grid:
    """Lay one column out beside each item: its history, then the horizon."""
    ordered = raw[block.order]
    observed = Observations(block.codes, block.seconds, ordered, block.order).known()
    periods = periods_of(observed, panel.frequency, filling.aggregation or "mean")
    counts = np.bincount(periods.codes, minlength=block.groups)
    first = np.cumsum(counts) - counts
    group = np.maximum(block.group, 0)
    lengths = np.where(block.group < 0, 0, counts[group])
    index = ranges(first[group], lengths)
    items = np.repeat(np.arange(len(panel)), lengths)
    place = periods.ordinals[index] - panel.start[items]
    widths = panel.lengths + panel.horizon_known
    inside = (place >= 0) & (place < widths[items])
    offsets = offsets_of(widths)
    values = np.full(int(offsets[-1]), np.nan)
    if filling.front in (None, "previous"):
        before = (place < 0) & (panel.lengths[items] > 0)  # of several the last stays
        values[offsets[items[before]]] = periods.values[index[before]]
    values[offsets[items[inside]] + place[inside]] = periods.values[index[inside]]
    return Grid(offsets, values, panel.lengths)


def _check_ends(panel: Panel, block: _Block, grid: Grid, name: str) -> None:
    """Raise `DataError` for the first item whose series ends inside the horizon; a step may lie behind its last."""
    ends = grid.offsets[1:]
    short = (grid.count > 0) & (ends - 1 - grid.last >= max(1.0, round(block.step)))
    if not short.any():
        return
    i = int(np.flatnonzero(short)[0])
    last = panel.frequency.timestamps(panel.start[[i]] + grid.last[i] - grid.offsets[i])
    wanted = panel.frequency.timestamps(panel.ends[[i]] + panel.horizon_known - 1)
    others = f" (and of {int(short.sum()) - 1:,} more)" if short.sum() > 1 else ""
    raise DataError(
        f"related series '{name}' of {shown(panel.items[i])}{others} ends at {when(last)}, before the horizon does at "
        f"{when(wanted)}; give its values up to there, or a rule for its future such as mean"
    )


def _ends_early(grid: Grid) -> int:
    return int(((grid.count > 0) & (grid.last < grid.history_end - 1)).sum())
