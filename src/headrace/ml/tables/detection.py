"""Finding out what a column holds: numbers, dates, labels or free text; used when a model is trained, never to predict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.tables.columns import Column, ColumnKind
from headrace.ml.tables.date_detection import detect_dates, detect_numeric_dates
from headrace.ml.tables.native_values import numbers_of, texts_of
from headrace.ml.tables.number_detection import detect_numbers, find_sentinels
from headrace.ml.tables.number_text import SPACES

MISSING_WORDS = frozenset(
    ["?", "??", "n/a", "na", "n.a.", "#n/a", "#na", "nan", "null", "#null!", "(null)", "<null>", "none", "nil", "-", "--", "–", "—", ".", "<na>", "nat", "missing", "\\n"]
)
"""Spellings, in lower case, that mean no value; `unknown` is a label like any other."""

_SAMPLE = 1000
_FEWEST_TEXTS = 20


def detect_columns(
    frame: pl.DataFrame, rows: npt.NDArray[np.int64] | None = None
) -> tuple[tuple[Column, ...], tuple[str, ...]]:
    """Detect every column of a raw frame; returns the columns, and what is notable about them, a sentence each.

    `rows` are the positions of the rows in the source, for the notes.
    """
    found = [detect_column(series, rows) for series in frame.iter_columns()]
    return tuple(column for column, _ in found), tuple(note for _, notes in found for note in notes)


def detect_column(raw: pl.Series, rows: npt.NDArray[np.int64] | None = None) -> tuple[Column, tuple[str, ...]]:
    """Detect what a raw column holds, from all of its values; returns the column and notes, a sentence each."""
    dtype = raw.dtype
    if dtype in (pl.Date, pl.Datetime):
        return Column(raw.name, ColumnKind.DATE, date_formats=("%Y-%m-%d",)), ()
    if dtype == pl.Boolean:
        return Column(raw.name, ColumnKind.NUMBER), ()
    if dtype != pl.Null and (numbers := numbers_of(raw)) is not None:
        return _numbers(Column(raw.name, ColumnKind.NUMBER), numbers)
    text = texts_of(raw).str.strip_chars(SPACES)
    text = text.set(text == "", None)
    plain = text.cast(pl.Float64, strict=False)
    given = text.len() - text.null_count()
    if given and plain.len() - plain.null_count() == given and not plain.is_nan().any():
        if _is_code(text):
            note = f"column '{raw.name}' holds codes of one length with leading zeros, which are labels and not numbers"
            return Column(raw.name, ColumnKind.CATEGORY), (note,)
        return _numbers(Column(raw.name, ColumnKind.NUMBER), plain)
    return _detect_text(raw.name, text, rows)


def _numbers(column: Column, numbers: pl.Series) -> tuple[Column, tuple[str, ...]]:
    dates = detect_numeric_dates(column.name, numbers)
    if dates:
        note = f"column '{column.name}' holds time stamps written as numbers ({dates[0]})"
        return replace(column, kind=ColumnKind.DATE, date_formats=dates), (note,)
    sentinels = find_sentinels(numbers)
    if not sentinels:
        return column, ()
    spelled = tuple(f"{value:g}" for value, _ in sentinels)
    notes = tuple(
        f"column '{column.name}' has {count:,} values of {value:g}, far from all others, which count as missing"
        for value, count in sentinels
    )
    return replace(column, missing=(*column.missing, *spelled)), notes


def _is_code(text: pl.Series) -> bool:
    """Whether all are digits of one length, at least three, and some begin with a zero (postal codes)."""
    first = text.drop_nulls()
    if not first.str.contains("^0[0-9]{2}").any():
        return False
    lengths = first.str.len_chars()
    return bool((lengths == lengths.max()).mean() > 0.9) and first.str.contains("^[0-9]+$").all()


def _detect_text(name: str, text: pl.Series, rows: npt.NDArray[np.int64] | None) -> tuple[Column, tuple[str, ...]]:
    distinct = text.drop_nulls().unique(maintain_order=True)
    missing = tuple(distinct.filter(distinct.str.to_lowercase().is_in(list(MISSING_WORDS))).to_list())
    notes: tuple[str, ...] = ()
    if missing:
        disguised = text.is_in(missing)
        spelled = ", ".join(repr(token) for token in missing)
        first = _row(rows, disguised.arg_true()[0])
        notes = (
            f"column '{name}' has {disguised.sum():,} values {spelled} (first: row {first:,}) that count as missing",
        )
        text, distinct = text.set(disguised, None), distinct.filter(~distinct.is_in(missing))
    label = Column(name, ColumnKind.CATEGORY, missing=missing)
    if distinct.is_empty():
        return label, notes
    sample = _spread(distinct)
    for detect in (detect_numbers, detect_dates):
        column = detect(label, text, sample)
        if column is None:
            continue
        column, odd_notes = _with_odd_values(column, text, rows)
        if column.kind is ColumnKind.NUMBER:
            from headrace.ml.tables.columns import parse_column

            column, sentinel_notes = _numbers(column, parse_column(text, column)[0])
            odd_notes = (*odd_notes, *sentinel_notes)
        return column, (*notes, *odd_notes)
    if _is_free_text(sample, distinct.len(), text.len() - text.null_count()):
        return replace(label, kind=ColumnKind.TEXT), notes
    return label, notes


def _with_odd_values(
    column: Column, text: pl.Series, rows: npt.NDArray[np.int64] | None
) -> tuple[Column, tuple[str, ...]]:
    """Count the few values that do not read as missing, and say so."""
    from headrace.ml.tables.columns import parse_column

    _, unreadable = parse_column(text, column)
    unreadable &= ~text.str.contains(r"(?i)^[+\-]?inf(inity)?$").fill_null(False)
    if not unreadable.any():
        return column, ()
    odd = text.filter(unreadable).unique(maintain_order=True).to_list()
    first = _row(rows, unreadable.arg_true()[0])
    note = (
        f"column '{column.name}' has {unreadable.sum():,} values that are not {column.kind}s "
        f"(first: {odd[0]!r} in row {first:,}), which count as missing"
    )
    return replace(column, missing=(*column.missing, *odd[:100])), (note,)


def _row(rows: npt.NDArray[np.int64] | None, position: int) -> int:
    return position + 1 if rows is None else int(rows[position])


def _spread(values: pl.Series) -> Sequence[str]:
    """Return the first values and some spread over the rest."""
    if values.len() <= 2 * _SAMPLE:
        return values.to_list()
    spread = np.linspace(_SAMPLE, values.len() - 1, _SAMPLE).astype(np.int64)
    return [*values.head(_SAMPLE).to_list(), *values.gather(spread).to_list()]


def _is_free_text(sample: Sequence[str], distinct: int, given: int) -> bool:
    if distinct < _FEWEST_TEXTS:
        return False
    words = sum(len(value.split()) for value in sample) / len(sample)
    length = sum(map(len, sample)) / len(sample)
    return words >= 8 or length >= 100 or (words >= 3 and distinct >= 0.5 * given)
