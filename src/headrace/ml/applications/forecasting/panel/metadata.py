"""What is known of the items: a table with a row an item, and items that have no history yet."""

from __future__ import annotations

import numpy as np
import polars as pl

from headrace.ml.applications.forecasting.panel.keys import Codes, codes_in, labels_of, places_in, spelled_alike
from headrace.ml.applications.forecasting.panel.panel import Metadata
from headrace.ml.applications.forecasting.panel.values import read_numbers
from headrace.ml.errors import OptionError
from headrace.ml.tables import ColumnKind, Table, detect_column, parse_column


def read_metadata(table: Table, item: str | None, items: pl.DataFrame) -> tuple[dict[str, Metadata], tuple[str, ...]]:
    """Return each column beside `item` as values of `items` (their labels), and what is notable.

    Numbers are NaN, and labels None, where an item has none. Of an item with several rows the first counts.
    """
    rows, notes = _rows_of(table, item, items)
    made: dict[str, Metadata] = {}
    missing = rows < 0
    for name in table.frame.columns:
        if name == item:
            continue
        column, _ = detect_column(table.frame[name], table.rows)
        if column.kind is ColumnKind.NUMBER:
            values, more = read_numbers(table, name)
            notes = (*notes, *more)
            made[name] = np.where(missing, np.nan, values[rows])
            continue
        if column.kind is ColumnKind.DATE:
            seconds = parse_column(table.frame[name], column)[0].to_numpy().astype(np.float64)
            made[name] = np.where(missing, np.nan, seconds[rows])
            continue
        if column.kind is ColumnKind.PICTURE:
            continue
        text = parse_column(table.frame[name], column)[0].to_list()
        made[name] = tuple(None if row < 0 else text[row] or None for row in rows.tolist())
    return made, notes


def _rows_of(table: Table, item: str | None, items: pl.DataFrame) -> tuple[Codes, tuple[str, ...]]:
    if item is None:
        raise OptionError(f"'{table.source}' tells of items, but no column of items is named")
    labels = labels_of(table, [item])
    distinct = labels.unique(maintain_order=True)
    notes: tuple[str, ...] = ()
    if distinct.height < labels.height:
        again = labels[item].is_first_distinct().not_().arg_true()[0]
        extra = labels.height - distinct.height
        notes = (
            f"'{table.source}' has {extra:,} more {'rows' if extra > 1 else 'row'} of items that it had (first: row "
            f"{int(table.rows[again]):,}, '{labels[item][again]}'); the first of each counts",
        )
    firsts = labels[item].is_first_distinct().arg_true().to_numpy().astype(np.int64)
    found, more = places_in(distinct, items.select(item), table.source)
    notes = (*notes, *more)
    unknown = int((found < 0).sum())
    if unknown:
        name = items[item][int(np.flatnonzero(found < 0)[0])]
        notes = (
            *notes,
            f"'{table.source}' has no row of {unknown:,} {'items' if unknown > 1 else 'item'} (first: '{name}')",
        )
    return np.where(found < 0, -1, firsts[found]), notes


def new_items(table: Table, keys: tuple[str, ...], known: pl.DataFrame, related: Table | None) -> pl.DataFrame:
    """Return the labels of items that have a row of metadata and no history.

    Of several dimensions, the combinations are those that a new item has in `related`, else all that the others have.
    """
    item, dimensions = keys[0], list(keys[1:])
    labels = labels_of(table, [item]).unique(maintain_order=True)
    ours, theirs, _ = spelled_alike(known.select(item).unique(maintain_order=True), labels, table.source)
    new = labels.filter(pl.Series(codes_in(ours, theirs) < 0))
    if not dimensions or not new.height:
        return new
    if related is not None and set(keys) <= set(related.frame.columns):
        rows = labels_of(related, keys).unique(maintain_order=True)
        listed = rows.join(new, on=item, how="semi", maintain_order="left")
        new = new.join(listed.select(item), on=item, how="anti", maintain_order="left")
    else:
        listed = known.clear()
    combined = new.join(known.select(dimensions).unique(maintain_order=True), how="cross")
    return pl.concat([listed.select(keys), combined.select(keys)])
