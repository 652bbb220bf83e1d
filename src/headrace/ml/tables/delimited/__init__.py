"""Delimited text (CSV, TSV and their like): dialect, header, ragged rows and stray quotes found out and put right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from headrace.ml.errors import ParseError, SourceError
from headrace.ml.tables.delimited.dialect import Dialect
from headrace.ml.tables.delimited.headers import count_header_rows, join_header, name_columns
from headrace.ml.tables.delimited.records import Record, split_records
from headrace.ml.tables.delimited.repair import repair_header, repair_rows
from headrace.ml.tables.delimited.sniffing import sniff
from headrace.ml.tables.delimited.well_formed import read_well_formed
from headrace.ml.tables.table import Table

LOOKED_AT = 100
COMMENTS = ("#", "//", "%")
_REMARK = ("# ", "// ", "% ")


def read_delimited(text: str, source: str, header: bool | None = None) -> Table:
    """Read delimited text as a table of strings.

    `header` says whether there is one; None finds out. Raises `SourceError` where there are no rows, `ParseError` where
    a row cannot be read, `ColumnError` where a name is there twice.
    """
    if not text.strip():
        raise SourceError(f"'{source}' is empty; give a table with a header and at least one row")
    dialect = sniff(text)
    usual = dialect.delimiter == "," and dialect.quote != "'" and not dialect.escape
    notes = () if usual else (dialect.describe(),)
    frame = None if text.startswith(COMMENTS) else read_well_formed(text.encode(), dialect)
    if frame is None:
        return _read_with_care(text, dialect, source, header, notes)
    frame = frame.slice(first_full_row(frame.head(LOOKED_AT).rows()))
    count, header_notes = header_rows(frame.head(LOOKED_AT).rows(), header)
    names = named(frame.head(count).rows(), dialect.width, source)
    frame = frame.slice(count)
    if count and names in map(list, frame.filter(frame.to_series(0) == names[0]).rows()):
        return _read_with_care(text, dialect, source, header, notes)
    return finish(frame, names, source, (*notes, *header_notes))


def _read_with_care(text: str, dialect: Dialect, source: str, header: bool | None, notes: tuple[str, ...]) -> Table:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    records, dropped = without_remarks(list(split_records(text, dialect)), dialect)
    if not records:
        raise SourceError(f"'{source}' has nothing but comments; give a table with a header and at least one row")
    width = dialect.width
    if len(records[0].fields) == width:
        count, header_notes = header_rows([r.fields for r in records if len(r.fields) == width][:LOOKED_AT], header)
        count = min(count, next((i for i, r in enumerate(records) if len(r.fields) != width), count))
        names = named([record.fields for record in records[:count]], width, source)
    else:  # only a damaged header may stand there with another width
        count, header_notes = 1, ("the header had another number of fields than the rows and was put right",)
        names = name_columns(repair_header(records[0], dialect, source), source)
    data = records[count:]
    _refuse_second_table(data, names, source)
    rows, repairs = repair_rows(data, dialect, source)
    columns: Sequence[Sequence[str]] = list(zip(*rows, strict=True)) or [()] * width
    frame = pl.DataFrame([pl.Series(f"column_{i}", column, dtype=pl.String) for i, column in enumerate(columns, 1)])
    return finish(frame, names, source, (*notes, *dropped, *header_notes, *repairs))


def without_remarks(records: list[Record], dialect: Dialect) -> tuple[list[Record], tuple[str, ...]]:
    """Drop lines before the table, comment lines, empty lines at the end, and remarks below the table."""
    notes = []
    width = dialect.width
    head = next((i for i, record in enumerate(records) if not record.text.startswith(_REMARK)), 0)
    named = count_header_rows([r.fields for r in records[head:] if len(r.fields) == width][:LOOKED_AT]) if head else 0
    kept = [r for r in records[head if named else 0 :] if len(r.fields) == width or not r.text.startswith(COMMENTS)]
    if len(kept) < len(records):
        notes.append(f"{len(records) - len(kept):,} comment lines were dropped")
    start = _first_table_row(kept, width)
    if start:
        notes.append(f"{start:,} lines before the table were dropped")
    end = len(kept)
    while end > start + 1 and (_is_filler(kept[end - 1], width) or (width > 2 and _is_remark(kept[end - 1]))):
        end -= 1
    remarks = sum(any(cell.strip() for cell in record.fields) for record in kept[end:])
    if remarks:
        notes.append(f"{remarks:,} lines below the table were dropped")
    return kept[start:end], tuple(notes)


def _is_filler(record: Record, width: int) -> bool:
    """Whether a record is empty; a row of nothing but missing values is one of the table's rows."""
    return len(record.fields) != width and not any(cell.strip() for cell in record.fields)


