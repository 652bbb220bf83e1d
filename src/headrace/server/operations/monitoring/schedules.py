"""Monitoring schedules: created, described, listed, changed, started, stopped, deleted; and run when they are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, NotFound
from headrace.server.operations.monitoring.checks import check_definition
from headrace.server.operations.monitoring.definitions import TYPE, endpoint_of, job_of
from headrace.server.operations.monitoring.executions import last_execution, launch, note_failed
from headrace.server.operations.monitoring.times import iso, read_schedule
from headrace.server.resources import Place, Resource, Stored, member
from headrace.server.stores.metadata.tables.resources import RESOURCES

SCHEDULED, STOPPED = "Scheduled", "Stopped"
MONITORING_SCHEDULE = Resource(
    "sagemaker/monitoring-schedule",
    "monitoring schedule",
    "arn:{partition}:sagemaker:{region}:{account}:monitoring-schedule/{lowered}",
    states={SCHEDULED: (STOPPED,), STOPPED: (SCHEDULED,)},
)
"""A schedule; its record holds `monitoring_schedule_config`, `endpoint_name`, `monitoring_job_definition_name`,

`lowered`, and `next_time` (ms), when it is due next: None where it runs once, which it does when it is made.
"""

LATEST = 20 * 60_000
"""Milliseconds after its time at which an execution may still begin, as AWS says; after that it was missed."""
MOST_NOTED = 24
PAGE = 10


def create_monitoring_schedule(
    context: Context,
    *,
    monitoring_schedule_name: str,
    monitoring_schedule_config: Mapping[str, Any],
    tags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Begin to monitor an endpoint. AWS page: CreateMonitoringSchedule.

    Raises InvalidInput on what can't be monitored, AlreadyExists (ResourceInUse) on a name that is taken.
    """
    record = {"lowered": monitoring_schedule_name.lower(), **_checked(context, monitoring_schedule_config)}
    named = {each["key"]: each["value"] for each in tags}
    place, name = context.place, monitoring_schedule_name
    try:
        stored = resources.create(
            context.connection, MONITORING_SCHEDULE, place, name, record, now=context.now, tags=named
        )
    except AlreadyExists:
        arn = MONITORING_SCHEDULE.arn_of(place, name, record)
        raise AlreadyExists(f"Monitoring Schedule {arn} exists already; choose another name") from None
    _run_once(context, stored)
    return {"monitoring_schedule_arn": stored.arn}


def describe_monitoring_schedule(context: Context, *, monitoring_schedule_name: str) -> dict[str, Any]:
    """Return a schedule and its last execution. AWS page: DescribeMonitoringSchedule."""
    stored = _named(context, monitoring_schedule_name)
    return {
        **_summary(stored),
        "monitoring_schedule_config": stored.record["monitoring_schedule_config"],
        "last_monitoring_execution_summary": last_execution(context, stored),
    }


def list_monitoring_schedules(
    context: Context,
    *,
    endpoint_name: str | None = None,
    monitoring_job_definition_name: str | None = None,
    monitoring_type_equals: str | None = None,
    next_token: str | None = None,
    **asked: Any,
) -> dict[str, Any]:
    """Return schedules, the newest first unless asked otherwise. AWS page: ListMonitoringSchedules."""
    if monitoring_type_equals not in (None, TYPE):
        return {"monitoring_schedule_summaries": []}
    given = {"endpoint_name": endpoint_name, "monitoring_job_definition_name": monitoring_job_definition_name}
    page = resources.search(
        context.connection,
        MONITORING_SCHEDULE,
        context.place,
        asked,
        where=[member(name) == value for name, value in given.items() if value],
        position=context.position(next_token, of="list_monitoring_schedules"),
        sort_order="Descending",
        limit=PAGE,
    )
    return {
        "monitoring_schedule_summaries": [
            {
                **_summary(each),
                "monitoring_job_definition_name": each.record.get("monitoring_job_definition_name"),
            }
            for each in page.items
        ],
        "next_token": context.token(page.position, of="list_monitoring_schedules"),
    }


def update_monitoring_schedule(
    context: Context, *, monitoring_schedule_name: str, monitoring_schedule_config: Mapping[str, Any]
) -> dict[str, Any]:
    """Replace what a schedule does. AWS page: UpdateMonitoringSchedule."""
    stored = _named(context, monitoring_schedule_name)
    record = {"lowered": stored.record["lowered"], **_checked(context, monitoring_schedule_config)}
    changed = resources.change(context.connection, MONITORING_SCHEDULE, stored, now=context.now, record=record)
    if stored.state == SCHEDULED:
        _run_once(context, changed)
    return {"monitoring_schedule_arn": stored.arn}


