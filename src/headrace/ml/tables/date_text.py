"""Dates held as text: strptime-like formats, read for a whole column at once or for a single value.

A format names the date part only, in strptime's directives (%Y %y %m %d %b); a time of day, a fraction of a second,
AM or PM and a zone may follow any of them. `epoch` and `epoch_ms` are seconds and milliseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import polars as pl

from headrace.ml.tables.native_values import quotient
from headrace.ml.tables.number_text import number_from_text, numbers_from_text

EPOCHS = {"epoch": 1.0, "epoch_ms": 1000.0}
_LAST_SECOND = 253402300799.0  # the end of the year 9999
_MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6}
_MONTHS |= {"jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12}
_MONTH_NAMES = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_DIRECTIVES = {
    "%Y": "(?P<year>[0-9]{4})",
    "%y": "(?P<short_year>[0-9]{2})",
    "%m": "(?P<month>[0-9]{1,2})",
    "%d": "(?P<day>[0-9]{1,2})",
    "%b": f"(?P<month_name>(?i:{_MONTH_NAMES}))\\.?",
}
_TIME = (
    r"(?:(?:[Tt]|,? +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: ?(?P<zone>[Zz]|UTC|GMT|[+\-][0-9]{2}(?::?[0-9]{2})?))?)?"
)


@lru_cache(maxsize=256)
def date_pattern(date_format: str) -> str:
    """Return the regular expression of a date format; it reads the same in Python's `re` and in Polars.

    >>> import re
    >>> re.fullmatch(date_pattern("%d/%m/%Y"), "03/04/2021 10:15")["month"]
    '04'
    """
    compact = "%Y%m%d" in date_format
    parts = re.split(r"(%[A-Za-z])", date_format)
    pattern = "".join(_DIRECTIVES[part] if part in _DIRECTIVES else re.escape(part) for part in parts)
    if compact:
        pattern = pattern.replace("{1,2}", "{2}")
    weekday = "(?:[A-Za-z]{3,9},? +)?" if "%b" in date_format else ""
    return weekday + pattern + _TIME


@lru_cache(maxsize=256)
def _compiled(date_format: str) -> re.Pattern[str]:
    return re.compile(date_pattern(date_format))


def date_from_text(text: str, formats: tuple[str, ...]) -> float | None:
    """Read one stripped value by the first format that fits: seconds since 1970-01-01 UTC, or None."""
    for date_format in formats:
        if date_format in EPOCHS:
            seconds = number_from_text(text, ".", "", ())
            if seconds is not None and abs(seconds := seconds / EPOCHS[date_format]) <= _LAST_SECOND:
                return seconds
        elif match := _compiled(date_format).fullmatch(text):
            found = _seconds(match.groupdict())
            if found is not None:
                return found
    return None


def _seconds(fields: Mapping[str, str | None]) -> float | None:
    year = int(fields.get("year") or 0)
    if short := fields.get("short_year"):
        year = int(short) + (2000 if int(short) < 69 else 1900)
    name = fields.get("month_name")
    month = _MONTHS.get(name[:3].lower(), 0) if name else int(fields.get("month") or 0)
    day = int(fields.get("day") or 1)
    hour, minute, second = (int(fields[part] or 0) for part in ("hour", "minute", "second"))
    if half := fields["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in "Pp" else 0)
    zone = fields["zone"] or "Z"
    offset = 0
    if zone[0] in "+-":
        offset = (int(zone[1:3]) * 60 + int(zone[3:].lstrip(":") or 0)) * (-60 if zone[0] == "-" else 60)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not (1 <= month <= 12 and year >= 1 and hour <= 23 and minute <= 59 and second <= 59):
        return None
    if not 1 <= day <= (28 + leap if month == 2 else 30 + (month + month // 8) % 2):
        return None
    whole = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
    return (whole * 1_000_000 + int((fields["fraction"] or "").ljust(6, "0")[:6])) / 1e6


def days_from_civil(year: int, month: int, day: int) -> int:
    """Count the days since 1970-01-01 in the Gregorian calendar (H. Hinnant, "chrono-compatible date algorithms")."""
    year -= month <= 2
    century = year // 400
    of_century = year - century * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return century * 146097 + of_century * 365 + of_century // 4 - of_century // 100 + of_year - 719468


def dates_from_text(text: pl.Series, formats: tuple[str, ...]) -> pl.Series:
    """Read a column of stripped text: Float64 seconds since 1970-01-01 UTC, null where no format fits."""
    seconds = pl.Series(text.name, [None], dtype=pl.Float64).new_from_index(0, text.len())
    for date_format in formats:
        positions = (seconds.is_null() & text.is_not_null()).arg_true()
        if positions.len() == 0:
            break
        seconds = seconds.scatter(positions, _by_format(text.gather(positions), date_format))
    return seconds


def _by_format(text: pl.Series, date_format: str) -> pl.Series:
    if date_format in EPOCHS:
        numbers = quotient(numbers_from_text(text, ".", "", ()), EPOCHS[date_format])
        return numbers.set(numbers.abs() > _LAST_SECOND, None)
    pattern = f"^{date_pattern(date_format)}$"
    fields = text.to_frame("value").select(pl.col("value").str.extract_groups(pattern)).unnest("value")
    return quotient(fields.select(_microseconds(set(re.findall(r"\?P<(\w+)>", pattern)))).to_series(), 1e6)


def _microseconds(names: set[str]) -> pl.Expr:
    def whole(name: str) -> pl.Expr:
        return pl.col(name).cast(pl.Int64)

    year, month, day = pl.lit(0), pl.lit(0), pl.lit(1)
    if "year" in names:
        year = whole("year")
    if "short_year" in names:
        year = whole("short_year") + pl.when(whole("short_year") < 69).then(2000).otherwise(1900)
    if "month" in names:
        month = whole("month")
    if "month_name" in names:
        lower = pl.col("month_name").str.slice(0, 3).str.to_lowercase()
        month = lower.replace_strict(_MONTHS, default=None, return_dtype=pl.Int64)
    if "day" in names:
        day = whole("day")
    hour, minute, second = (whole(name).fill_null(0) for name in ("hour", "minute", "second"))
    half, zone = pl.col("half"), pl.col("zone")
    twelve = half.is_null() | hour.is_between(1, 12)
    hour = (
        pl.when(half.is_null()).then(hour).otherwise(hour % 12 + pl.when(half.is_in(["P", "p"])).then(12).otherwise(0))
    )
    minutes = zone.str.slice(1, 2).cast(pl.Int64, strict=False) * 60 + (
        zone.str.slice(3).str.strip_chars_start(":").cast(pl.Int64, strict=False).fill_null(0)
    )
    sign = pl.when(zone.str.starts_with("-")).then(-60).when(zone.str.starts_with("+")).then(60).otherwise(0)
    offset = (minutes * sign).fill_null(0)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = pl.when(month == 2).then(28 + leap.cast(pl.Int64)).otherwise(30 + (month + month // 8) % 2)
    valid = month.is_between(1, 12) & (year >= 1) & (hour <= 23) & (minute <= 59) & (second <= 59)
    valid = valid & twelve & day.is_between(1, longest)
    of_year = year - (month <= 2).cast(pl.Int64)
    century = of_year // 400
    of_century = of_year - century * 400
    day_of_year = (153 * (month + pl.when(month > 2).then(-3).otherwise(9)) + 2) // 5 + day - 1
    days = century * 146097 + of_century * 365 + of_century // 4 - of_century // 100 + day_of_year - 719468
    fraction = pl.col("fraction").fill_null("").str.slice(0, 6).str.pad_end(6, "0").cast(pl.Int64)
    total = days * 86400 + hour * 3600 + minute * 60 + second - offset
    return pl.when(valid).then(total * 1_000_000 + fraction)
