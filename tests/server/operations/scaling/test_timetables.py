"""When schedules are due."""

from datetime import UTC, datetime

import pytest

from headrace.server.clock import moment, stamp
from headrace.server.errors import InvalidInput
from headrace.server.operations.scaling.timetables import following

NEW_YORK = "America/New_York"
NOW = stamp(datetime(2026, 11, 30, 16, 30, 30, tzinfo=UTC))  # a Monday


def times(schedule: str, timezone: str = "UTC", *, after: int = NOW, anchor: int = NOW, count: int = 1) -> list[str]:
    found = []
    for _ in range(count):
        due = following(schedule, timezone, after=after, anchor=anchor)
        if due is None:
            break
        found.append(moment(due).strftime("%Y-%m-%d %H:%M:%S"))
        after = due
    return found


@pytest.mark.parametrize(
    ("schedule", "timezone", "expected"),
    [
        ("at(2026-12-01T00:00:00)", "UTC", ["2026-12-01 00:00:00"]),
        ("at(2026-12-01T08:00:00)", "Asia/Tokyo", ["2026-11-30 23:00:00"]),
        ("at(2026-12-01T00:00:00)", "Asia/Tokyo", []),
        ("rate(5 minutes)", "UTC", ["2026-11-30 16:35:30", "2026-11-30 16:40:30"]),
        ("rate(1 day)", "UTC", ["2026-12-01 16:30:30", "2026-12-02 16:30:30"]),
        ("cron(0 8 * * ? *)", "UTC", ["2026-12-01 08:00:00", "2026-12-02 08:00:00"]),
        ("cron(0/20 11-12,14 ? * MON-FRI *)", NEW_YORK,
         ["2026-11-30 16:40:00", "2026-11-30 17:00:00", "2026-11-30 17:20:00", "2026-11-30 17:40:00", "2026-11-30 19:00:00"]),
        ("cron(0 0 L * ? *)", "UTC", ["2026-12-31 00:00:00", "2027-01-31 00:00:00", "2027-02-28 00:00:00"]),
        ("cron(0 9 15W 8,11 ? 2026-2027)", "UTC", ["2027-08-16 09:00:00", "2027-11-15 09:00:00"]),
        ("cron(0 9 1W 5 ? *)", "UTC", ["2027-05-03 09:00:00"]),
        ("cron(0 9 LW 1 ? *)", "UTC", ["2027-01-29 09:00:00"]),
        ("cron(0 0 ? FEB FRI#5 *)", "UTC", ["2036-02-29 00:00:00"]),
        ("cron(0 0 ? * 6L *)", "UTC", ["2026-12-25 00:00:00", "2027-01-29 00:00:00"]),
        ("cron(0 0 ? * L *)", "UTC", ["2026-12-05 00:00:00", "2026-12-12 00:00:00"]),
        ("cron(0 0 29 2 ? *)", "UTC", ["2028-02-29 00:00:00", "2032-02-29 00:00:00"]),
        ("cron(0 0 30 2 ? *)", "UTC", []),
        ("cron(0 0 1 1 ? 2020)", "UTC", []),
    ],
)  # fmt: skip
def test_times_at_which_a_schedule_is_due(schedule: str, timezone: str, expected: list[str]) -> None:
    assert times(schedule, timezone, count=max(1, len(expected))) == expected


def test_a_local_time_that_a_zone_skips_is_shifted_and_one_that_it_has_twice_counts_once() -> None:
    march, november = (stamp(datetime(2027, month, 1, tzinfo=UTC)) for month in (3, 11))
    assert times("cron(30 2 ? * SUN *)", NEW_YORK, after=march, count=3) == [
        "2027-03-07 07:30:00", "2027-03-14 07:30:00", "2027-03-21 06:30:00",
    ]  # fmt: skip
    assert times("cron(30 1 ? * SUN *)", NEW_YORK, after=november, count=2) == [
        "2027-11-07 05:30:00", "2027-11-14 06:30:00",
    ]  # fmt: skip


def test_a_start_beyond_all_years_never_comes() -> None:
    assert times("cron(0 8 * * ? *)", "Asia/Tokyo", after=stamp(datetime.max.replace(tzinfo=UTC))) == []


def test_a_rate_counts_from_its_anchor() -> None:
    start = NOW + 3_600_000
    assert times("rate(12 hours)", after=start - 1, anchor=start, count=2) == [
        "2026-11-30 17:30:30",
        "2026-12-01 05:30:30",
    ]
    assert times("rate(12 hours)", after=start + 50 * 3_600_000, anchor=start) == ["2026-12-03 05:30:30"]


@pytest.mark.parametrize(
    ("schedule", "timezone", "words"),
    [
        ("every day", "UTC", "is none of at"),
        ("cron(0 8 * * ?)", "UTC", "has 5 fields"),
        ("cron(0 8 * * * *)", "UTC", "needs [?]"),
        ("cron(0 8 ? * ? *)", "UTC", "needs [?]"),
        ("cron(60 8 * * ? *)", "UTC", "'60' in the cron expression is not between 0 and 59"),
        ("cron(0 8 ? * XYZ *)", "UTC", "'XYZ' in the cron expression"),
        ("cron(0 8 32 * ? *)", "UTC", "'32' in the cron expression"),
        ("cron(0 8 ? * 2#6 *)", "UTC", "'6' in the cron expression"),
        ("cron(*/0 8 ? * 2 *)", "UTC", "'0' in the cron expression"),
        ("cron(5-1 8 ? * 2 *)", "UTC", "from 5 back to 1"),
        ("cron(0 8 ? * , *)", "UTC", "''"),
        ("cron(² 8 ? * 2 *)", "UTC", "'²'"),
        ("rate(0 minutes)", "UTC", "not a whole number"),
        ("rate(5 weeks)", "UTC", "not a whole number"),
        ("at(2026-13-01T00:00:00)", "UTC", "does not name a time"),
        ("at(2026-12-01)", "UTC", "does not name a time"),
        ("at(2026-12-01T00:00:00)", "../../etc/passwd", "not one of the IANA time zones"),
        ("at(2026-12-01T00:00:00)", "Mars/Olympus", "not one of the IANA time zones"),
    ],
)
def test_what_is_no_schedule_is_refused(schedule: str, timezone: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        following(schedule, timezone, after=NOW, anchor=NOW)
