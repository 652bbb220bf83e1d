"""How a raw column becomes typed values: one definition for training and for prediction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import polars as pl


class ColumnKind(StrEnum):
    """What the values of a column are."""

    NUMBER = "number"  # parsed to float64
    DATE = "date"  # parsed to float64, seconds since 1970-01-01 UTC
    CATEGORY = "category"  # text labels; "" is missing
    TEXT = "text"  # free text; "" is missing


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, and all that is needed to parse its raw values again.

    `missing` are the raw spellings that mean no value, beside the empty string and null.
    """

    name: str
    kind: ColumnKind
    missing: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    affixes: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ()


def parse_column(raw: pl.Series, column: Column) -> tuple[pl.Series, pl.Series]:
    """Parse raw values (text or native) by `column`.

    Returns the values (Float64 with null for missing, or String with "" for missing), and a boolean
    series that is true where a value was given but could not be read.
    """
    raise NotImplementedError