def _is_remark(record: Record) -> bool:
    return len(record.fields) == 1 and len(record.text.split()) > 2


def _first_table_row(records: Sequence[Record], width: int) -> int:
    """Find the header, or the first row: full width, and more than a title in it; a damaged header is one too."""
    full = [len(record.fields) == width and _is_row(record.fields) for record in records]
    if not any(full):
        return 0
    start = full.index(True)
    if start == 0 or count_header_rows([r.fields for r, good in zip(records, full, strict=True) if good][:LOOKED_AT]):
        return start
    above = records[start - 1]
    return start - 1 if len(above.text.split()) > 1 or len(above.fields) > 1 else start


def _is_row(fields: Sequence[str]) -> bool:
    given = sum(bool(cell.strip()) for cell in fields)
    return given >= max(1, min(2, len(fields) - 1))


def first_full_row(rows: Sequence[Sequence[str]]) -> int:
    """Return where the table begins: the first row with more in it than a title."""
    return next((index for index, row in enumerate(rows) if _is_row(row)), 0)


def header_rows(rows: Sequence[Sequence[str]], header: bool | None) -> tuple[int, tuple[str, ...]]:
    """Return how many of the first rows are the header, and notes on it."""
    if header is False:
        return 0, ()
    found = count_header_rows(rows)
    if found == 0:
        return (1, ()) if header else (0, ("there is no header; columns are named column_1, column_2, …",))
    return found, (f"the header takes {found} rows, which were joined",) if found > 1 else ()


def named(header: Sequence[Sequence[str]], width: int, source: str) -> list[str]:
    """Return the names of the columns by the rows of the header."""
    return name_columns(join_header(header) if header else [""] * width, source)


def _refuse_second_table(records: Sequence[Record], names: Sequence[str], source: str) -> None:
    for number, record in enumerate(records, 1):
        fields = [cell.strip() for cell in record.fields]
        if len(fields) > 1 and fields[0] == names[0] and fields == list(names[: len(fields)]):
            raise ParseError(
                f"row {number:,} (line {record.line:,}) of '{source}' repeats the header, so that a second table seems "
                "to begin there; keep one table a file"
            )


def finish(
    frame: pl.DataFrame,
    names: list[str],
    source: str,
    notes: tuple[str, ...],
    rows: npt.NDArray[np.int64] | None = None,
) -> Table:
    """Name the columns, and drop rows without any value, unless all are; `rows` are their positions, all without it."""
    frame = frame.rename(dict(zip(frame.columns, names, strict=True)))
    rows = np.arange(1, frame.height + 1) if rows is None else rows
    if frame.width > 1 and (frame.to_series(0) == "").any():
        given = frame.select(pl.any_horizontal(pl.all().str.strip_chars() != "")).to_series()
        if given.any() and not given.all():
            frame, rows = frame.filter(given), rows[given.to_numpy()]
            notes = (*notes, f"{given.len() - frame.height:,} rows without any value were dropped")
    if frame.is_empty():
        raise SourceError(f"'{source}' has a header but no rows; give a table with at least one row")
    return Table(frame, rows, source, "csv", notes=notes)
