"""Finding out what a column holds: numbers, dates, labels or free text; for training, never for prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.tables.columns import Column, ColumnKind, parse_column
from headrace.ml.tables.date_detection import detect_dates, detect_numeric_dates
from headrace.ml.tables.native_values import numbers_of, texts_of
from headrace.ml.tables.number_detection import detect_numbers, find_sentinels
from headrace.ml.tables.number_text import SPACES
from headrace.ml.tables.pictures import choose_shape, is_picture

MISSING_WORDS = frozenset({"?", "??", "n/a", "na", "n.a.", "#n/a", "#na", "nan", "null", "#null!", "(null)", "<null>"})
MISSING_WORDS |= {"<na>", "nat", "nil", "-", "--", "\u2013", "\u2014", ".", "missing", "\\n", "none"}
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
    if (found := _detect_pictures(raw)) is not None:
        return found
    if dtype == pl.Binary:
        return Column(raw.name, ColumnKind.TEXT), (f"column '{raw.name}' holds bytes, such as pictures, and not text",)
    if dtype == pl.String and not (plain := raw.cast(pl.Float64, strict=False)).has_nulls() and plain.is_finite().all():
        return _plain_numbers(raw, plain)
    text = texts_of(raw).str.strip_chars(SPACES)
    text = text.set(text == "", None)
    plain = text.cast(pl.Float64, strict=False)
    given = text.len() - text.null_count()
    if given and plain.len() - plain.null_count() == given and plain.is_finite().all():
        return _plain_numbers(text, plain)
    return _detect_text(raw.name, text, rows)


def _detect_pictures(raw: pl.Series) -> tuple[Column, tuple[str, ...]] | None:
    """Look for encoded pictures: bytes, or as some Parquet files have it structs with a field `bytes`."""
    if raw.dtype == pl.Struct and "bytes" in (names := [field.name for field in raw.dtype.fields]) and len(names) < 3:  # type: ignore[attr-defined]
        raw = raw.struct.field("bytes").alias(raw.name)
    if raw.dtype != pl.Binary or not raw.drop_nulls().head(_SAMPLE).map_elements(is_picture, pl.Boolean).any():
        return None
    given = raw.drop_nulls().to_list()
    column = Column(raw.name, ColumnKind.PICTURE, shape=choose_shape(given))
    height, width, channels = column.shape
    colours = "grey" if channels == 1 else "in colour"
    note = f"column '{raw.name}' holds {len(given):,} pictures, brought to {width} × {height} pixels, {colours}"
    return column, (note,)


def _plain_numbers(text: pl.Series, numbers: pl.Series) -> tuple[Column, tuple[str, ...]]:
    if _is_code(text):
        note = f"column '{text.name}' holds codes of one length with leading zeros, which are labels and not numbers"
        return Column(text.name, ColumnKind.CATEGORY), (note,)
    return _numbers(Column(text.name, ColumnKind.NUMBER), numbers)


def _numbers(column: Column, numbers: pl.Series) -> tuple[Column, tuple[str, ...]]:
    dates = detect_numeric_dates(column.name, numbers)
    if dates:
        note = f"column '{column.name}' holds time stamps written as numbers ({dates[0]})"
        return replace(column, kind=ColumnKind.DATE, date_formats=dates), (note,)
    sentinels = find_sentinels(numbers)
    if not sentinels:
        return column, ()
    spelled = tuple(f"{value:g}".replace(".", column.decimal) for value, _ in sentinels)
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
    usual = (lengths == lengths.max()).sum() > 0.9 * lengths.len()
    return usual and first.str.contains("^[0-9]+$").all()


def _detect_text(name: str, text: pl.Series, rows: npt.NDArray[np.int64] | None) -> tuple[Column, tuple[str, ...]]:
    distinct = text.drop_nulls().unique(maintain_order=True)
    missing = tuple(distinct.filter(distinct.str.to_lowercase().is_in(list(MISSING_WORDS))).to_list())
    label = Column(name, ColumnKind.CATEGORY, missing=missing)
    values, sample = text, _spread(distinct)
    if missing:
        values = text.set(text.is_in(missing), None)
        sample = _spread(distinct.filter(~distinct.is_in(missing)))
    for detect in (detect_numbers, detect_dates) if sample else ():
        column = detect(label, values, sample)
        if column is not None:
            column, notes = _with_odd_values(column, values, rows)
            if column.kind is ColumnKind.NUMBER:
                column, sentinel_notes = _numbers(column, parse_column(values, column)[0])
                notes = (*notes, *sentinel_notes)
            return column, (*_disguised(name, text, missing, rows), *notes)
    if sample and distinct.len() > len(missing):  # a label may well say none, as long as no program wrote it
        label = replace(label, missing=tuple(word for word in missing if word == "None" or word.lower() != "none"))
    notes = _disguised(name, text, label.missing, rows)
    if sample and _is_free_text(sample, distinct.len(), values.len() - values.null_count()):
        return replace(label, kind=ColumnKind.TEXT, words=True), notes
    return label, notes


def _disguised(
    name: str, text: pl.Series, missing: tuple[str, ...], rows: npt.NDArray[np.int64] | None
) -> tuple[str, ...]:
    if not missing:
        return ()
    found = text.is_in(missing)
    spelled, first = ", ".join(repr(token) for token in missing), _row(rows, found.arg_true()[0])
    return (f"column '{name}' has {found.sum():,} values {spelled} (first: row {first:,}) that count as missing",)


def _with_odd_values(
    column: Column, text: pl.Series, rows: npt.NDArray[np.int64] | None
) -> tuple[Column, tuple[str, ...]]:
    """Count the few values that do not read as missing, and say so."""
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
