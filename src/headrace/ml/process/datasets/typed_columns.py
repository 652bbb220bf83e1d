"""Raw columns typed and parsed: kinds, disguised missing values, unreadable cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from headrace.ml.errors import ColumnError
from headrace.ml.tables.columns import Column, parse_column
from headrace.ml.tables.detection import detect_columns
from headrace.ml.tables.names import suggest
from headrace.ml.tables.table import Table

if TYPE_CHECKING:
    from headrace.ml.process.datasets import Dataset


@dataclass(frozen=True)
class Parsed:
    """Typed values, and what was found on the way: column → spelling → cells, column → cells."""

    frame: pl.DataFrame
    disguised: Mapping[str, Mapping[str, int]]
    unreadable: Mapping[str, int]


def type_columns(frame: pl.DataFrame) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """Detect the kind of every column; returns the columns and what had to be worked out, a sentence each."""
    return detect_columns(frame)


def parse_table(frame: pl.DataFrame, columns: Sequence[Column]) -> Parsed:
    """Parse the raw values of `columns`; infinities become missing and count as unreadable."""
    values: list[pl.Series] = []
    disguised: dict[str, dict[str, int]] = {}
    unreadable: dict[str, int] = {}
    for column in columns:
        raw = frame[column.name]
        parsed, bad = parse_column(raw, column)
        lost = int(bad.sum())
        if parsed.dtype == pl.Float64:
            finite = parsed.is_finite().fill_null(False)
            lost += int((parsed.is_infinite().fill_null(False) & ~bad).sum())
            parsed = parsed.set(~finite, None) if not finite.all() else parsed
        if lost:
            unreadable[column.name] = lost
        if column.missing and (counts := _count_spellings(raw, column)):
            disguised[column.name] = counts
        values.append(parsed.alias(column.name))
    return Parsed(pl.DataFrame(values), disguised, unreadable)


def _count_spellings(raw: pl.Series, column: Column) -> dict[str, int]:
    text = raw.cast(pl.String).str.strip_chars()
    counts = text.filter(text.is_in(list(column.missing))).value_counts(sort=True)
    return dict(zip(counts[raw.name].to_list(), counts["count"].to_list(), strict=True))


def require_same_columns(test: Table, dataset: Dataset, target: str) -> tuple[str, ...]:
    """Check that the test table has every feature column; returns a note about those it has beside them."""
    names = test.frame.columns
    missing = [column.name for column in dataset.columns if column.name not in names]
    if missing:
        few = ", ".join(f"'{name}'" for name in missing[:5]) + (" …" if len(missing) > 5 else "")
        raise ColumnError(
            f"the test table lacks {len(missing)} of the {len(dataset.columns)} columns to learn from ({few})"
            f"{suggest(missing[0], names)}; add them, or pass --exclude for each"
        )
    known = {column.name for column in dataset.columns} | set(dataset.excluded) | {target}
    if extra := [name for name in names if name not in known]:
        few = ", ".join(f"'{name}'" for name in extra[:5]) + (" …" if len(extra) > 5 else "")
        return (f"the test table has {len(extra)} columns that the training table lacks ({few}); they are not used",)
    return ()
