"""Tables become a panel: the target's rows, series beside it, and what is known of the items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.options import Filling, PanelOptions, Sources
from headrace.ml.applications.forecasting.panel.blocks import offsets_of
from headrace.ml.applications.forecasting.panel.checks import (
    check_gap,
    check_history,
    check_steps,
    notable_rows,
    notable_series,
)
from headrace.ml.applications.forecasting.panel.holidays import with_holidays
from headrace.ml.applications.forecasting.panel.inference import aligned, infer_frequency, regularity
from headrace.ml.applications.forecasting.panel.keys import labels_of, numbered, require
from headrace.ml.applications.forecasting.panel.metadata import new_items, read_metadata
from headrace.ml.applications.forecasting.panel.moments import read_moments, swapped, when
from headrace.ml.applications.forecasting.panel.panel import Panel
from headrace.ml.applications.forecasting.panel.related import with_related
from headrace.ml.applications.forecasting.panel.target import Observations, chosen, on_grid, periods_of
from headrace.ml.applications.forecasting.panel.values import read_numbers
from headrace.ml.errors import SourceError, TargetError
from headrace.ml.tables import Opener, Table, read_table, table_from_frame

Made = tuple[Panel, tuple[str, ...]]
_OPEN = Filling()


def read_panel(sources: Sources, options: PanelOptions, *, openers: Mapping[str, Opener] | None = None) -> Made:
    """Read tables from files, folders of CSV or Parquet, or addresses, and make a panel of them.

    Returns with it what is notable, a sentence each. `openers` are those of `read_table`. Raises the errors below
    `DataError`, which name the row and column, and `OptionError`.
    """
    related, items = (
        None if source is None else read_source(source, openers) for source in (sources.related, sources.items)
    )
    return panel_of_tables(read_source(sources.target, openers), options, related, items)


def panel_of_frames(target: Any, options: PanelOptions, related: Any = None, items: Any = None) -> Made:
    """Make a panel of frames in memory (see `table_from_frame`), as `read_panel` does of files."""
    others = (
        None if frame is None else table_from_frame(frame, name)
        for frame, name in ((related, "the related series"), (items, "the items"))
    )
    return panel_of_tables(table_from_frame(target, "the target"), options, *others)


def panel_of_tables(
    target: Table, options: PanelOptions, related: Table | None = None, items: Table | None = None
) -> Made:
    """Make a panel of tables, as `read_panel` does of files."""
    observed, labels, notes = _observed(target, options)
    findings = [*target.notes, *notes, *notable_rows(observed, labels, options)]
    observed = observed.known()
    frequency = _frequency(observed, labels, options, findings)
    check_gap(observed, frequency, options)
    observed = _whole_periods(observed, frequency, options, findings)
    filling = options.filling.get(options.target) or options.filling.get("target") or _OPEN
    filling, reason = chosen(
        filling, periods_of(observed, frequency, filling.aggregation or "sum"), labels.height, frequency
    )
    findings += [reason] if reason else []
    periods = periods_of(observed, frequency, filling.aggregation or "sum")
    start, grid = on_grid(periods, labels.height, filling)
    values = grid.filled(
        {"front": filling.front or "none", "middle": filling.middle or "nan", "back": filling.back or "none"}
    )
    panel = _panel(frequency, labels, start, np.diff(grid.offsets), values, options)
    if items is not None and options.item is not None:
        panel = _with_new(panel, new_items(items, options.keys, labels, related), findings)
    check_history(panel, options)
    findings += notable_series(panel, options)
    if options.holidays is not None:
        panel = with_holidays(panel, options.holidays)
    if related is not None:
        panel, told = with_related(panel, related, options)
        findings += [*related.notes, *told]
    if items is not None:
        known, told = read_metadata(items, options.item, _labels(panel))
        panel = replace(panel, metadata=known)
        findings += [*items.notes, *told]
    return panel, tuple(dict.fromkeys(findings))


def read_source(source: str | Path, openers: Mapping[str, Opener] | None = None) -> Table:
    """Read a table as `read_table` does, and a folder of delimited files with the same columns as one table."""
    folder = Path(str(source).removeprefix("file://"))
    files = sorted(path for path in folder.iterdir() if path.name[0] not in "._") if folder.is_dir() else []
    if not files or any(path.suffix == ".parquet" or path.is_dir() for path in files):
        return read_table(source, openers=openers)
    tables = [read_table(path) for path in files]
    columns = tables[0].frame.columns
    for path, table in zip(files, tables, strict=True):
        if set(table.frame.columns) != set(columns):
            raise SourceError(
                f"'{path.name}' has the columns {', '.join(table.frame.columns)}, and '{files[0].name}' has "
                f"{', '.join(columns)}; give the files of a folder the same columns"
            )
    frame = pl.concat([table.frame.select(columns) for table in tables], how="vertical_relaxed")
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    joined = f"joined {len(files)} files of '{folder.name}'; rows are counted through all, in the order of their names"
    return Table(frame, np.arange(1, frame.height + 1), str(source), tables[0].format, notes=(joined, *notes))


def _observed(target: Table, options: PanelOptions) -> tuple[Observations, pl.DataFrame, tuple[str, ...]]:
    require(target, options.time, "of time stamps")
    require(target, options.target, "to forecast")
    if options.keys:
        labels, codes = numbered(labels_of(target, options.keys))
    else:
        labels, codes = pl.DataFrame({"item_id": [options.target]}), np.zeros(target.frame.height, np.int64)
    seconds, other, notes = read_moments(
        target, options.time, time_zone=options.time_zone, date_format=options.date_format
    )
    if other is not None:
        changed = swapped(target, options.time, other)
        if regularity(changed.astype("datetime64[s]"), codes) > regularity(seconds.astype("datetime64[s]"), codes):
            seconds = changed
    values, more = read_numbers(target, options.target)
    if np.isnan(values).all():
        raise TargetError(f"column '{options.target}' has no value at all; name the column to forecast")
    return Observations(codes, seconds, values, target.rows).sorted(), labels, (*notes, *more)


def _frequency(observed: Observations, labels: pl.DataFrame, options: PanelOptions, findings: list[str]) -> Frequency:
    findings += check_steps(observed, labels, options)
    if options.frequency is None:
        return infer_frequency(observed.times, observed.codes)
    if options.keep_boundaries:
        return options.frequency
    return aligned(options.frequency, observed.times, observed.codes)


def _whole_periods(
    observed: Observations, frequency: Frequency, options: PanelOptions, findings: list[str]
) -> Observations:
    """Leave out the last period where it has only begun: the sum of a part of it would look like a fall."""
    filling = options.filling.get(options.target) or _OPEN
    if filling.aggregation is not None:
        return observed
    last = observed.times.max(keepdims=True)
    steps = np.diff(observed.seconds)[(np.diff(observed.codes) == 0) & (np.diff(observed.seconds) > 0)]
    base = infer_frequency(observed.times, observed.codes) if len(steps) else frequency
    period = frequency.ordinals(last)
    following = base.timestamps(base.ordinals(last) + 1)
    if base.days >= frequency.days or frequency.ordinals(following)[0] != period[0]:
        return observed
    kept = frequency.ordinals(observed.times) < period[0]
    if not kept.any():
        return observed
    findings.append(
        f"the last {frequency.title} begins on {when(frequency.timestamps(period))} and has values up to "
        f"{when(last)} only, so it is left out"
    )
    return Observations(observed.codes[kept], observed.seconds[kept], observed.values[kept], observed.rows[kept])


def _panel(
    frequency: Frequency,
    labels: pl.DataFrame,
    start: np.ndarray[Any, np.dtype[np.int64]],
    lengths: np.ndarray[Any, np.dtype[np.int64]],
    values: np.ndarray[Any, np.dtype[np.float64]],
    options: PanelOptions,
) -> Panel:
    return Panel(
        frequency=frequency,
        items=tuple(labels.rows()),
        dimensions=tuple(labels.columns),
        start=start,
        offsets=offsets_of(lengths),
        values=values,
        horizon_known=options.horizon,
    )


def _with_new(panel: Panel, labels: pl.DataFrame, findings: list[str]) -> Panel:
    """Return the panel with items of no history behind the others."""
    if not labels.height:
        return panel
    rows = tuple(labels.select(panel.dimensions).rows())
    findings.append(
        f"{len(rows):,} {'items have' if len(rows) > 1 else 'item has'} no history (first: '{', '.join(rows[0])}') and "
        "will be forecast by what is known of others like them"
    )
    return replace(
        panel,
        items=(*panel.items, *rows),
        start=np.append(panel.start, np.full(len(rows), panel.ends.max())),
        offsets=np.append(panel.offsets, np.full(len(rows), panel.offsets[-1])),
    )


def _labels(panel: Panel) -> pl.DataFrame:
    return pl.DataFrame(list(panel.items), schema=dict.fromkeys(panel.dimensions, pl.String), orient="row")
