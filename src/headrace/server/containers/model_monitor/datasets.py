"""Datasets as columns of texts: CSV with or without a header, JSON Lines, Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from headrace.server.containers.model_monitor.request import AnalysisFailed, DatasetFormat

LONGEST_SHOWN, DEEPEST = 60, 50


def files_under(folder: Path, shown: str) -> list[Path]:
    """Return the files under a folder (or a file itself), in order; raises AnalysisFailed where there is none."""
    found = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    if not found:
        raise AnalysisFailed(f"there is no file under {shown}; give the dataset's own prefix")
    return found


def read_dataset(folder: Path, shown: str, form: DatasetFormat) -> pl.DataFrame:
    """Return all rows of the files under a folder, every column as texts; raises AnalysisFailed."""
    readers = {"csv": _read_csv, "json": _read_json, "parquet": _read_parquet}
    parts = [readers[form.kind](path, form) for path in files_under(folder, shown)]
    parts = [part for part in parts if part.height]
    if not parts:
        raise AnalysisFailed(f"the dataset under {shown} has no rows; give at least one")
    if form.kind == "json":
        return pl.concat(parts, how="diagonal")
    other = next((part.columns for part in parts if part.columns != parts[0].columns), None)
    if other is not None:
        raise AnalysisFailed(
            f"the files under {shown} have different columns ({len(parts[0].columns)}: {_some(parts[0].columns)}; "
            f"{len(other)}: {_some(other)}); give files of one table"
        )
    return pl.concat(parts)


def position_name(number: int) -> str:
    """Return the name of a column that has none."""
    return f"_c{number}"


def frame_of(rows: Sequence[Sequence[str | None]], names: Sequence[str]) -> pl.DataFrame:
    """Return rows of texts, each as long as there are names, as columns."""
    return pl.DataFrame(
        [pl.Series(name, [row[number] for row in rows], dtype=pl.String) for number, name in enumerate(names)]
    )


def frame_of_records(records: Sequence[Mapping[str, str | None]]) -> pl.DataFrame:
    """Return records of texts by name as columns, in the order of their first appearance."""
    names = list(dict.fromkeys(name for record in records for name in record))
    return frame_of([[record.get(name) for name in names] for record in records], names)


def flat(record: Any, where: str) -> dict[str, str | None]:
    """Return a flat JSON object as texts by name; raises AnalysisFailed on another value."""
    if not isinstance(record, dict):
        raise AnalysisFailed(f"{where} holds {_short(record)}, which is no JSON object; write one a line")
    return dict(_flattened("", record, where))


def _flattened(prefix: str, record: Mapping[str, Any], where: str) -> Iterable[tuple[str, str | None]]:
    if prefix.count(".") > DEEPEST:
        raise AnalysisFailed(f"{where} is nested more than {DEEPEST} deep, and only flat JSON is analysed")
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flattened(f"{prefix}{name}.", value, where)
        elif isinstance(value, list):
            raise AnalysisFailed(f"{where}: the value of '{prefix}{name}' is a list, and only flat JSON is analysed")
        elif value is None or isinstance(value, str):
            yield f"{prefix}{name}", value
        else:
            yield f"{prefix}{name}", json.dumps(value)


def _read_csv(path: Path, form: DatasetFormat) -> pl.DataFrame:
    """Read a table; a line without any value is none of its rows, and quotes around nothing are no value."""
    try:
        frame = pl.read_csv(path, has_header=form.header, infer_schema=False, raise_if_empty=False)
    except pl.exceptions.PolarsError as error:
        raise AnalysisFailed(f"{path.name} is no CSV table: {str(error).splitlines()[0]}") from error
    if not frame.width:
        return frame
    frame = frame.select(pl.all().replace("", None)).filter(~pl.all_horizontal(pl.all().is_null()))
    if form.header:
        return frame
    return frame.rename({name: position_name(number) for number, name in enumerate(frame.columns)})


def _read_json(path: Path, form: DatasetFormat) -> pl.DataFrame:
    del form
    records = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                records.append(flat(parsed(line, f"line {number} of {path.name}"), f"line {number} of {path.name}"))
    return frame_of_records(records)


def _read_parquet(path: Path, form: DatasetFormat) -> pl.DataFrame:
    del form
    try:
        frame = pl.read_parquet(path)
        return frame.select(pl.all().cast(pl.String))
    except pl.exceptions.PolarsError as error:
        raise AnalysisFailed(f"{path.name} is no flat Parquet table: {str(error).splitlines()[0]}") from error


def parsed(text: str, where: str) -> Any:
    """Return the value of JSON; raises AnalysisFailed."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise AnalysisFailed(f"{where} is no JSON: {_short(text)}; correct it") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
