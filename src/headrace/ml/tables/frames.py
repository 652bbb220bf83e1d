"""Tables that are in memory already: Polars, pandas and Arrow frames, lists of records, mappings of columns."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from headrace.ml.errors import SourceError
from headrace.ml.tables.delimited.headers import check_names
from headrace.ml.tables.native_values import text_of
from headrace.ml.tables.table import Table


def table_from_frame(frame: Any, source: str = "frame") -> Table:
    """Make a table of a frame in memory.

    Takes a polars DataFrame or LazyFrame, a pandas DataFrame (its index is left out), a pyarrow Table or whatever else
    hands out an Arrow stream, a list of dicts, or a dict of columns. Raises `SourceError` for anything else, and for
    a frame without rows or columns; `ColumnError` for names given twice.
    """
    table = frame_of(frame, source)
    if table.width == 0:
        raise SourceError(f"{source} has no columns; give at least a target and a feature")
    if table.is_empty():
        raise SourceError(f"{source} has no rows; give at least one")
    return Table(table, np.arange(1, table.height + 1), source, "frame")


def frame_of(frame: Any, source: str = "frame") -> pl.DataFrame:
    """Turn any frame that `table_from_frame` takes into a polars DataFrame, which may be empty."""
    if isinstance(frame, Table):
        return frame.frame
    if isinstance(frame, pl.LazyFrame):
        return frame.collect()
    if isinstance(frame, pl.DataFrame):
        return frame
    if isinstance(frame, Mapping):
        return frame_from_columns(frame, source)
    if isinstance(frame, list | tuple) and all(isinstance(record, Mapping) for record in frame):
        return frame_from_records(frame)
    if type(frame).__module__.partition(".")[0] == "pandas" and hasattr(frame, "columns"):
        return _from_pandas(frame, source)
    if hasattr(frame, "__arrow_c_stream__"):
        if hasattr(frame, "column_names"):
            check_names(frame.column_names, source)
        return pl.DataFrame(frame)
    raise SourceError(
        f"{source} is a {type(frame).__name__}, not a table; give a polars, pandas or Arrow frame, a list of dicts "
        "or a dict of lists"
    )


def frame_from_records(records: Sequence[Mapping[Any, Any]]) -> pl.DataFrame:
    """Make a frame of dicts; keys that a record lacks are missing values."""
    names = list(dict.fromkeys(name for record in records for name in record))
    return pl.DataFrame([series_from_values(str(name), [record.get(name) for record in records]) for name in names])


def frame_from_columns(columns: Mapping[Any, Any], source: str) -> pl.DataFrame:
    """Make a frame of columns of equal length."""
    lists = {}
    for name, values in columns.items():
        if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
            raise SourceError(f"column '{name}' of {source} is a {type(values).__name__}, not a list of values")
        lists[str(name)] = values if isinstance(values, pl.Series) else list(values)
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        name = min(lengths, key=lambda key: lengths[key])
        raise SourceError(
            f"column '{name}' of {source} has {lengths[name]:,} values where others have {max(lengths.values()):,}; "
            "give all columns the same length"
        )
    return pl.DataFrame([series_from_values(name, values) for name, values in lists.items()])


def series_from_values(name: str, values: Sequence[Any] | pl.Series) -> pl.Series:
    """Make a column of Python values: of their type where they share one, of numbers where all are, else of text."""
    if isinstance(values, pl.Series):
        return values.alias(name)
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        return pl.Series(name, values, dtype=pl.Null)
    if kinds == {str}:
        return pl.Series(name, values, dtype=pl.String)
    if kinds == {int}:
        fits = all(value is None or -(1 << 63) <= value < 1 << 63 for value in values)
        return pl.Series(name, values, dtype=pl.Int64) if fits else _floats(name, values)
    if kinds <= {int, float}:
        return _floats(name, values)
    if len(kinds) == 1 and kinds <= {bool, bytes, datetime.date, datetime.datetime}:
        try:
            return pl.Series(name, values)
        except (TypeError, ValueError, pl.exceptions.PolarsError):
            pass  # time stamps of several zones
    return pl.Series(name, [text_of(value) for value in values], dtype=pl.String)


def _floats(name: str, values: Sequence[Any]) -> pl.Series:
    return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)


def _from_pandas(frame: Any, source: str) -> pl.DataFrame:
    names = [str(name) for name in frame.columns]
    check_names(names, source)
    return pl.DataFrame([_from_pandas_column(name, frame.iloc[:, index]) for index, name in enumerate(names)])


def _from_pandas_column(name: str, column: Any) -> pl.Series:
    kind = column.dtype.kind
    if kind in "iufb" and isinstance(column.dtype, np.dtype):
        return pl.Series(name, column.to_numpy(), nan_to_null=True)
    if kind == "M":
        aware = getattr(column.dtype, "tz", None) is not None
        return pl.Series(name, (column.dt.tz_convert(None) if aware else column).to_numpy())
    missing = column.isna().to_numpy()
    return series_from_values(
        name, [None if gone else value for value, gone in zip(column.tolist(), missing, strict=True)]
    )
