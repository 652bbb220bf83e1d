"""Rows with too few or too many fields: put right where there is one way to do it, else refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from headrace.ml.errors import ParseError
from headrace.ml.tables.delimited.dialect import DELIMITERS, Dialect
from headrace.ml.tables.delimited.headers import shape
from headrace.ml.tables.delimited.records import Record, split_line

_SHAPES_OF_FREE_TEXT = 12
_PROFILED_CELLS = 100_000
_LEAST_ROWS = 20
_WIDEST = 1000  # wider rows are only cut or filled up at their end: trying every place would take too long


@dataclass
class Repairs:
    """How often each repair was made, and in which row first."""

    first: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, row: int) -> None:
        """Count one repair."""
        self.first.setdefault(kind, row)
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def notes(self) -> tuple[str, ...]:
        """Say what was repaired, a sentence each."""
        return tuple(f"{count:,} rows {kind} (first: row {self.first[kind]:,})" for kind, count in self.counts.items())


class Profile:
    """What the fields of each column look like in rows of the right width."""

    def __init__(self, rows: Sequence[Sequence[str]], width: int) -> None:
        self.shapes: list[set[str]] = [set() for _ in range(width)]
        rows = rows[: max(_LEAST_ROWS, _PROFILED_CELLS // width)]
        for row in rows:
            for index, cell in enumerate(row):
                if len(self.shapes[index]) <= _SHAPES_OF_FREE_TEXT:
                    self.shapes[index].add(shape(cell))
        self.empties = {index for index in range(width) if any(not row[index].strip() for row in rows)}

    def fits(self, fields: Sequence[str]) -> bool:
        """Whether each field looks like others of its column."""
        return all(self.fits_column(index, cell) for index, cell in enumerate(fields))

    def fits_column(self, index: int, cell: str) -> bool:
        """Whether a field looks like others of column `index`."""
        if not cell.strip():
            return index in self.empties
        return self.is_text(index) or shape(cell) in self.shapes[index]

    def is_text(self, index: int) -> bool:
        """Whether a column's fields have too many shapes to tell anything."""
        return len(self.shapes[index]) > _SHAPES_OF_FREE_TEXT


def repair_rows(
    records: Sequence[Record], dialect: Dialect, source: str, *, first: int = 1
) -> tuple[list[list[str]], tuple[str, ...]]:
    """Bring every record to the dialect's width; returns the rows, and notes on what was repaired.

    `first` is the number of the first of them.

    Raises `ParseError` with the number of the row (1-based among the data) and its line where that is ambiguous.
    """
    width = dialect.width
    if all(len(record.fields) == width for record in records):
        return [record.fields for record in records], ()
    profile = Profile([record.fields for record in records if len(record.fields) == width], width)
    repairs = Repairs()
    rows = []
    for number, record in enumerate(records, first):
        fields = record.fields
        if len(fields) != width:
            kind, fields = _repair(record, dialect, profile, number, source)
            repairs.add(kind, number)
        rows.append(fields)
    return rows, repairs.notes()


def _repair(record: Record, dialect: Dialect, profile: Profile, number: int, source: str) -> tuple[str, list[str]]:
    ways = list(_ways(record, dialect, profile))
    if ways:
        kind = ways[0][0]
        distinct = {tuple(fields) for way, fields in ways if way == kind}
        if len(distinct) == 1:
            return kind, ways[0][1]
    found, width = len(record.fields), dialect.width
    raise ParseError(
        f"row {number:,} (line {record.line:,}) of '{source}' has {found} {'field' if found == 1 else 'fields'} where "
        f"the others have {width}, and there is no one way to put it right; correct that line"
    )


def _ways(record: Record, dialect: Dialect, profile: Profile) -> Iterator[tuple[str, list[str]]]:
    """Yield the ways to repair a record, the most convincing kind first."""
    fields, width = record.fields, dialect.width
    for delimiter in DELIMITERS:
        if delimiter != dialect.delimiter and record.text.count(delimiter) >= width - 1:
            other = split_line(record.text, replace(dialect, delimiter=delimiter, skip_spaces=False))
            if len(other) == width and profile.fits(other):
                yield f"were split at '{delimiter}' instead of '{dialect.delimiter}'", other
    if len(fields) < width:
        if profile.fits(fields):
            yield "were short and filled up with missing values", fields + [""] * (width - len(fields))
        return
    if not any(cell.strip() for cell in fields[width:]) and profile.fits(fields[:width]):
        yield "had empty fields too many at their end, which were dropped", fields[:width]
    excess = len(fields) - width
    if width > _WIDEST:
        return
    for index in range(width + 1):
        surplus, kept = fields[index : index + excess], fields[:index] + fields[index + excess :]
        if not any(cell.strip() for cell in surplus) and profile.fits(kept):
            yield "had a separator too many, which was dropped", kept
    for index in range(width):
        whole = dialect.delimiter.join(fields[index : index + excess + 1])
        joined = [*fields[:index], whole, *fields[index + excess + 1 :]]
        if profile.is_text(index) and profile.fits(joined):
            yield "had an unquoted separator inside a text, which was kept", joined


def repair_header(record: Record, dialect: Dialect, source: str) -> list[str]:
    """Bring a header to the dialect's width: another separator, or an empty name too many; else raise `ParseError`."""
    fields, width = record.fields, dialect.width
    others = [split_line(record.text, replace(dialect, delimiter=other, skip_spaces=False)) for other in DELIMITERS]
    for candidate in [*others, [name for name in fields if name.strip()]]:
        if len(candidate) == width and all(name.strip() for name in candidate):
            return candidate
    if len(fields) > width and not any(name.strip() for name in fields[width:]):
        return fields[:width]
    raise ParseError(
        f"the header of '{source}' (line {record.line:,}) has {len(fields)} {'name' if len(fields) == 1 else 'names'} "
        f"but its rows have {width} fields; correct that line, or read it without header"
    )
