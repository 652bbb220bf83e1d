"""JSON: a list of objects, a mapping of columns, or an object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from headrace.ml.errors import ParseError, SourceError
from headrace.ml.tables.frames import frame_from_columns, frame_from_records
from headrace.ml.tables.table import Table


def looks_like_json(text: str) -> bool:
    """Whether text begins as JSON does, rather than as a delimited table with brackets in it."""
    start = text.lstrip()[:200]
    if start[:1] == "{":
        return start[1:].lstrip()[:1] in ('"', "}")
    return start[:1] == "[" and start[1:].lstrip()[:1] in ("{", "[", "]", '"')


def read_json(text: str, source: str) -> Table:
    """Read JSON or JSON Lines; nested objects become columns named `outer.inner`.

    Raises `ParseError` with the line where it does not parse, `SourceError` where it is no table.
    """
    try:
        content = json.loads(text)
    except RecursionError:
        raise SourceError(f"'{source}' is nested too deep to be a table; give a list of objects") from None
    except json.JSONDecodeError as error:
        if not text.lstrip().startswith("{") or text.strip().count("\n") == 0:
            where = f"line {error.lineno:,}, column {error.colno:,}"
            raise ParseError(
                f"'{source}' is not valid JSON at {where}: {error.msg.lower()}; correct it there"
            ) from None
        return _table(frame_from_records(_flat_records(_read_lines(text, source))), source, "json lines")
    if isinstance(content, dict) and (name := _only_records(content)):
        return _table(
            frame_from_records(_flat_records(content[name])), source, "json", f"the rows were found under '{name}'"
        )
    return _table(_frame(content, source), source, "json")


def _table(frame: pl.DataFrame, source: str, kind: str, *notes: str) -> Table:
    if frame.is_empty():
        raise SourceError(f"'{source}' has no rows; give at least one")
    return Table(frame, np.arange(1, frame.height + 1), source, kind, notes=notes)


def _read_lines(text: str, source: str) -> list[dict[str, Any]]:
    records = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (json.JSONDecodeError, RecursionError):
            raise ParseError(f"line {number:,} of '{source}' is not valid JSON; correct that line") from None
        if not isinstance(record, dict):
            raise ParseError(f"line {number:,} of '{source}' is not a JSON object; give an object a line")
        records.append(record)
    return records


def _only_records(content: dict[str, Any]) -> str | None:
    """Return the one key whose value is a list of objects."""
    found = [name for name, value in content.items() if _is_records(value)]
    scalars = all(not isinstance(value, list) for name, value in content.items() if name not in found)
    return found[0] if len(found) == 1 and scalars else None


def _is_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(record, dict) for record in value)


def _frame(content: Any, source: str) -> pl.DataFrame:
    if isinstance(content, list) and not content:
        raise SourceError(f"'{source}' is an empty list; give at least one object")
    if _is_records(content):
        return frame_from_records(_flat_records(content))
    if isinstance(content, dict) and content:
        values = list(content.values())
        if all(isinstance(value, list) for value in values):
            return frame_from_columns(content, f"'{source}'")
        if all(isinstance(value, dict) for value in values):  # column → row → value, as pandas writes it
            rows = list(dict.fromkeys(row for value in values for row in value))
            columns = {name: [value.get(row) for row in rows] for name, value in content.items()}
            return frame_from_columns(columns, f"'{source}'")
        return frame_from_records(_flat_records([content]))
    raise SourceError(f"'{source}' is JSON but no table; give a list of objects, or an object of lists")


def _flat_records(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        _flat(record) if any(isinstance(value, dict) for value in record.values()) else record for record in records
    ]


def _flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict) and value:
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[prefix + name] = value
    return flat
