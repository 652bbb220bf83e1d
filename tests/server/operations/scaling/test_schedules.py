"""Scheduled actions: when they run, and what they do to the bounds and the capacity."""

from datetime import UTC, datetime
from typing import Any

import pytest

from headrace.server.clock import moment
from headrace.server.errors import InvalidInput
from headrace.server.operations.scaling.schedules import describe_scheduled_actions, put_scheduled_action
from headrace.server.operations.scaling.targets import describe_scalable_targets

HOUR = 3_600_000
NAMED = {
    "service_namespace": "sagemaker",
    "resource_id": "endpoint/scaled/variant/all",
    "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
}


def schedule(stage: Any, name: str, when: str, low: int | None = None, high: int | None = None, **more: Any) -> None:
    bounds = {name: value for name, value in (("min_capacity", low), ("max_capacity", high)) if value is not None}
    stage.call(
        put_scheduled_action, **NAMED, scheduled_action_name=name, schedule=when,
        scalable_target_action=bounds or None, **more,
    )  # fmt: skip


def at(stage: Any, hours: float) -> str:
    return f"at({moment(int(stage.now + hours * HOUR)).strftime('%Y-%m-%dT%H:%M:%S')})"


def bounds(stage: Any) -> tuple[int, int]:
    (target,) = stage.call(describe_scalable_targets, service_namespace="sagemaker")["scalable_targets"]
    return target["min_capacity"], target["max_capacity"]


def told(stage: Any, since: int) -> list[tuple[str, str, str]]:
    return [(each["description"], each["cause"], each["status_code"]) for each in stage.activities(since=since)]


def test_an_action_sets_the_bounds_and_brings_the_capacity_within_them(stage: Any) -> None:
    began = stage.now
    stage.register()
    schedule(stage, "up", at(stage, 1), low=2, high=6)
    schedule(stage, "down", at(stage, 2), low=1, high=1)
    stage.attend()
    assert (stage.count, bounds(stage)) == (1, (1, 4))
    stage.ahead += HOUR
    stage.attend()
    assert (stage.count, bounds(stage)) == (2, (2, 6))
    stage.ahead += HOUR
    stage.attend()
    assert (stage.count, bounds(stage)) == (1, (1, 1))
    assert told(stage, began) == [
        ("Setting min capacity to 2 and max capacity to 6", "scheduled action name up was triggered", "Successful"),
        ("Setting desired instance count to 2.", "minimum capacity was set to 2", "Successful"),
        ("Setting min capacity to 1 and max capacity to 1", "scheduled action name down was triggered", "Successful"),
        ("Setting desired instance count to 1.", "maximum capacity was set to 1", "Successful"),
    ]
    stage.ahead += HOUR
    stage.attend()
    assert len(told(stage, began)) == 4, "each ran once"


def test_a_recurring_action_runs_within_its_time_and_once_for_all_that_was_missed(stage: Any) -> None:
    began = stage.now
    stage.register()
    start, end = moment(stage.now + 2 * HOUR), moment(stage.now + 5 * HOUR)
    schedule(stage, "each", "rate(1 hour)", high=3, start_time=start, end_time=end)
    for _ in range(4):
        stage.ahead += HOUR // 2
        stage.attend()
    assert len(told(stage, began)) == 1, "it begins with its start"
    stage.ahead += 2 * HOUR
    stage.attend()
    assert len(told(stage, began)) == 2, "two times are missed"
    stage.ahead += 9 * HOUR
    stage.attend()
    stage.attend()
    assert len(told(stage, began)) == 3, "the last one lies before the end"
    stage.ahead += 9 * HOUR
    stage.attend()
    assert len(told(stage, began)) == 3
    assert bounds(stage) == (1, 3)


def test_an_action_that_comes_due_while_suspended_does_not_run_later(stage: Any) -> None:
    began = stage.now
    stage.register(suspended_state={"scheduled_scaling_suspended": True})
    schedule(stage, "up", at(stage, 1), low=2)
    stage.ahead += HOUR
    stage.attend()
    stage.register(suspended_state={"scheduled_scaling_suspended": False})
    stage.ahead += HOUR
    stage.attend()
    assert (stage.count, bounds(stage)) == (1, (1, 4))
    assert told(stage, began) == []


def test_a_minimum_above_the_maximum_fails_and_leaves_the_bounds(stage: Any) -> None:
    began = stage.now
    stage.register(high=2)
    schedule(stage, "up", at(stage, 1), low=3)
    stage.ahead += HOUR
    stage.attend()
    assert (stage.count, bounds(stage)) == (1, (1, 2))
    assert [each[2] for each in told(stage, began)] == ["Failed"]


def test_a_change_keeps_what_it_does_not_name_but_start_and_end(stage: Any) -> None:
    stage.register()
    end = moment(stage.now + 400 * 24 * HOUR)
    schedule(
        stage,
        "daily",
        "cron(0 8 * * ? *)",
        low=2,
        timezone="Europe/Paris",
        start_time=datetime(2026, 1, 1, tzinfo=UTC),
        end_time=end,
    )
    (before,) = stage.call(describe_scheduled_actions, service_namespace="sagemaker")["scheduled_actions"]
    assert (before["timezone"], before["end_time"]) == ("Europe/Paris", end)
    stage.call(put_scheduled_action, **NAMED, scheduled_action_name="daily", scalable_target_action={"max_capacity": 9})
    (after,) = stage.call(describe_scheduled_actions, service_namespace="sagemaker")["scheduled_actions"]
    assert after["schedule"] == "cron(0 8 * * ? *)"
    assert after["scalable_target_action"] == {"max_capacity": 9}
    assert (after["timezone"], after["scheduled_action_arn"]) == ("Europe/Paris", before["scheduled_action_arn"])
    assert "start_time" not in after and "end_time" not in after


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"when": "at(2020-01-01T00:00:00)", "low": 1}, "never due"),
        ({"when": "rate(5 minutes)"}, "needs a Schedule"),
        ({"when": "rate(5 minutes)", "low": -1}, "0 or more"),
        ({"when": "rate(5 minutes)", "low": 3, "high": 2}, "cannot be less than minimum"),
        ({"when": "rate(5 minutes)", "low": 1, "timezone": "UTC"}, "leave it out with a rate"),
        ({"when": "rate(5 minutes)", "low": 1, "end_time": datetime(2020, 1, 1, tzinfo=UTC)}, "EndTime must be later"),
        ({"when": "cron(0 8 * * ? *)", "low": 1, "timezone": "Nowhere"}, "IANA"),
    ],
)
def test_what_can_never_be_done_is_refused(stage: Any, given: dict[str, Any], words: str) -> None:
    stage.register()
    with pytest.raises(InvalidInput, match=words):
        schedule(stage, "wrong", **given)
