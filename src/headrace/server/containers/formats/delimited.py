"""CSV without a header: labels first, then weights, then features; an empty value is missing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import numpy as np

from headrace.server.containers.contract import ClientError, Floats, Rows
from headrace.server.containers.formats.soundness import Source, float32, shown, sound

LARGE = 32 * 1024
BLANK_LINE = re.compile(rb"^[ \r]*\n", re.MULTILINE)


def read_csv(data: bytes, source: Source, *, label_size: int = 0, weighted: bool = False) -> Rows:
    """Return the rows of complete lines of CSV, the first `label_size` columns as labels, the next as weights.

    The delimiter is the comma, or the first of `; TAB | space` in the first line that has no comma.
    Raises ClientError naming the file, line and value where a value is no number or a line has another length.
    """
    data = data.removeprefix(b"\xef\xbb\xbf") if source.lines == 0 else data
    first = data.lstrip(b" \r\n")
    first = first[: (first + b"\n").index(b"\n")]
    if not first:
        raise ClientError(f"There are no rows in {source}.")
    delimiter = _delimiter(first)
    columns = first.count(delimiter) + 1
    if columns <= label_size + weighted:
        raise ClientError(
            f"Rows of {source} have {columns} columns, which leaves no feature beside "
            f"{label_size} of labels{' and 1 of weights' if weighted else ''}."
        )
    table = _read_large(data, delimiter, columns) if len(data) > LARGE else None
    if table is None:
        table = _read_carefully(data, delimiter, columns, source)
    labels = table[:, 0] if label_size == 1 else table[:, :label_size] if label_size else None
    rows = Rows(
        np.ascontiguousarray(table[:, label_size + weighted :]),
        None if labels is None else labels.copy(),
        table[:, label_size].copy() if weighted else None,
    )
    return sound(rows, source)


def _delimiter(line: bytes) -> bytes:
    line = line.strip(b" \r")
    return next((mark for mark in (b",", b";", b"\t", b"|", b" ") if mark in line), b",")


def _read_large(data: bytes, delimiter: bytes, columns: int) -> Floats | None:
    """Return [rows, columns] read by polars, or None where only a careful look can tell what the text means."""
    import polars

    if b'"' in data or delimiter == b" ":
        return None
    if b"\n\n" in data or b"\n\r\n" in data or data[:1] in b"\r\n":
        data = BLANK_LINE.sub(b"", data)
    try:
        table = polars.read_csv(
            data,
            has_header=False,
            separator=delimiter.decode(),
            quote_char=None,
            schema={f"column_{number}": polars.Float32 for number in range(columns)},
        )
    except polars.exceptions.PolarsError:
        return None
    if data.count(delimiter) != len(table) * (columns - 1):
        return None
    values = table.to_numpy(order="c")
    return values if values.flags.writeable else values.copy()


def _read_carefully(data: bytes, delimiter: bytes, columns: int, source: Source) -> Floats:
    numbers: list[list[float]] = []
    for line, fields in _lines(data, delimiter):
        if len(fields) != columns:
            raise ClientError(
                f"Line {source.lines + line + 1} of {source} has {len(fields)} columns, and the first line has "
                f"{columns}; every line needs the same number."
            )
        try:
            numbers.append([float(field) for field in fields])
        except ValueError:
            numbers.append([_number(field, fields, (line, place), source) for place, field in enumerate(fields)])
    if b"_" in data:
        _refuse_underscores(data, delimiter, source)
    return float32(numbers)


def _lines(data: bytes, delimiter: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Yield each line that is not blank with its number from 0, cut into fields."""
    if b'"' not in data:
        for number, line in enumerate(data.split(b"\n")):
            if line.strip(b" \r"):
                yield number, line.strip(b" \r").split() if delimiter == b" " else line.split(delimiter)
        return
    text = io.StringIO(data.decode("latin-1"), newline="")
    reader = csv.reader(text, delimiter=delimiter.decode(), strict=True)
    start = 0
    try:
        for fields in reader:
            if len(fields) > 1 or any(field.strip() for field in fields):
                yield start, [field.encode("latin-1") for field in fields]
            start = reader.line_num
    except csv.Error as error:
        raise ClientError(f"Unable to parse csv: the quotes in line {start + 1} are not closed ({error}).") from error


def _number(field: bytes, fields: list[bytes], place: tuple[int, int], source: Source) -> float:
    text = field.strip()
    try:
        return float(text) if text else float("nan")
    except ValueError:
        raise _not_a_number(text, fields, place, source) from None


def _not_a_number(text: bytes, fields: list[bytes], place: tuple[int, int], source: Source) -> ClientError:
    line, column = place[0] + source.lines, place[1]
    if line == 0:
        header = shown(b",".join(fields[:12]))
        return ClientError(
            f"Non-numeric value '{shown(text)}' found in the header line '{header}' of {source}. CSV format requires "
            "no header line in it; if the header line is already removed, every value has to be a number."
        )
    return ClientError(
        f"Non-numeric value '{shown(text)}' found in line {line + 1}, column {column + 1} of {source}; every value "
        "has to be a number, and an empty one is missing."
    )


def _refuse_underscores(data: bytes, delimiter: bytes, source: Source) -> None:
    for line, fields in _lines(data, delimiter):
        for column, field in enumerate(fields):
            if b"_" in field:
                raise _not_a_number(field.strip(), fields, (line, column), source)
