"""Requests with raw rows: numbers, labels, texts and dates by the names or in the order of the table's columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.server.containers.contract import ClientError
from headrace.server.containers.formats.arrays import read_npy
from headrace.server.containers.formats.media_types import CSV, JSON, JSON_LINES, NPY, PARQUET, MediaType, among
from headrace.server.containers.formats.soundness import Source

REQUEST_TYPES = (CSV, JSON, JSON_LINES, PARQUET, NPY)
REQUEST = Source()
MOST_CELLS = 32_000_000
"""What a Parquet file of a request may unfold into."""

Frame = dict[str, Any] | Any
"""One row by its columns' names, or many as the model takes them: a dict of lists, or a polars frame."""


@dataclass(frozen=True)
class Columns:
    """The columns that the model reads, those of the table that it was trained on without its target, and the target.

    `table` is empty where the model does not tell; both are in the table's order.
    """

    inputs: tuple[str, ...]
    table: tuple[str, ...]
    target: str

    @property
    def names(self) -> frozenset[str]:
        """Every name that a header may have."""
        return frozenset((*self.inputs, *self.table, self.target))

    def of_width(self, width: int, row: int = 0) -> tuple[str, ...]:
        """Return the names of a row's values by their number: all of the table's columns, or those that are read."""
        for names in (self.table, self.inputs):
            if width == len(names):
                return names
        widths = " or ".join(str(width) for width in dict.fromkeys(len(n) for n in (self.table, self.inputs) if n))
        shown = ", ".join((self.table or self.inputs)[:12])
        raise ClientError(
            f"Row {row + 1} of the request has {width} values, and the model takes {widths} ({shown}"
            f"{', ...' if len(self.table or self.inputs) > 12 else ''}); give those, or name the columns."
        )


def read_frame(body: bytes, content_type: str, columns: Columns) -> Frame:
    """Return the rows of a request.

    Raises ClientError on a body that is empty or cannot be read, or whose rows have a wrong number of values;
    UnsupportedContentType on a content type that is none of REQUEST_TYPES.
    """
    media = among(content_type or CSV, REQUEST_TYPES)
    if not body.strip():
        raise ClientError("The body of the request is empty.")
    if media.name == CSV:
        return _read_csv(body, media, columns)
    if media.name == JSON:
        return _read_document(_parsed(body, "the request"), columns)
    if media.name == JSON_LINES:
        lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
        return _read_items([_parsed(line, f"line {number} of the request") for number, line in lines], columns)
    if media.name == PARQUET:
        return _read_parquet(body)
    values = read_npy(body, REQUEST).features
    return _by_name(values.tolist(), columns.of_width(values.shape[1]))


def _read_csv(body: bytes, media: MediaType, columns: Columns) -> Frame:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ClientError(f"The CSV of the request is not UTF-8 (byte {error.start + 1}); encode it so.") from None
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise ClientError(f"Unable to parse the CSV of the request: {error}.") from None
    header = media.parameters.get("header")
    named = sum(field.strip() in columns.names for field in rows[0]) * 2 > len(rows[0])
    if header == "present" or (header != "absent" and named):
        names: Sequence[str] = [field.strip() for field in rows.pop(0)]
        _refuse_doubles(names)
        if not rows:
            raise ClientError("The request has a header and no rows; give at least one.")
    else:
        names = columns.of_width(len(rows[0]))
    return _by_name(rows, names)


def _by_name(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> Frame:
    """Return rows of values by the names of their columns: one as a dict of values, many as one of lists."""
    for number, row in enumerate(rows, 1):
        if len(row) != len(names):
            raise ClientError(
                f"Row {number} of the request has {len(row)} values, and there are {len(names)} columns "
                f"({', '.join(names[:12])}{', ...' if len(names) > 12 else ''}); every row needs one for each."
            )
    if len(rows) == 1:
        return dict(zip(names, rows[0], strict=True))
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def _parsed(text: bytes, where: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ClientError(f"The JSON of {where} is nested too deeply.") from None
    except ValueError as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is no UTF-8, or has an endless number"
        raise ClientError(f"Unable to parse the JSON of {where}: {reason}.") from None


def _read_document(document: Any, columns: Columns) -> Frame:
    """Read `{"instances": [...]}`, a list of items, one item, or columns as lists: `{"age": [31, 40], ...}`."""
    if isinstance(document, dict) and isinstance(document.get("instances"), list) and "instances" not in columns.names:
        document = document["instances"]
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
        if not lists or "features" in document.keys() - columns.names:
            return _read_items([document], columns)
        lengths = {len(value) for value in lists}
        if len(lists) != len(document) or len(lengths) != 1 or lengths == {0}:
            raise ClientError("A JSON request of columns needs a list of values for each, all of one length.")
        return _by_name(list(zip(*document.values(), strict=True)), list(document))
    if not isinstance(document, list):
        raise ClientError('A JSON request needs rows, such as {"instances": [{"age": 31, "city": "Bern"}]}.')
    if document and not any(isinstance(item, dict | list) for item in document):
        return _read_items([document], columns)
    return _read_items(document, columns)


def _read_items(items: Sequence[Any], columns: Columns) -> Frame:
    """Read rows that are dicts of values by column, or lists of values, which may be under "features"."""
    if not items:
        raise ClientError("There are no rows in the request.")
    rows = [_row(item, number, columns) for number, item in enumerate(items)]
    if len(rows) == 1:
        return rows[0]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _row(item: Any, number: int, columns: Columns) -> dict[str, Any]:
    if isinstance(item, Mapping) and "features" in item.keys() - columns.names:
        item = item["features"]
    if isinstance(item, list):
        item = dict(zip(columns.of_width(len(item), number), item, strict=True))
    if not isinstance(item, dict):
        raise REQUEST.error(number, 'is no row: give {"column": value, ...}, or a list of the values')
    nested = next((name for name, value in item.items() if isinstance(value, list | dict)), None)
    if nested is not None:
        raise REQUEST.error(number, f"has in column '{nested[:50]}' a list or an object; give one value")
    return item


def _read_parquet(body: bytes) -> Any:
    import polars

    try:
        table = polars.scan_parquet(io.BytesIO(body))
        width = len(table.collect_schema())
        rows = int(table.select(polars.len()).collect().item())
        if rows * width > MOST_CELLS:
            raise ClientError(
                f"The Parquet file of the request unfolds into {rows} rows of {width} values; give fewer at a time."
            )
        frame = table.collect()
    except (polars.exceptions.PolarsError, polars.exceptions.PanicException, OSError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise ClientError(f"Failed to load the Parquet data of the request: {reason}.") from None
    if frame.is_empty():
        raise ClientError("There are no rows in the request.")
    return frame


def _refuse_doubles(names: Sequence[str]) -> None:
    double = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if double is not None:
        raise ClientError(f"The header of the request has the column '{double[:50]}' twice; name each once.")
