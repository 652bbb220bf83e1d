"""The thin reader: rows as they come become the typed columns that the graph takes, and what was wrong is said."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headrace.ml.errors import InputError
from headrace.ml.prediction.manifest import Input
from headrace.ml.tables.columns import Column, ColumnKind, parse_column, value_parser
from headrace.ml.tables.names import nearest
from headrace.ml.tables.pictures import UnreadableError, encoded, pixels_of

if TYPE_CHECKING:
    import polars as pl

TEXTUAL = frozenset({ColumnKind.CATEGORY, ColumnKind.TEXT})
_REMEMBERED = 1024
_LOOKED_AT = 1000
_WORDS = {ColumnKind.NUMBER: "number", ColumnKind.DATE: "date", ColumnKind.PICTURE: "picture"}


def row_reader(column: Column) -> Callable[[Any], Any]:
    """Return what turns one raw value of `column` into a float or a string, as fast as Python can.

    It agrees with `tables.columns.parse_value`, but raises `InputError` for a value that is given and cannot be read.
    """
    parse = value_parser(column)
    sentinels = frozenset(column.sentinels()) if column.kind is ColumnKind.NUMBER else frozenset()
    if column.kind is ColumnKind.TEXT:
        return lambda value: encodable(parse(value))
    if column.kind is ColumnKind.PICTURE:
        return partial(_picture, column=column)
    remembered: dict[str, Any] = {}

    def read(value: Any) -> Any:
        if value.__class__ is str:
            found = remembered.get(value)
            if found is None:
                found = checked(value)
                if len(remembered) < _REMEMBERED:
                    remembered[value] = found
            return found
        return checked(value)

    def checked(value: Any) -> Any:
        parsed = parse(value)
        if parsed.__class__ is str:
            return encodable(parsed)
        if parsed != parsed and not (
            (value.__class__ in (int, float) and value in sentinels) or is_missing(value, column)
        ):
            raise InputError(
                f"column '{column.name}' has the value {shortened(value)}, which is not a {_WORDS[column.kind]}; "
                "give one, or leave the value out"
            )
        return parsed

    return read


def _picture(value: Any, *, column: Column) -> Any:
    """Decode one picture into its pixels; `InputError` where that cannot be done."""
    if value is None:
        return np.zeros(math.prod(column.shape), np.uint8)
    try:
        return np.frombuffer(pixels_of(encoded(value), column.shape), np.uint8)
    except UnreadableError as error:
        where = f"'{value}'" if isinstance(value, Path) else f"column '{column.name}'"
        raise InputError(f"the picture of {where} cannot be read: {error}; give a whole PNG or JPEG file") from None


def encodable(text: Any) -> str:
    """Return text that UTF-8 can hold: lone surrogates, which no trained text has, become question marks."""
    return str(text) if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def is_missing(value: Any, column: Column) -> bool:
    """Whether a raw value of a number or date column means no value, rather than one that cannot be read."""
    import polars as pl

    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    try:
        raw = pl.Series([value], strict=True)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        return False
    return not parse_column(raw, column)[1][0]


def shortened(value: Any) -> str:
    """Quote a value for a message, at most 60 characters of it."""
    text = repr(value.to_list() if hasattr(value, "to_list") else value)
    return text if len(text) <= 60 else text[:57] + "..."


def require_columns(present: Sequence[Any], inputs: Sequence[Input]) -> list[str]:
    """Return the optional columns that are absent; `InputError` naming those that the model cannot do without."""
    there = set(present)
    absent = [item.column.name for item in inputs if item.required and item.column.name not in there]
    if absent:
        listed = ", ".join(f"'{name}'" for name in absent[:5]) + (f" and {len(absent) - 5} more" if absent[5:] else "")
        which = f"column {listed} is" if len(absent) == 1 else f"columns {listed} are"
        unread = [str(name) for name in there - {item.column.name for item in inputs}]
        near = nearest(absent[0], unread[:_LOOKED_AT])
        remedy = f"add what is absent, or rename '{near}' to '{absent[0]}'" if near else "add what is absent"
        raise InputError(f"{which} absent from the rows, and the model needs all of its inputs; {remedy}")
    return [item.column.name for item in inputs if item.column.name not in there]


@dataclass(frozen=True)
class Typed:
    """Typed columns, and what was handled on the way, a sentence each."""

    frame: pl.DataFrame
    notes: tuple[str, ...]


def read_rows(data: Any, inputs: Sequence[Input], rows: Sequence[int] | None = None) -> Typed:
    """Parse raw rows: a frame (Polars, pandas, Arrow), a list of dicts, or a dict of lists.

    `rows` are the positions to name in messages, 1, 2, … without it. `InputError` when a required column is absent or
    no value of a number or date column can be read.
    """
    import polars as pl

    columns, height = raw_columns(data)
    absent = require_columns(list(columns), inputs)
    known = {item.column.name for item in inputs}
    notes = []
    if extra := [str(name) for name in columns if name not in known]:
        notes.append(f"{_counted(extra)} not read by the model and ignored")
    if absent:
        notes.append(f"{_counted(absent)} absent and taken as missing")
    frame: dict[str, pl.Series] = {}
    for item in inputs:
        name = item.column.name
        raw = columns.get(name)
        raw = pl.Series(name, [None] * height, dtype=pl.String) if raw is None else raw
        frame[name], unreadable, given = _parse(raw, item.column)
        if count := int(unreadable.sum()):
            first, word = int(unreadable.arg_max() or 0), _WORDS[item.column.kind]
            shown = f"{shortened(raw[first])} in row {first + 1 if rows is None else rows[first]}"
            if count == given:
                raise InputError(
                    f"column '{name}' has no value that is a {word} (first: {shown}), and had when the model was "
                    "trained; check that the columns are the right ones"
                )
            what = f"1 value that is not a {word}" if count == 1 else f"{count} values that are not {word}s"
            notes.append(f"column '{name}' has {what} (first: {shown}), taken as missing")
    return Typed(pl.DataFrame(frame) if frame else pl.DataFrame(height=height), tuple(notes))


def _counted(names: Sequence[str]) -> str:
    listed = ", ".join(f"'{name}'" for name in names[:5]) + (", …" if names[5:] else "")
    return f"column {listed} is" if len(names) == 1 else f"{len(names)} columns ({listed}) are"


def _parse(raw: Any, column: Column) -> tuple[pl.Series, pl.Series, int]:
    """Return the values, which of them could not be read, and how many were given."""
    import polars as pl

    if column.kind is ColumnKind.PICTURE:
        raw = raw if isinstance(raw, pl.Series) else pl.Series(column.name, list(raw), dtype=pl.Object)
        values, unreadable = parse_column(raw, column)
        return values.alias(column.name), unreadable, sum(each is not None for each in raw)
    if isinstance(raw, pl.Series):
        values, unreadable = parse_column(raw, column)
    else:
        parse = value_parser(column)
        parsed = [parse(value) for value in raw]
        if column.kind in TEXTUAL:
            values = pl.Series([encodable(text) for text in parsed], dtype=pl.String)
            unreadable = pl.repeat(False, len(values), eager=True)
        else:
            values = pl.Series(parsed, dtype=pl.Float64).fill_nan(None)
            bad = [n != n and not is_missing(value, column) for n, value in zip(parsed, raw, strict=True)]
            unreadable = pl.Series(bad, dtype=pl.Boolean)
    given = len(values) - values.null_count() + int(unreadable.sum())
    return values.alias(column.name), unreadable, given


def raw_columns(data: Any) -> tuple[Mapping[Any, Any], int]:
    """Take rows apart into columns: Polars series where one type holds, lists of values where types are mixed."""
    import polars as pl

    if isinstance(data, pl.LazyFrame):
        data = data.collect()
    if isinstance(data, pl.DataFrame):
        return {series.name: series for series in data.iter_columns()}, data.height
    if hasattr(data, "__arrow_c_stream__") and not hasattr(data, "iloc"):
        try:
            return raw_columns(pl.DataFrame(data))
        except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
            raise InputError(
                f"the Arrow table cannot be read ({error}); convert it to Polars or pandas first"
            ) from error
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        if not data.columns.is_unique:
            raise InputError("the frame has two columns of one name; rename one of them")
        return {str(name): _series(name, _pandas_values(data[name])) for name in data.columns}, len(data)
    if isinstance(data, Mapping):
        lengths = {name: len(values) for name, values in data.items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"the columns have different lengths ({lengths}); give every column the same rows")
        return {name: _series(name, values) for name, values in data.items()}, next(iter(lengths.values()), 0)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        for position, row in enumerate(data, 1):
            if not isinstance(row, Mapping):
                raise InputError(f"row {position} is a {type(row).__name__}, not a dict of column to value; give dicts")
        names = list(dict.fromkeys(name for row in data for name in row))
        return {name: _series(name, [row.get(name) for row in data]) for name in names}, len(data)
    raise InputError(
        f"rows were given as {type(data).__name__}; give a dict, a list of dicts, or a Polars, pandas or Arrow frame"
    )


def _pandas_values(column: Any) -> Any:
    if getattr(column.dtype, "kind", "O") in "biuf" and not column.isna().any():
        return column.to_numpy()
    return column.astype(object).where(column.notna(), None).tolist()


def _series(name: Any, values: Any) -> Any:
    import polars as pl

    if isinstance(values, pl.Series):
        return values
    values = list(values.tolist() if hasattr(values, "tolist") else values)
    numeric = {type(value) for value in values} == {int, float}
    try:
        return pl.Series(str(name), values, dtype=pl.Float64 if numeric else None, strict=not numeric)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
        return values
