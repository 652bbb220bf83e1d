"""How a raw column becomes typed values: one definition for training and for prediction."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any

import polars as pl

from headrace.ml.tables.date_text import date_from_text, dates_from_text
from headrace.ml.tables.native_values import epoch_of, epochs_of, number_of, numbers_of, text_of, texts_of
from headrace.ml.tables.number_text import SPACES, number_from_text, numbers_from_text
from headrace.ml.tables.pictures import pixels_or_none
from headrace.ml.tables.words import words_of, words_of_all


class ColumnKind(StrEnum):
    """What the values of a column are."""

    NUMBER = "number"  # parsed to float64
    DATE = "date"  # parsed to float64, seconds since 1970-01-01 UTC
    CATEGORY = "category"  # text labels; "" is missing
    TEXT = "text"  # free text; "" is missing
    PICTURE = "picture"  # parsed to the bytes of its pixels, row by row; all 0 is missing


CONTENT = frozenset({ColumnKind.TEXT, ColumnKind.PICTURE})
"""Kinds whose values are looked into and not compared: nearly all are different."""


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, and all that is needed to parse its raw values again.

    `missing` are the raw spellings that mean no value, beside the empty string and null; in a column of numbers they
    are compared as numbers too. `affixes` are texts that may stand before or after a number (currency, percent, unit).
    `date_formats` are tried in order; see `date_text`. With `words`, free text is brought into words; see `words`.
    `shape` is what pictures are brought to: height, width, channels.
    """

    name: str
    kind: ColumnKind
    missing: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    affixes: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ()
    words: bool = False
    shape: tuple[int, ...] = ()

    def sentinels(self) -> tuple[float, ...]:
        """Return those of `missing` that are numbers."""
        read = (number_from_text(token, self.decimal, self.thousands, self.affixes) for token in self.missing)
        return tuple(number for number in read if number is not None)


def parse_column(raw: pl.Series, column: Column) -> tuple[pl.Series, pl.Series]:
    """Parse raw values (text or native) by `column`.

    Returns the values (Float64 with null for missing, or String with "" for missing), and a boolean
    series that is true where a value was given but could not be read (infinities among them).
    """
    if column.kind in (ColumnKind.CATEGORY, ColumnKind.TEXT):
        text = _given_text(raw, column).fill_null("").alias(column.name)
        text = words_of_all(text) if column.kind is ColumnKind.TEXT and column.words else text
        return text, pl.repeat(False, len(raw), eager=True)
    if column.kind is ColumnKind.PICTURE:
        return _parse_pictures(raw, column)
    native = numbers_of(raw) if column.kind is ColumnKind.NUMBER else epochs_of(raw)
    if native is None and column.kind is ColumnKind.NUMBER and column.decimal == "." and raw.dtype == pl.String:
        plain = raw.cast(pl.Float64, strict=False)
        native = plain if plain.is_finite().all() and not plain.has_nulls() else None
    if native is not None:
        values, given = native.set(~native.is_finite(), None), native.is_not_null() & ~native.is_nan()
    else:
        text = _given_text(raw, column)
        given = text.is_not_null()
        if column.kind is ColumnKind.NUMBER:
            values = numbers_from_text(text, column.decimal, column.thousands, column.affixes)
        else:
            values = dates_from_text(text, column.date_formats)
    unreadable = given & values.is_null()
    if column.kind is ColumnKind.NUMBER and (sentinels := column.sentinels()):
        values = values.set(values.is_in(sentinels), None)
    return values.alias(column.name), unreadable


def _parse_pictures(raw: pl.Series, column: Column) -> tuple[pl.Series, pl.Series]:
    read = value_parser(column)
    encoded = raw.to_list()
    pixels = [read(each) for each in encoded]
    missing = bytes(math.prod(column.shape))
    unreadable = [each is not None and found is None for each, found in zip(encoded, pixels, strict=True)]
    values = pl.Series(column.name, [found or missing for found in pixels], dtype=pl.Binary)
    return values, pl.Series(unreadable, dtype=pl.Boolean)


def _given_text(raw: pl.Series, column: Column) -> pl.Series:
    text = texts_of(raw).str.strip_chars(SPACES)
    return text.set(text.is_in(["", *column.missing]), None)


def parse_value(value: Any, column: Column) -> float | str:
    """Parse one raw value exactly as `parse_column` does; a missing or unreadable one is NaN, or "" for text.

    >>> parse_value("1.234,5 €", Column("price", ColumnKind.NUMBER, decimal=",", thousands=".", affixes=("€",)))
    1234.5
    """
    parsed: float | str = value_parser(column)(value)
    return parsed


@lru_cache(maxsize=65536)
def value_parser(column: Column) -> Callable[[Any], Any]:
    """Return `parse_value` for one column: what a loop over rows should keep. Pictures that cannot be read are None."""
    if column.kind is ColumnKind.PICTURE:
        return partial(pixels_or_none, shape=column.shape)
    missing = frozenset(("", *column.missing))

    def given_text(value: Any) -> str | None:
        text = (value if type(value) is str else text_of(value) or "").strip(SPACES)
        return None if text in missing else text

    if column.kind in (ColumnKind.CATEGORY, ColumnKind.TEXT):
        if column.kind is ColumnKind.TEXT and column.words:
            return lambda value: words_of(given_text(value) or "")
        return lambda value: given_text(value) or ""

    sentinels = frozenset(column.sentinels())

    def parse_number(value: Any) -> float:
        number = None if type(value) is str else number_of(value)
        if number is None and (text := given_text(value)) is not None:
            number = number_from_text(text, column.decimal, column.thousands, column.affixes)
        return math.nan if number is None or number in sentinels or not math.isfinite(number) else number

    def parse_date(value: Any) -> float:
        seconds = None if type(value) is str else epoch_of(value)
        if seconds is None and (text := given_text(value)) is not None:
            seconds = date_from_text(text, column.date_formats)
        return math.nan if seconds is None else seconds

    return parse_number if column.kind is ColumnKind.NUMBER else parse_date
