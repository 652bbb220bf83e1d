"""Numbers held as text: one grammar, read for a whole column at once or for a single value."""

from __future__ import annotations

import math
import re
from functools import lru_cache

import polars as pl

SPACES = " \t\n\r\x0b\x0c\u00a0\u2007\u202f\u3000\ufeff"
"""What is stripped from the ends of every value: spelled out, since Polars and Python disagree about Unicode spaces."""

_MINUS = "\u2212"
_TRUTH = {"true": 1.0, "false": 0.0}


@lru_cache(maxsize=1024)
def number_pattern(decimal: str, thousands: str, affixes: tuple[str, ...]) -> str:
    """Return the regular expression of a number: groups are the sign, the sign after a leading affix, and the digits.

    It is written in the common ground of Python's `re` and of the Rust crate that Polars uses.
    """
    point, sign = re.escape(decimal), f"[+\\-{_MINUS}]?"
    separator = f"[{SPACES}]" if thousands == " " else re.escape(thousands)
    whole = f"(?:[0-9]{{1,3}}(?:{separator}[0-9]{{2,3}})*{separator}[0-9]{{3}}|[0-9]+)" if thousands else "[0-9]+"
    digits = f"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+\\-]?[0-9]+)?"
    spaces = f"[{SPACES}]*"
    affix = (
        "(?:" + "|".join(re.escape(text) for text in sorted(affixes, key=len, reverse=True)) + ")?" if affixes else ""
    )
    return f"({sign}){spaces}{affix}{spaces}({sign})({digits}){spaces}{affix}" if affix else f"({sign})()({digits})"


@lru_cache(maxsize=1024)
def _compiled(decimal: str, thousands: str, affixes: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(number_pattern(decimal, thousands, affixes))


def number_from_text(text: str, decimal: str, thousands: str, affixes: tuple[str, ...]) -> float | None:
    """Read one stripped value; None where it is not a finite number."""
    match = _compiled(decimal, thousands, affixes).fullmatch(text)
    if match is None:
        return _TRUTH.get(text.lower())
    first, second, digits = match.groups()
    try:
        number = float(_plain(first + second + digits, decimal, thousands))
    except ValueError:  # a sign on both sides of the affix
        return None
    return number if math.isfinite(number) else None


def _plain(number: str, decimal: str, thousands: str) -> str:
    for separator in SPACES if thousands == " " else thousands:
        number = number.replace(separator, "")
    return number.replace(decimal, ".").replace(_MINUS, "-")


def numbers_from_text(text: pl.Series, decimal: str, thousands: str, affixes: tuple[str, ...]) -> pl.Series:
    """Read a column of stripped text: Float64 with null where the value is null or not a finite number."""
    if decimal == ".":
        numbers = _finite(text.cast(pl.Float64, strict=False))
        positions = (numbers.is_null() & text.is_not_null()).arg_true()
        if positions.len() == 0:
            return numbers
        return numbers.scatter(positions, _by_grammar(text.gather(positions), decimal, thousands, affixes))
    return _by_grammar(text, decimal, thousands, affixes)


def _finite(numbers: pl.Series) -> pl.Series:
    return numbers.set(~numbers.is_finite(), None)


def _by_grammar(text: pl.Series, decimal: str, thousands: str, affixes: tuple[str, ...]) -> pl.Series:
    value = pl.col("value")
    groups = value.str.extract_groups(f"^{number_pattern(decimal, thousands, affixes)}$").struct
    plain = groups.field("1") + groups.field("2") + groups.field("3")
    if thousands:
        plain = plain.str.replace_all(f"[{SPACES}]" if thousands == " " else re.escape(thousands), "")
    plain = plain.str.replace(decimal, ".", literal=True).str.replace_all(_MINUS, "-", literal=True)
    truth = pl.when(value.str.to_lowercase() == "true").then(1.0).when(value.str.to_lowercase() == "false").then(0.0)
    frame = text.to_frame("value").select(pl.coalesce(plain.cast(pl.Float64, strict=False), truth))
    return _finite(frame.to_series())


def is_number(text: str) -> bool:
    """Tell whether Python's `float` reads a text, which takes words such as nan too."""
    try:
        float(text)
    except ValueError:
        return False
    return True