def start_monitoring_schedule(context: Context, *, monitoring_schedule_name: str) -> None:
    """Let a stopped schedule run again, from its next time on. AWS page: StartMonitoringSchedule."""
    stored = _named(context, monitoring_schedule_name)
    if stored.state == STOPPED:
        record = {**stored.record, "next_time": _next_time(stored.record["monitoring_schedule_config"], context.now)}
        started = resources.change(
            context.connection, MONITORING_SCHEDULE, stored, now=context.now, record=record, state=SCHEDULED
        )
        _run_once(context, started)


def stop_monitoring_schedule(context: Context, *, monitoring_schedule_name: str) -> None:
    """Let a schedule rest; an execution that runs goes on. AWS page: StopMonitoringSchedule."""
    stored = _named(context, monitoring_schedule_name)
    resources.change(context.connection, MONITORING_SCHEDULE, stored, now=context.now, state=STOPPED)


def delete_monitoring_schedule(context: Context, *, monitoring_schedule_name: str) -> None:
    """Forget a schedule; its executions stay listed. AWS page: DeleteMonitoringSchedule."""
    resources.remove(context.connection, _named(context, monitoring_schedule_name), MONITORING_SCHEDULE)


def due_schedules(connection: Connection, now: int) -> list[str]:
    """Return the ARNs of the schedules that are due."""
    rows = connection.execute(
        select(RESOURCES.c.arn, member("next_time")).where(
            RESOURCES.c.kind == MONITORING_SCHEDULE.kind, RESOURCES.c.state == SCHEDULED
        )
    )
    return [arn for arn, time in rows if time is not None and int(time) <= now]


def run_due(context: Context, arn: str) -> None:
    """Begin the execution that a schedule is due, note those that were missed, and set its next time, all at once."""
    stored = resources.by_arn(context.connection, arn)
    if stored is None or stored.state != SCHEDULED or stored.record.get("next_time") is None:
        return
    there = replace(context, place=Place(stored.account, stored.region, context.place.partition))
    schedule = read_schedule(stored.record["monitoring_schedule_config"].get("schedule_config"))
    for time in schedule.due(stored.record["next_time"], context.now)[-MOST_NOTED:]:
        if context.now - time <= LATEST:
            launch(there, stored, time, schedule.window(time))
        else:
            reason = f"The server did not run at {iso(time)} nor within 20 minutes; nothing was analysed"
            note_failed(there, stored, time, reason)
    record = {**stored.record, "next_time": schedule.next_after(context.now)}
    resources.change(context.connection, MONITORING_SCHEDULE, stored, now=context.now, record=record)


def _checked(context: Context, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a schedule's record that its configuration gives; raises InvalidInput."""
    next_time = _next_time(config, context.now)
    job = job_of(context, config)
    check_definition(context, job)
    return {
        "monitoring_schedule_config": {name: value for name, value in config.items() if value is not None},
        "endpoint_name": endpoint_of(job),
        "monitoring_job_definition_name": config.get("monitoring_job_definition_name"),
        "next_time": next_time,
    }


def _next_time(config: Mapping[str, Any], now: int) -> int | None:
    schedule = read_schedule(config.get("schedule_config"))
    return schedule.next_after(now) if schedule.hours else None


def _run_once(context: Context, stored: Stored) -> None:
    """Begin the one execution of a schedule that is to run now."""
    schedule = read_schedule(stored.record["monitoring_schedule_config"].get("schedule_config"))
    if not schedule.hours:
        launch(context, stored, context.now, schedule.window(context.now))


def _named(context: Context, name: str) -> Stored:
    stored = resources.find(context.connection, MONITORING_SCHEDULE, context.place, name)
    if stored is None:
        raise NotFound("Requested resource not found.", code="ResourceNotFound", status=400)
    return stored


def _summary(stored: Stored) -> dict[str, Any]:
    return {
        "monitoring_schedule_name": stored.name,
        "monitoring_schedule_arn": stored.arn,
        "monitoring_schedule_status": stored.state,
        "creation_time": moment(stored.created),
        "last_modified_time": moment(stored.modified),
        "endpoint_name": stored.record["endpoint_name"],
        "monitoring_type": TYPE,
    }
