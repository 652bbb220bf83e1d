"""When a schedule runs and which time its data is of (AWS page: ScheduleConfig)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from headrace.server.clock import moment
from headrace.server.errors import InvalidInput

NOW = "NOW"
HOUR, DAY = 3_600_000, 86_400_000
_CRON = re.compile(r"cron\(0 (?:(?P<every>\*)|(?P<first>\d{1,2})(?:/(?P<step>\d{1,2}))?) \? \* \* \*\)")
_OFFSET = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<days>\d{1,4})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,4})H)?(?:(?P<minutes>\d{1,5})M)?(?:(?P<seconds>\d{1,7})S)?)?"
)


@dataclass(frozen=True)
class Window:
    """The data that an execution looks at: that of `start` to `end`, in ms since 1970."""

    start: int
    end: int

    def hours(self) -> list[int]:
        """Return the hours that it touches, each as the time when it begins."""
        return list(range(self.start // HOUR * HOUR, self.end, HOUR))


@dataclass(frozen=True)
class Schedule:
    """When executions are due: at `hours` of each day (UTC), or once (none); `offsets` are those of their window."""

    hours: tuple[int, ...]
    offsets: tuple[int, int] | None = None

    def next_after(self, now: int) -> int:
        """Return the first time after `now` at which it is due."""
        return min(
            time for day in (0, DAY) for hour in self.hours if (time := now // DAY * DAY + day + hour * HOUR) > now
        )

    def due(self, since: int, now: int) -> list[int]:
        """Return the times from `since` to `now` at which it was due."""
        found, time = [], since
        while time <= now:
            found.append(time)
            time = self.next_after(time)
        return found

    def window(self, scheduled: int) -> Window:
        """Return the data of the execution of a time: what came since the one before, unless offsets say otherwise."""
        if self.offsets is not None:
            return Window(scheduled + self.offsets[0], scheduled + self.offsets[1])
        before = max(
            time for day in (0, DAY) for hour in self.hours
            if (time := scheduled // DAY * DAY - day + hour * HOUR) < scheduled
        )  # fmt: skip
        return Window(before, scheduled)


def read_schedule(given: Mapping[str, Any] | None) -> Schedule:
    """Return what a ScheduleConfig says, daily at midnight without one; raises InvalidInput."""
    given = given or {}
    expression = given.get("schedule_expression", "cron(0 0 ? * * *)")
    bounds = [given.get("data_analysis_start_time"), given.get("data_analysis_end_time")]
    if expression == NOW and not all(bounds):
        raise _invalid("ScheduleExpression NOW needs DataAnalysisStartTime and DataAnalysisEndTime; give both")
    if any(bounds) and not all(bounds):
        raise _invalid("DataAnalysisStartTime and DataAnalysisEndTime go together; give both or none")
    offsets = (_offset(bounds[0]), _offset(bounds[1])) if bounds[0] and bounds[1] else None
    if offsets is not None and not 0 < offsets[1] - offsets[0] <= DAY:
        raise _invalid(
            f"The time from DataAnalysisStartTime {bounds[0]} to DataAnalysisEndTime {bounds[1]} must be more than "
            "none and at most 24 hours"
        )
    return Schedule(() if expression == NOW else _hours(expression), offsets)


def iso(time: int) -> str:
    """Return a time as AWS writes it."""
    return f"{moment(time):%Y-%m-%dT%H:%M:%SZ}"


def _hours(expression: str) -> tuple[int, ...]:
    found = _CRON.fullmatch(expression)
    if found is not None:
        first, step = int(found["first"] or 0), int(found["step"] or 24)
        if found["every"]:
            return tuple(range(24))
        if first < 24 and 1 <= step <= 24:
            return tuple(sorted({(first + each) % 24 for each in range(0, 24, step)}))
    raise _invalid(
        f"Invalid schedule expression {expression!r}; write cron(0 * ? * * *) for every hour, cron(0 [00-23] ? * * *) "
        "for a time of every day, cron(0 [00-23]/[01-24] ? * * *) for every few hours, or NOW"
    )


def _offset(text: str) -> int:
    found = _OFFSET.fullmatch(text)
    parts = {} if found is None else {name: int(found[name] or 0) for name in ("days", "hours", "minutes", "seconds")}
    length = timedelta(**parts)
    if found is None or text.endswith("P") or length > timedelta(days=31) or (length and found["sign"] != "-"):
        raise _invalid(f"{text!r} is no time before an execution; write an ISO 8601 duration such as -PT1H or PT0H")
    return -int(length.total_seconds() * 1000)


def _invalid(sentence: str) -> InvalidInput:
    return InvalidInput(f"{sentence}.", code="ValidationException")
