"""Monitoring schedules by the clock: once for each hour, also after a stop, and hours that were missed are noted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headrace.cli.chores import run_monitoring
from headrace.cli.opening import open_platform
from headrace.server import resources
from headrace.server.app.upkeep import by_itself
from headrace.server.clock import moment
from headrace.server.context import Context, Platform
from headrace.server.jobs.queue import listing
from headrace.server.operations.endpoints.states import ENDPOINT, IN_SERVICE, UPDATING, endpoint_named, move
from headrace.server.operations.identity.roles import create_role
from headrace.server.operations.monitoring.executions import list_monitoring_executions
from headrace.server.operations.monitoring.schedules import (
    create_monitoring_schedule,
    delete_monitoring_schedule,
    describe_monitoring_schedule,
    start_monitoring_schedule,
    stop_monitoring_schedule,
    update_monitoring_schedule,
)
from headrace.server.operations.processing.jobs import describe_processing_job, list_processing_jobs
from headrace.server.settings import Settings

HOUR, MINUTE = 3_600_000, 60_000
NINE = 1_790_067_600_000
"""09:00 UTC of a day."""
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"


class Clock:
    """A clock that stands until it is told to move."""

    now = NINE + 10 * MINUTE

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(tmp_path: Path, clock: Clock) -> Iterator[Platform]:
    with open_platform(Settings(data=tmp_path / "data"), clock) as opened:
        yield opened.platform


def config(role: str, expression: str = "cron(0 * ? * * *)") -> dict[str, Any]:
    return {
        "schedule_config": {"schedule_expression": expression},
        "monitoring_job_definition": {
            "monitoring_inputs": [{"endpoint_input": {"endpoint_name": "e", "local_path": "/opt/ml/processing/in"}}],
            "monitoring_output_config": {
                "monitoring_outputs": [{"s3_output": {"s3_uri": "s3://b/r", "local_path": "/opt/ml/processing/out"}}]
            },
            "monitoring_resources": {
                "cluster_config": {"instance_count": 1, "instance_type": "ml.m5.large", "volume_size_in_gb": 1}
            },
            "monitoring_app_specification": {"image_uri": ANALYZER},
            "role_arn": role,
        },
    }


def make_schedule(platform: Platform) -> dict[str, Any]:
    """Make an hourly schedule "s" of an endpoint "e" that captures data; return its configuration."""

    def make(context: Context) -> dict[str, Any]:
        policy = json.dumps(TRUST)
        role = create_role(context, role_name="monitor", assume_role_policy_document=policy)["role"]["arn"]
        model = {"containers": [{}], "direct": False, "execution_role_arn": role}
        variant = {"variant_name": "All", "model_name": "m", "current_weight": 1.0, "model": model}
        capture = {"enable_capture": True, "destination_s3_uri": "s3://b/captured/"}
        deployment = {"endpoint_config_name": "c", "variants": [variant], "data_capture_config": capture}
        record = {"lowered": "e", "deployment": deployment}
        stored = resources.create(context.connection, ENDPOINT, context.place, "e", record, now=context.now)
        resources.change(context.connection, ENDPOINT, stored, now=context.now, state=IN_SERVICE)
        wanted = config(role)
        create_monitoring_schedule(context, monitoring_schedule_name="s", monitoring_schedule_config=wanted)
        return wanted

    return by_itself(platform, make)


@pytest.fixture
def schedule(platform: Platform) -> dict[str, Any]:
    return make_schedule(platform)


def executions(platform: Platform) -> list[tuple[int, str]]:
    """Return the hours after nine and the states of all executions, the oldest first."""
    found = by_itself(platform, lambda context: list_monitoring_executions(context, sort_by="ScheduledTime"))
    pairs = [
        (each["scheduled_time"], each["monitoring_execution_status"])
        for each in found["monitoring_execution_summaries"]
    ]
    return [((round(time.timestamp() * 1000) - NINE) // HOUR, state) for time, state in reversed(pairs)]


def test_an_hour_is_analysed_once(platform: Platform, clock: Clock, schedule: dict[str, Any]) -> None:
    run_monitoring(platform, clock())
    assert executions(platform) == []
    clock.now = NINE + HOUR
    for _ in range(3):
        run_monitoring(platform, clock())
    clock.now += MINUTE
    run_monitoring(platform, clock())
    assert executions(platform) == [(1, "Pending")]
    with platform.metadata.reading() as connection:
        assert [job.kind for job in listing(connection)[0]] == ["processing"]
    job = by_itself(
        platform,
        lambda context: describe_processing_job(
            context,
            processing_job_name=list_processing_jobs(context)["processing_job_summaries"][0]["processing_job_name"],
        ),
    )
    hour = f"{moment(NINE):%Y/%m/%d}/09"
    (data,) = [each["s3_input"] for each in job["processing_inputs"]]
    assert data["s3_uri"] == f"s3://b/captured/e/All/{hour}"
    output = job["processing_output_config"]["outputs"][0]["s3_output"]["s3_uri"]
    assert output == f"s3://b/r/e/s/{moment(NINE):%Y/%m/%d}/10"
    assert job["environment"]["start_time"] == f"{moment(NINE):%Y-%m-%dT%H:%M:%SZ}"


def test_an_hour_is_analysed_up_to_twenty_minutes_late_and_missed_ones_are_noted(
    platform: Platform, clock: Clock, schedule: dict[str, Any]
) -> None:
    clock.now = NINE + 3 * HOUR + 19 * MINUTE
    run_monitoring(platform, clock())
    assert executions(platform) == [(1, "Failed"), (2, "Failed"), (3, "Pending")]
    found = by_itself(platform, lambda context: list_monitoring_executions(context, status_equals="Failed"))
    reason = found["monitoring_execution_summaries"][0]["failure_reason"]
    assert reason.startswith("The server did not run at 2026-")
    clock.now = NINE + 4 * HOUR + 21 * MINUTE
    run_monitoring(platform, clock())
    assert executions(platform)[3:] == [(4, "Failed")]


def test_a_server_that_starts_again_goes_on_where_it_was(tmp_path: Path, clock: Clock) -> None:
    settings = Settings(data=tmp_path / "data")
    with open_platform(settings, clock) as opened:
        make_schedule(opened.platform)
        clock.now = NINE + HOUR
        run_monitoring(opened.platform, clock())
    with open_platform(settings, clock) as opened:
        run_monitoring(opened.platform, clock())
        assert executions(opened.platform) == [(1, "Pending")]
        clock.now = NINE + 2 * HOUR
        run_monitoring(opened.platform, clock())
        assert executions(opened.platform) == [(1, "Pending"), (2, "Pending")]


def test_many_missed_hours_are_noted_up_to_a_day(platform: Platform, clock: Clock, schedule: dict[str, Any]) -> None:
    clock.now = NINE + 100 * HOUR
    run_monitoring(platform, clock())
    found = by_itself(platform, lambda context: list_monitoring_executions(context, max_results=100))
    assert len(found["monitoring_execution_summaries"]) == 24


def test_a_stopped_schedule_rests_and_goes_on_with_the_next_hour(
    platform: Platform, clock: Clock, schedule: dict[str, Any]
) -> None:
    by_itself(platform, lambda context: stop_monitoring_schedule(context, monitoring_schedule_name="s"))
    clock.now = NINE + 2 * HOUR
    run_monitoring(platform, clock())
    by_itself(platform, lambda context: start_monitoring_schedule(context, monitoring_schedule_name="s"))
    run_monitoring(platform, clock())
    assert executions(platform) == []
    clock.now = NINE + 3 * HOUR
    run_monitoring(platform, clock())
    assert executions(platform) == [(3, "Pending")]
    by_itself(platform, lambda context: delete_monitoring_schedule(context, monitoring_schedule_name="s"))
    clock.now = NINE + 4 * HOUR
    run_monitoring(platform, clock())
    assert executions(platform) == [(3, "Pending")]


def test_a_changed_schedule_follows_its_new_times(platform: Platform, clock: Clock, schedule: dict[str, Any]) -> None:
    changed = schedule | {"schedule_config": {"schedule_expression": "cron(0 12 ? * * *)"}}
    by_itself(
        platform,
        lambda context: update_monitoring_schedule(
            context, monitoring_schedule_name="s", monitoring_schedule_config=changed
        ),
    )
    clock.now = NINE + 2 * HOUR
    run_monitoring(platform, clock())
    assert executions(platform) == []
    clock.now = NINE + 3 * HOUR
    run_monitoring(platform, clock())
    assert executions(platform) == [(3, "Pending")]


def test_an_endpoint_that_captures_no_longer_fails_the_execution(
    platform: Platform, clock: Clock, schedule: dict[str, Any]
) -> None:
    def stop_capture(context: Context) -> None:
        stored = endpoint_named(context.connection, context.place, "e")
        record = {**stored.record, "deployment": {**stored.record["deployment"], "data_capture_config": None}}
        move(context.connection, stored, UPDATING, context.now, record)

    by_itself(platform, stop_capture)
    clock.now = NINE + HOUR
    run_monitoring(platform, clock())
    assert executions(platform) == [(1, "Failed")]
    told = by_itself(platform, lambda context: describe_monitoring_schedule(context, monitoring_schedule_name="s"))
    assert told["last_monitoring_execution_summary"]["failure_reason"].startswith("The endpoint e captures no data")


def test_an_endpoint_that_is_still_being_made_can_be_monitored(
    platform: Platform, clock: Clock, schedule: dict[str, Any]
) -> None:
    def unmake(context: Context) -> None:
        stored = endpoint_named(context.connection, context.place, "e")
        record = {"lowered": "e", "pending": stored.record["deployment"]}
        resources.change(context.connection, ENDPOINT, stored, now=context.now, record=record)
        create_monitoring_schedule(context, monitoring_schedule_name="t", monitoring_schedule_config=schedule)

    by_itself(platform, unmake)
    clock.now = NINE + HOUR
    run_monitoring(platform, clock())
    assert executions(platform) == [(1, "Pending"), (1, "Pending")]
