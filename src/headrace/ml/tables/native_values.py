"""Native values (numbers, dates, booleans, lists…) as numbers, as seconds since 1970, or as text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def number_of(value: Any) -> float | None:
    """Return a native number, boolean or duration (seconds) as a float; None for anything else.

    Numbers too large for a float are infinite.
    """
    if isinstance(value, np.timedelta64):
        value = value.astype("timedelta64[us]").item()
    if isinstance(value, float | bool | int | np.bool_ | np.number | Decimal):
        try:
            return float(value)
        except OverflowError:
            return math.inf
        except ValueError:  # a signalling NaN
            return math.nan
    return value // _MICROSECOND / 1e6 if isinstance(value, timedelta) and _is_given(value) else None


def epoch_of(value: Any) -> float | None:
    """Return a native date or time stamp as seconds since 1970-01-01 UTC (naive is UTC); None for anything else."""
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    if not isinstance(value, date) or not _is_given(value):
        return None
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return float((value - _EPOCH) // _MICROSECOND) / 1e6


def _is_given(value: Any) -> bool:
    """Whether a value is one: None is not, nor what is unequal to itself (NaN, NaT), nor pandas' NA."""
    try:
        return value is not None and bool(value == value)
    except (TypeError, ValueError):
        return False


def text_of(value: Any) -> str | None:
    """Return any value as text, None where there is none; whole floats lose their `.0`: 1 and 1.0 are one label."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, np.generic):
        value = value.item() if not isinstance(value, np.datetime64) else value.astype("datetime64[us]").item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        if not math.isfinite(value):
            return None if math.isnan(value) else str(float(value))
        whole = int(value)
        return str(whole) if value == whole and abs(whole) < 10**16 else str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ") if _is_given(value) else None
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, list | tuple | np.ndarray | pl.Series):
        return ", ".join(text_of(item) or "" for item in value)
    if isinstance(value, Mapping):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value) if _is_given(value) else None


def numbers_of(raw: pl.Series) -> pl.Series | None:
    """Return a column of native numbers, booleans or durations as Float64; None for any other type."""
    if raw.dtype.is_decimal():  # Polars' own cast divides, and so rounds twice
        return pl.Series(raw.name, [None if value is None else float(value) for value in raw], dtype=pl.Float64)
    if raw.dtype.is_numeric() or raw.dtype in (pl.Boolean, pl.Null):
        return raw.cast(pl.Float64)
    if raw.dtype == pl.Duration:
        return quotient(_microseconds(raw), 1e6)
    return None


def epochs_of(raw: pl.Series) -> pl.Series | None:
    """Return a column of native dates or time stamps as Float64 seconds since 1970-01-01 UTC; None for other types."""
    if raw.dtype == pl.Null:
        return raw.cast(pl.Float64)
    if raw.dtype == pl.Date:
        return raw.cast(pl.Int64).cast(pl.Float64) * 86400.0
    return quotient(_microseconds(raw), 1e6) if raw.dtype == pl.Datetime else None


def quotient(numbers: pl.Series, divisor: float) -> pl.Series:
    """Divide as Python does; Polars multiplies by the reciprocal, which rounds twice."""
    return pl.Series(numbers.name, numbers.cast(pl.Float64).to_numpy() / divisor, nan_to_null=True)


def _microseconds(raw: pl.Series) -> pl.Series:
    physical = raw.to_physical()
    unit = getattr(raw.dtype, "time_unit", "us")
    return physical // 1000 if unit == "ns" else physical * 1000 if unit == "ms" else physical


def texts_of(raw: pl.Series) -> pl.Series:
    """Return any column as String, null where there is no value."""
    if raw.dtype == pl.String:
        return raw
    if raw.dtype.is_integer() or raw.dtype in (pl.Boolean, pl.Categorical, pl.Enum, pl.Null):
        return raw.cast(pl.String)
    return pl.Series(raw.name, [text_of(value) for value in raw.to_list()], dtype=pl.String)
