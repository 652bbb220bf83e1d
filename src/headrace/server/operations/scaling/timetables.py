"""When something is to be done that is scheduled by at(…), rate(…) or cron(…).

AWS page: Schedule recurring scaling actions using cron expressions (Application Auto Scaling user guide).
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from headrace.server.clock import moment, stamp
from headrace.server.errors import InvalidInput

_EXPRESSION = re.compile(r"(at|rate|cron)\((.*)\)", re.DOTALL)
_AT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")
_RATE = re.compile(r"([1-9]\d{0,8})\s+(minute|hour|day)s?")
_MILLISECONDS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
_MONTHS = {
    "JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6, "JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11,
    "DEC": 12,
}  # fmt: skip
_WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_LAST_YEAR = 2199
_END = stamp(datetime(_LAST_YEAR + 1, 1, 2, tzinfo=UTC))
_FORMS = "at(yyyy-mm-ddThh:mm:ss), rate(VALUE UNIT) or cron(MINUTES HOURS DAY_OF_MONTH MONTH DAY_OF_WEEK YEAR)"


def following(schedule: str, timezone: str, *, after: int, anchor: int) -> int | None:
    """Return the first time (ms) later than `after` at which a schedule is due, or None where there is none.

    A rate counts from `anchor`. A local time that the zone skips is shifted by as much; one that it has twice counts
    once. Raises InvalidInput on an expression or a zone that is not allowed.
    """
    zone = zone_named(timezone)
    found = _EXPRESSION.fullmatch(schedule.strip())
    if found is None:
        raise InvalidInput(f"Schedule {schedule!r} is none of {_FORMS}")
    kind, text = found[1], found[2].strip()
    if kind == "at":
        due = _at(text, zone)
        return due if due > after else None
    if kind == "rate":
        period = _rate(text)
        return anchor + max(0, (after - anchor) // period + 1) * period
    return _following(_cron(text), zone, after)


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone of the IANA database; raises InvalidInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"Timezone {name!r} is not one of the IANA time zones; send one such as Etc/UTC") from None


def _at(text: str, zone: ZoneInfo) -> int:
    try:
        if _AT.fullmatch(text):
            return stamp(datetime.fromisoformat(text).replace(tzinfo=zone))
    except (ValueError, OverflowError):
        pass
    raise InvalidInput(f"at({text}) does not name a time as yyyy-mm-ddThh:mm:ss")


def _rate(text: str) -> int:
    found = _RATE.fullmatch(text)
    if found is None:
        raise InvalidInput(f"rate({text}) is not a whole number with minute, minutes, hour, hours, day or days")
    return int(found[1]) * _MILLISECONDS[found[2]]


@dataclass(frozen=True)
class _Cron:
    minutes: list[int]
    hours: list[int]
    day_of_month: str
    months: list[int]
    day_of_week: str
    years: list[int]

    def days(self, year: int, month: int) -> list[int]:
        """Return the days of a month on which it is due."""
        last = monthrange(year, month)[1]
        if self.day_of_week == "?":
            return _days_of_month(self.day_of_month, year, month, last)
        return [day for day in range(1, last + 1) if _is_weekday(self.day_of_week, date(year, month, day), last)]


def _cron(text: str) -> _Cron:
    fields = text.upper().split()
    if len(fields) != 6:
        raise InvalidInput(f"cron({text}) has {len(fields)} fields, and needs six; Schedule is one of {_FORMS}")
    minutes, hours, day_of_month, month, day_of_week, year = fields
    if (day_of_month == "?") == (day_of_week == "?"):
        raise InvalidInput(f"cron({text}) needs ? as its day of the month or as its day of the week, one of the two")
    cron = _Cron(
        _numbers(minutes, 0, 59), _numbers(hours, 0, 23), day_of_month, _numbers(month, 1, 12, _MONTHS), day_of_week,
        _numbers(year, 1970, _LAST_YEAR),
    )  # fmt: skip
    cron.days(2000, 1)
    return cron


def _following(cron: _Cron, zone: ZoneInfo, after: int) -> int | None:
    if after > _END:
        return None
    for local in _times(cron, moment(after).astimezone(zone).replace(tzinfo=None)):
        for fold in (0, 1):
            due = stamp(local.replace(tzinfo=zone, fold=fold).astimezone(UTC))
            if due > after:
                return due
    return None


def _times(cron: _Cron, after: datetime) -> Iterator[datetime]:
    """Yield the local times later than `after`, in their order."""
    today = (after.year, after.month, after.day)
    for year in cron.years:
        for month in cron.months if year >= after.year else ():
            for day in cron.days(year, month) if (year, month) >= today[:2] else ():
                for hour in cron.hours if (year, month, day) >= today else ():
                    for minute in cron.minutes:
                        local = datetime(year, month, day, hour, minute)
                        if local > after:
                            yield local


def _days_of_month(text: str, year: int, month: int, last: int) -> list[int]:
    if text in ("L", "LW"):
        return [last if text == "L" else _nearest_workday(year, month, last, last)]
    if text.endswith("W"):
        day = _number(text[:-1], 1, 31, {})
        return [_nearest_workday(year, month, day, last)] if day <= last else []
    return [day for day in _numbers(text, 1, 31) if day <= last]


def _nearest_workday(year: int, month: int, day: int, last: int) -> int:
    weekday = date(year, month, day).weekday()
    if weekday == 5:
        return day - 1 if day > 1 else day + 2
    if weekday == 6:
        return day + 1 if day < last else day - 2
    return day


def _is_weekday(text: str, day: date, last: int) -> bool:
    number = day.isoweekday() % 7 + 1
    if text.endswith("L") and len(text) > 1:
        return number == _number(text[:-1], 1, 7, _WEEKDAYS) and day + timedelta(7) > date(day.year, day.month, last)
    if "#" in text:
        name, _, which = text.partition("#")
        of_month = _number(which, 1, 5, {})
        return number == _number(name, 1, 7, _WEEKDAYS) and (day.day - 1) // 7 + 1 == of_month
    return number in _numbers("7" if text == "L" else text, 1, 7, _WEEKDAYS)


def _numbers(text: str, low: int, high: int, names: Mapping[str, int] | None = None) -> list[int]:
    """Return the numbers that a field of a cron expression names, in their order; raises InvalidInput."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = (str(low), "-", str(high)) if span == "*" else span.partition("-")
        begin = _number(first, low, high, names or {})
        end = _number(last, low, high, names or {}) if dash else high if slash else begin
        if end < begin:
            raise InvalidInput(f"The field {text!r} of the cron expression goes from {first} back to {last}; turn it")
        found.update(range(begin, end + 1, _number(step, 1, high, {}) if slash else 1))
    return sorted(found)


def _number(text: str, low: int, high: int, names: Mapping[str, int]) -> int:
    number = names.get(text) or (int(text) if text.isascii() and text.isdigit() and len(text) < 5 else -1)
    if not low <= number <= high:
        raise InvalidInput(f"{text!r} in the cron expression is not between {low} and {high}")
    return number
