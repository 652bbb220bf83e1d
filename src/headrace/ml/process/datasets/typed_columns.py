"""Raw columns typed and parsed: kinds, disguised missing values, unreadable cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from headrace.ml.errors import ColumnError
from headrace.ml.tables.columns import Column, ColumnKind, parse_column
from headrace.ml.tables.detection import detect_column
from headrace.ml.tables.names import suggest
from headrace.ml.tables.native_values import texts_of
from headrace.ml.tables.table import Table

if TYPE_CHECKING:
    from headrace.ml.process.datasets import Dataset


@dataclass(frozen=True)
class Parsed:
    """Typed values, and what was found on the way: column → spelling → cells, column → cells."""

    frame: pl.DataFrame
    disguised: Mapping[str, Mapping[str, int]]
    unreadable: Mapping[str, int]


def type_columns(table: Table, target: str) -> tuple[tuple[Column, ...], dict[str, tuple[str, ...]]]:
    """Detect the kind of every column but the target; returns the columns and column → what is notable about it."""
    found = {s.name: detect_column(s, table.rows) for s in table.frame.iter_columns() if s.name != target}
    return tuple(column for column, _ in found.values()), {name: notes for name, (_, notes) in found.items() if notes}


def parse_table(frame: pl.DataFrame, columns: Sequence[Column]) -> Parsed:
    """Parse the raw values of `columns`; what can't be read, infinities among it, becomes missing and is counted."""
    values: list[pl.Series] = []
    disguised: dict[str, dict[str, int]] = {}
    unreadable: dict[str, int] = {}
    for column in columns:
        raw = frame[column.name]
        parsed, bad = parse_column(raw, column)
        if lost := int(bad.sum()):
            unreadable[column.name] = lost
        if column.missing and (counts := _count_disguised(raw, column)):
            disguised[column.name] = counts
        values.append(parsed.alias(column.name))
    return Parsed(pl.DataFrame(values), disguised, unreadable)


def _count_disguised(raw: pl.Series, column: Column) -> dict[str, int]:
    if raw.dtype.is_numeric():
        numbers = raw.cast(pl.Float64)
        counts = {f"{value:g}": int((numbers == value).sum()) for value in column.sentinels()}
        return {spelling: count for spelling, count in counts.items() if count}
    text = texts_of(raw).str.strip_chars().alias("spelling")
    found = (
        text.filter(text.is_in(list(column.missing))).value_counts().sort("count", "spelling", descending=[True, False])
    )
    return dict(zip(found["spelling"].to_list(), found["count"].to_list(), strict=True))


def require_same_columns(test: Table, dataset: Dataset, target: str) -> tuple[str, ...]:
    """Check that the test table has every feature column; returns a note about those it has beside them."""
    names = test.frame.columns
    missing = [column.name for column in dataset.columns if column.name not in names]
    if missing:
        raise ColumnError(
            f"the test table lacks {len(missing)} of the {len(dataset.columns)} columns to learn from "
            f"({_few(missing)}); add them, or pass --exclude for each{suggest(missing[0], names)}"
        )
    known = {column.name for column in dataset.columns} | set(dataset.excluded) | {target}
    if extra := [name for name in names if name not in known]:
        return (
            f"the test table has {len(extra)} columns that the training table lacks ({_few(extra)}); they are not used",
        )
    return ()


def require_readable(parsed: Parsed, columns: Sequence[Column]) -> None:
    """Check that the test table's columns are of the same kinds; raises `ColumnError` where most values don't read."""
    for column in columns:
        lost = parsed.unreadable.get(column.name, 0)
        if column.kind in (ColumnKind.NUMBER, ColumnKind.DATE) and lost > parsed.frame.height / 2:
            raise ColumnError(
                f"column '{column.name}' of the test table has {lost:,} values that are not {column.kind}s, "
                "as they are in the training table; correct the column or exclude it with --exclude"
            )


def _few(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:5]) + (" …" if len(names) > 5 else "")
