"""Captured data of endpoints as columns of texts: output and input of each invocation side by side.

AWS page: Capture data from real-time endpoint.
"""

from __future__ import annotations

import base64
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from headrace.server.containers.model_monitor.datasets import (
    files_under,
    flat,
    frame_of,
    frame_of_records,
    parsed,
    position_name,
)
from headrace.server.containers.model_monitor.request import AnalysisFailed

Row = list[str | None]
CONTENT_TYPES = {
    "text/csv": "CSV",
    "application/json": "JSON",
    "application/jsonlines": "JSON",
    "application/x-jsonlines": "JSON",
}


def read_captured(folder: Path, shown: str, sides: Sequence[str]) -> pl.DataFrame:
    """Return the rows of all invocations captured under a folder; those without a content on one side are left out.

    Columns of CSV are named by their position, the output's first. Raises AnalysisFailed.
    """
    invocations = [each for path in files_under(folder, shown) for each in _invocations(path)]
    kept = [side for side in sides if any(side in data for data, _ in invocations)]
    whole = [(data, where) for data, where in invocations if kept and all(side in data for side in kept)]
    if not whole:
        raise AnalysisFailed(f"the captured data under {shown} has no {' and '.join(sides)}; capture both")
    encodings = {_encoding(data[side], where) for data, where in whole for side in kept}
    if len(encodings) > 1:
        _refuse_mixture(whole, kept)
    if encodings == {"CSV"}:
        return _table([row for data, where in whole for row in _joined_rows([data[side] for side in kept], where)])
    return frame_of_records(
        [record for data, where in whole for record in _joined_records([data[side] for side in kept], where)]
    )


def _invocations(path: Path) -> list[tuple[Mapping[str, Any], str]]:
    found: list[tuple[Mapping[str, Any], str]] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                where = f"line {number} of {path.name}"
                entry = parsed(line, where)
                data = entry.get("captureData") if isinstance(entry, dict) else None
                if not isinstance(data, dict) or not all(isinstance(side, dict) for side in data.values()):
                    raise AnalysisFailed(f"{where} has no captureData; name a prefix of captured data")
                answered = {
                    side: each for side, each in data.items() if each.get("data") or each.get("observedContentType")
                }
                found.append((answered, where))
    return found


def _encoding(side: Mapping[str, Any], where: str) -> str:
    encoding = str(side.get("encoding"))
    if encoding in ("CSV", "JSON"):
        return encoding
    kind = str(side.get("observedContentType")).partition(";")[0].strip().lower()
    if encoding == "BASE64" and kind in CONTENT_TYPES:
        return CONTENT_TYPES[kind]
    raise AnalysisFailed(
        f"{where} holds {kind} encoded as {encoding}, and CSV and JSON are analysed; name its content type in the "
        "CaptureContentTypeHeader of the endpoint's DataCaptureConfig"
    )


def _refuse_mixture(whole: Sequence[tuple[Mapping[str, Any], str]], sides: Sequence[str]) -> None:
    for data, where in whole:
        seen = {side: _encoding(data[side], where) for side in sides}
        if len(set(seen.values())) > 1:
            raise AnalysisFailed(
                f"Encoding mismatch: Encoding is {seen['endpointInput']} for endpointInput, but Encoding is "
                f"{seen['endpointOutput']} for endpointOutput. We currently only support the same type of input and "
                "output encoding at the moment."
            )
    raise AnalysisFailed("the captured data is CSV in part and JSON in part; monitor endpoints that are asked in one")


def _text(side: Mapping[str, Any], where: str) -> str:
    data = str(side.get("data", ""))
    if side.get("encoding") != "BASE64":
        return data
    try:
        return base64.b64decode(data).decode("utf-8", "replace")
    except ValueError:
        raise AnalysisFailed(
            f"{where} has data that is not BASE64, which its encoding says; capture it again"
        ) from None


def _joined_rows(sides: Sequence[Mapping[str, Any]], where: str) -> list[Row]:
    """Return the rows of an invocation: one side's beside the other's, where one line holds all answers split up."""
    tables = [_rows(_text(side, where), where) for side in sides]
    most = max(len(table) for table in tables)
    spread = [
        [[cell] for cell in table[0]] if len(table) == 1 and most > 1 and len(table[0]) == most else table
        for table in tables
    ]
    if any(len(table) != most for table in spread):
        counts = " and ".join(str(len(table)) for table in spread)
        raise AnalysisFailed(f"output and input of {where} have {counts} rows, which can't be joined")
    return [[cell for table in spread for cell in table[number]] for number in range(most)]


def _rows(text: str, where: str) -> list[Row]:
    """Return the rows of CSV; a text without any is the empty value of one column."""
    try:
        return [[cell or None for cell in row] for row in csv.reader(text.splitlines()) if row] or [[None]]
    except csv.Error as error:
        raise AnalysisFailed(f"{where} holds no CSV: {error}") from None


def _joined_records(sides: Sequence[Mapping[str, Any]], where: str) -> list[dict[str, str | None]]:
    tables = []
    for side in sides:
        text = _text(side, where)
        if "jsonlines" in str(side.get("observedContentType")):
            value = [parsed(line, where) for line in text.splitlines() if line.strip()]
        else:
            value = parsed(text, where)
        tables.append([flat(each, where) for each in (value if isinstance(value, list) else [value])])
    if len({len(table) for table in tables}) > 1:
        counts = " and ".join(str(len(table)) for table in tables)
        raise AnalysisFailed(f"output and input of {where} have {counts} records, which can't be joined")
    return [{name: value for each in group for name, value in each.items()} for group in zip(*tables, strict=True)]


def _table(rows: Sequence[Row]) -> pl.DataFrame:
    width = max((len(row) for row in rows), default=0)
    if not width:
        raise AnalysisFailed("the captured data has no values; nothing can be analysed")
    padded = [[*row, *[None] * (width - len(row))] for row in rows]
    return frame_of(padded, [position_name(number) for number in range(width)])
