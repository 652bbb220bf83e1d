"""Recognising numbers held as text, and numbers that stand for a missing value."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from headrace.ml.tables.columns import Column, ColumnKind
from headrace.ml.tables.number_text import number_from_text, numbers_from_text

MOSTLY = 0.9
"""The share of readable values from which a column is one of numbers or dates."""

_NOTATIONS = (
    (".", ""),
    (".", ","),
    (",", "."),
    (",", ""),
    (",", " "),
    (".", " "),
    (".", "'"),
    (",", "'"),
    (".", "\u2019"),
)
_CURRENCIES = frozenset(
    ["USD", "EUR", "GBP", "JPY", "CHF", "CNY", "INR", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "BRL", "MXN", "ZAR", "KRW", "RUB", "TRY", "Rs", "kr"]
)
_UNITS = frozenset(
    ["%", "kg", "g", "mg", "lb", "lbs", "oz", "km", "m", "cm", "mm", "mi", "ft", "l", "ml", "kW", "kWh", "MWh", "W", "V", "A", "Hz", "h", "hrs", "min", "s", "ms", "°C", "°F", "°", "cc", "bhp"]
)
_AFFIXED = re.compile(
    r"([^0-9+\-\u2212.,]*?)\s*[+\-\u2212]?\s*([^0-9+\-\u2212.,\s]*)\s*([0-9.,](?:[0-9., '\u2019\u00a0\u202f]*[0-9.,])?)\s*(\D*)"
)
_SENTINELS = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0, -999.9, 1e20, -1e20)
_INFINITY = re.compile(r"[+\-]?inf(inity)?", re.IGNORECASE)


def detect_numbers(label: Column, text: pl.Series, sample: Sequence[str]) -> Column | None:
    """Return `label` as a column of numbers, if nearly all values read as such; `sample` are distinct values of `text`."""
    if sum(any(character.isdigit() for character in value) for value in sample) < 0.5 * len(sample):
        return None
    affixes = _find_affixes(sample)
    best, best_count = None, 0
    for decimal, thousands in _NOTATIONS:
        if (decimal == "," or thousands) and not any((thousands or decimal) in value for value in sample):
            continue
        column = replace(label, kind=ColumnKind.NUMBER, decimal=decimal, thousands=thousands, affixes=affixes)
        read = sum(
            number_from_text(value, decimal, thousands, affixes) is not None or _INFINITY.fullmatch(value) is not None
            for value in sample
        )
        if read > best_count:
            best, best_count = column, read
    if best is None:
        return None
    numbers = numbers_from_text(text, best.decimal, best.thousands, best.affixes)
    infinite = text.str.contains(r"(?i)^[+\-]?inf(inity)?$").sum()
    given = text.len() - text.null_count()
    readable = numbers.len() - numbers.null_count()
    return best if readable and readable + infinite >= MOSTLY * given else None


def _find_affixes(sample: Sequence[str]) -> tuple[str, ...]:
    """Find what stands before and after the numbers: currencies, and one unit."""
    found: Counter[str] = Counter()
    for value in sample:
        if match := _AFFIXED.fullmatch(value):
            before, inner, _, after = match.groups()
            found.update(text for text in {before.strip(), inner.strip(), after.strip()} if text)
    money = {text for text in found if text in _CURRENCIES or all(unicodedata.category(c) == "Sc" for c in text)}
    units = [text for text, count in found.items() if text in _UNITS and count >= 0.5 * len(sample)]
    return tuple(sorted(money | set(units[:1])))


def find_sentinels(numbers: pl.Series) -> list[tuple[float, int]]:
    """Find numbers such as -999 that stand clearly apart from all others: each with how often it occurs."""
    found = []
    least, most = numbers.min(), numbers.max()
    for extreme in {least, most}:
        if extreme not in _SENTINELS:
            continue
        others = numbers.filter(numbers != extreme).drop_nulls()
        count = numbers.len() - numbers.null_count() - others.len()
        low, high = others.min(), others.max()
        if count < 2 or low is None or high is None or others.n_unique() < 3:
            continue
        gap = low - extreme if extreme < low else extreme - high  # type: ignore[operator]
        if gap > high - low:  # type: ignore[operator]
            found.append((float(extreme), count))  # type: ignore[arg-type]
    return sorted(found)
