"""Recognising numbers held as text, and numbers that stand for a missing value."""

from __future__ import annotations

import math
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
    {"USD", "EUR", "GBP", "JPY", "CHF", "CNY", "INR", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "PLN"}
)
_CURRENCIES |= {"CZK", "HUF", "BRL", "MXN", "ZAR", "KRW", "RUB", "TRY", "US$", "R$", "Rs", "Rs.", "kr"}
_UNITS = frozenset({"%", "kg", "mg", "lb", "lbs", "oz", "km", "cm", "mm", "mi", "ft", "ml", "kW", "kWh", "MWh", "Hz"})
_UNITS |= {"hrs", "min", "ms", "\u00b0C", "\u00b0F", "\u00b0", "cc", "bhp"}
_AFFIXED = re.compile(
    r"(\D*?)\s*[+\-\u2212]?\s*([^0-9+\-\u2212.,\s]*)\s*(?=[.,]?[0-9])[0-9., '\u2019\u00a0\u202f]*[0-9.,]\s*(\D*)"
)
_SENTINELS = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0, -999.9, 1e20, -1e20)
_INFINITY = re.compile(r"[+\-]?inf(inity)?", re.IGNORECASE)


def detect_numbers(label: Column, text: pl.Series, sample: Sequence[str]) -> Column | None:
    """Return `label` as a column of numbers, if nearly all values read so; `sample` are distinct values of `text`."""
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
    money: set[str] = set()
    units: Counter[str] = Counter()
    for value in sample:
        if match := _AFFIXED.fullmatch(value):
            before, inner, after = (part.strip() for part in match.groups())
            money.update({part for part in (before.rstrip("+-\u2212 "), inner, after) if _is_currency(part)})
            units.update({after} & _UNITS)
    most = units.most_common(1)
    return tuple(sorted(money | {unit for unit, count in most if count >= 0.5 * len(sample)}))


def _is_currency(text: str) -> bool:
    return text in _CURRENCIES or (text != "" and all(unicodedata.category(character) == "Sc" for character in text))


def find_sentinels(numbers: pl.Series) -> list[tuple[float, int]]:
    """Find numbers such as -999 that stand clearly apart from all others: each with how often it occurs.

    A large one must stand further apart, since it may be the cap of a long-tailed quantity.
    """
    found = []
    numbers = numbers.drop_nulls()
    for extreme in (_number(numbers.min()), _number(numbers.max())):
        if extreme not in _SENTINELS:
            continue
        others = numbers.filter(numbers != extreme)
        count, low, high = numbers.len() - others.len(), _number(others.min()), _number(others.max())
        if count < 2 or others.is_empty() or others.n_unique() < 3:
            continue
        if low - extreme > high - low or extreme - high > 3 * (high - low):
            found.append((extreme, count))
    return found


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
