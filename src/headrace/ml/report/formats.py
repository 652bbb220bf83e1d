"""How numbers, money, times and sizes are written for people."""

from __future__ import annotations

import datetime
from typing import Any

NOTHING = "–"


def number(value: Any, digits: int = 4) -> str:
    """Write a number with `digits` significant digits and thousands separators; None as a dash."""
    if value is None:
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or (value == round(value) and abs(value) < 1e15):
        return f"{int(value):,}"
    magnitude = abs(value)
    if magnitude >= 1e9 or magnitude < 1e-4:
        return f"{value:.{digits - 1}g}"
    decimals = max(0, digits - len(str(int(magnitude)))) if magnitude >= 1 else digits
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(value: Any, decimals: int = 1) -> str:
    """Write a share as a percentage."""
    return NOTHING if value is None else f"{100 * value:.{decimals}f}\u00a0%"


def money(value: Any, currency: str) -> str:
    """Write an amount of money with its currency."""
    if value is None:
        return NOTHING
    sign = "−" if value < 0 else ""
    return f"{sign}{abs(value):,.{2 if abs(value) < 1000 else 0}f}\u00a0{currency}"


def duration(seconds: Any) -> str:
    """Write a time span in the unit that fits."""
    if seconds is None:
        return NOTHING
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.1f} min"


def size(count: Any) -> str:
    """Write a number of bytes."""
    if count is None:
        return NOTHING
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} bytes"


def date_text(seconds: float) -> str:
    """Write seconds since 1970-01-01 UTC as a date, with the time of day where there is one."""
    try:
        moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    except (OverflowError, ValueError, OSError):
        return number(seconds)
    return moment.strftime("%Y-%m-%d %H:%M" if moment.hour or moment.minute else "%Y-%m-%d")


def moment(text: Any) -> str:
    """Write an ISO 8601 time stamp as people read it; what is none stays as it is."""
    try:
        stamp = datetime.datetime.fromisoformat(str(text))
    except ValueError:
        return str(text)
    if stamp.tzinfo is not None:
        return f"{stamp.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"
    return f"{stamp:%Y-%m-%d %H:%M}"


def words(name: str) -> str:
    """Turn a name_with_underscores into words."""
    return str(name).replace("_", " ")


def sentence(text: Any) -> str:
    """Begin with a capital letter, and leave the rest as it is."""
    said = str(text)
    return said[:1].upper() + said[1:]
