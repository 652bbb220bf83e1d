"""When schedules are due, and which data their executions look at."""

import pytest

from headrace.server.errors import InvalidInput
from headrace.server.operations.monitoring.times import DAY, HOUR, read_schedule

MIDNIGHT = 20_000 * DAY
HOURLY, NOON = "cron(0 * ? * * *)", "cron(0 12 ? * * *)"


@pytest.mark.parametrize(
    ("expression", "now", "hours"),
    [
        (HOURLY, 9.5, 10),
        (HOURLY, 10, 11),
        (HOURLY, 23.9, 24),
        (NOON, 9, 12),
        (NOON, 12, 36),
        ("cron(0 17/12 ? * * *)", 9, 17),
        ("cron(0 17/12 ? * * *)", 18, 29),
        ("cron(0 0/2 ? * * *)", 3, 4),
    ],
)
def test_the_next_time_is_the_first_after_now(expression: str, now: float, hours: int) -> None:
    schedule = read_schedule({"schedule_expression": expression})
    assert schedule.next_after(MIDNIGHT + int(now * HOUR)) == MIDNIGHT + hours * HOUR


def test_without_a_schedule_it_is_daily() -> None:
    assert read_schedule(None).next_after(MIDNIGHT) == MIDNIGHT + DAY


@pytest.mark.parametrize(
    ("expression", "at", "first"), [(HOURLY, 10, 9), (HOURLY, 0, -1), (NOON, 12, -12), ("cron(0 0/6 ? * * *)", 6, 0)]
)
def test_an_execution_looks_at_what_came_since_the_one_before(expression: str, at: int, first: int) -> None:
    window = read_schedule({"schedule_expression": expression}).window(MIDNIGHT + at * HOUR)
    assert (window.start, window.end) == (MIDNIGHT + first * HOUR, MIDNIGHT + at * HOUR)
    assert len(window.hours()) == at - first


def test_offsets_choose_other_data() -> None:
    given = {"data_analysis_start_time": "-P1DT2H29M60S", "data_analysis_end_time": "-PT12H"}
    window = read_schedule({"schedule_expression": HOURLY, **given}).window(MIDNIGHT)
    assert (window.start, window.end) == (MIDNIGHT - 26 * HOUR - HOUR // 2, MIDNIGHT - 12 * HOUR)
    once = {"schedule_expression": "NOW", "data_analysis_start_time": "-PT1H", "data_analysis_end_time": "-PT0H"}
    window = read_schedule(once).window(MIDNIGHT + HOUR // 2)
    assert window.hours() == [MIDNIGHT - HOUR, MIDNIGHT]


@pytest.mark.parametrize(
    "expression",
    ["hourly", "cron(5 * ? * * *)", "cron(0 24 ? * * *)", "cron(0 * * * * *)", "rate(1 hour)", "cron(0 0/25 ? * * *)",
     "cron(0 0/0 ? * * *)", "now"],
)  # fmt: skip
def test_other_expressions_are_refused(expression: str) -> None:
    with pytest.raises(InvalidInput, match=r"write cron\(0 \* \? \* \* \*\) for every hour"):
        read_schedule({"schedule_expression": expression})


@pytest.mark.parametrize(
    ("start", "end", "sentence"),
    [
        (None, None, "NOW needs DataAnalysisStartTime and DataAnalysisEndTime"),
        ("-PT1H", None, "NOW needs"),
        ("-PT1H", "-PT1H", "must be more than none and at most 24 hours"),
        ("-PT1H", "-PT2H", "must be more than none and at most 24 hours"),
        ("-P2D", "-PT0H", "must be more than none and at most 24 hours"),
        ("-PT1H", "PT1H", "'PT1H' is no time before an execution"),
        ("P", "PT0H", "'P' is no time before an execution"),
        ("-PT", "PT0H", "'-PT' is no time before an execution"),
        ("-P9999999999999D", "PT0H", "is no time before an execution"),
    ],
)
def test_bad_offsets_are_refused(start: str | None, end: str | None, sentence: str) -> None:
    given = {"schedule_expression": "NOW", "data_analysis_start_time": start, "data_analysis_end_time": end}
    with pytest.raises(InvalidInput, match=sentence):
        read_schedule(given)
