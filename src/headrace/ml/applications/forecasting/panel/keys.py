"""Which series a row belongs to: its labels, and the number of its item."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.errors import ColumnError, ParseError
from headrace.ml.tables import Table, suggest
from headrace.ml.tables.joining.keys import choose_spelling, key_frame
from headrace.ml.tables.native_values import texts_of
from headrace.ml.tables.number_text import SPACES

Codes = npt.NDArray[np.int64]


def require(table: Table, name: str, told: str) -> None:
    """Raise `ColumnError` where a column is absent; `told` says what it is to hold."""
    if name not in table.frame.columns:
        near = suggest(name, table.frame.columns) or f"; it has {', '.join(table.frame.columns[:10])}"
        raise ColumnError(f"'{table.source}' has no column '{name}' {told}{near}")


def labels_of(table: Table, names: Sequence[str]) -> pl.DataFrame:
    """Return columns of labels as text; raises `ParseError` for a row without one."""
    read = []
    for name in names:
        require(table, name, "of labels")
        text = texts_of(table.frame[name]).str.strip_chars(SPACES)
        empty = (text.is_null() | (text == "")).arg_true()
        if len(empty):
            raise ParseError(
                f"column '{name}' is empty in {len(empty):,} {'rows' if len(empty) > 1 else 'row'} (first: row "
                f"{int(table.rows[empty[0]]):,}); say which series every row belongs to"
            )
        read.append(text)
    return pl.DataFrame(read)


def numbered(labels: pl.DataFrame) -> tuple[pl.DataFrame, Codes]:
    """Return the distinct labels in the order they appear, and the number of each row's, [rows]."""
    distinct = labels.unique(maintain_order=True)
    return distinct, codes_in(distinct, labels)


def codes_in(distinct: pl.DataFrame, labels: pl.DataFrame) -> Codes:
    """Return the row of `distinct` that holds each of `labels`, [rows]; -1 where none does."""
    known = distinct.with_row_index("__code").unique(distinct.columns, keep="first", maintain_order=True)
    joined = labels.join(known, on=distinct.columns, how="left", maintain_order="left", nulls_equal=True)
    return joined["__code"].cast(pl.Int64).fill_null(-1).to_numpy()


def places_in(distinct: pl.DataFrame, wanted: pl.DataFrame, source: str) -> tuple[Codes, tuple[str, ...]]:
    """Return the row of `distinct` that holds each of the labels `wanted`, -1 where none does, and what is notable.

    Labels are compared as the keys of joined tables are (see `choose_spelling`), which raises where none is found.
    """
    ours, theirs, notes = spelled_alike(wanted, distinct, source)
    return codes_in(theirs, ours), notes


def spelled_alike(
    ours: pl.DataFrame, theirs: pl.DataFrame, source: str
) -> tuple[pl.DataFrame, pl.DataFrame, tuple[str, ...]]:
    """Return the labels of two tables in one spelling, and what is notable about that."""
    names = ours.columns
    spelling, notes = choose_spelling(ours, theirs, [(name, name) for name in names], source)
    return key_frame(ours, names, spelling), key_frame(theirs, names, spelling), notes


def shown(labels: Sequence[str]) -> str:
    """Return an item's labels as people read them: 'shirt' or 'shirt, Paris'."""
    return f"'{', '.join(labels)}'"
