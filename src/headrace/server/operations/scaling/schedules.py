"""Scheduled actions: other bounds for a target at times that are known beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from headrace.server import resources
from headrace.server.clock import stamp
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.scaling import kinds
from headrace.server.operations.scaling.activities import FAILED, SUCCESSFUL, bring_within, record_activity
from headrace.server.operations.scaling.kinds import IDENTITY, SCHEDULED, TARGET, target_named
from headrace.server.operations.scaling.timetables import following, zone_named
from headrace.server.resources import Stored

MOST_ACTIONS = kinds.MOST_CHILDREN
_DESCRIBED = (
    "scheduled_action_name", *IDENTITY, "schedule", "timezone", "start_time", "end_time", "scalable_target_action",
    "creation_time",
)  # fmt: skip


def put_scheduled_action(
    context: Context,
    *,
    scheduled_action_name: str,
    service_namespace: str,
    resource_id: str,
    scalable_dimension: str,
    schedule: str | None = None,
    timezone: str | None = None,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    scalable_target_action: dict[str, int] | None = None,
) -> dict[str, Any]:
    """Make a scheduled action of a target, or change the one of its name. AWS page: PutScheduledAction.

    What is not given stays as it was, but for the start and the end, which are forgotten then.
    """
    target = target_named(context, service_namespace, resource_id, scalable_dimension)
    stored = resources.find(context.connection, SCHEDULED, context.place, scheduled_action_name, parent=target.arn)
    before = stored.record if stored else {"scheduled_action_name": scheduled_action_name, "id": str(uuid4())}
    given = {"schedule": schedule, "timezone": timezone, "scalable_target_action": scalable_target_action}
    record = {
        **before,
        **{name: target.record[name] for name in IDENTITY},
        **{name: value for name, value in given.items() if value},
        "start_time": stamp(start_time) if start_time else None,
        "end_time": stamp(end_time) if end_time else None,
        "anchor": context.now,
    }
    _check(record, context.now)
    record["due"] = _due(record, context.now)
    if record["due"] is None:
        raise InvalidInput(f"The schedule {record['schedule']} is never due between now and its end; choose another")
    if stored is not None:
        resources.change(context.connection, SCHEDULED, stored, now=context.now, record=record)
        return {}
    if len(kinds.children(context, SCHEDULED, target)) >= MOST_ACTIONS:
        raise LimitExceeded(f"The target {resource_id} has {MOST_ACTIONS} scheduled actions already; delete one first")
    resources.create(
        context.connection, SCHEDULED, context.place, scheduled_action_name, record, now=context.now, parent=target.arn
    )
    return {}


def delete_scheduled_action(
    context: Context, *, scheduled_action_name: str, service_namespace: str, resource_id: str, scalable_dimension: str
) -> None:
    """Delete a scheduled action of a target. AWS page: DeleteScheduledAction."""
    target = kinds.find_target(context, service_namespace, resource_id, scalable_dimension)
    found = target and resources.find(
        context.connection, SCHEDULED, context.place, scheduled_action_name, parent=target.arn
    )
    if not found:
        raise NotFound(
            f"No scheduled action found for service namespace: {service_namespace}, resource ID: {resource_id}, "
            f"scalable dimension: {scalable_dimension}, scheduled action name: {scheduled_action_name}"
        )
    resources.remove(context.connection, found, SCHEDULED)


def describe_scheduled_actions(
    context: Context,
    *,
    service_namespace: str,
    scheduled_action_names: Sequence[str] = (),
    resource_id: str | None = None,
    scalable_dimension: str | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """Describe scheduled actions. AWS page: DescribeScheduledActions."""
    asked = {
        "service_namespace": service_namespace, "scalable_dimension": scalable_dimension, "max_results": max_results,
        "next_token": next_token,
    }  # fmt: skip
    found, more = kinds.page(
        context,
        SCHEDULED,
        "describe_scheduled_actions",
        asked,
        names=scheduled_action_names,
        resource_ids=[resource_id] if resource_id else [],
    )
    shown = [{**kinds.shown(stored, _DESCRIBED), "scheduled_action_arn": stored.arn} for stored in found]
    return {"scheduled_actions": shown, "next_token": more}


def run_due(context: Context, target: Stored) -> Stored:
    """Run the scheduled actions of a target that are due, in the order in which they are; returns it as it is then.

    One that came due several times meanwhile, or while the server was off, runs once; one that comes due while
    scheduled scaling is suspended does not run.
    """
    actions = kinds.children(context, SCHEDULED, target)
    due = [each for each in actions if each.record["due"] is not None and each.record["due"] <= context.now]
    for action in sorted(due, key=lambda each: int(each.record["due"])):
        record = {**action.record, "due": _due(action.record, context.now)}
        resources.change(context.connection, SCHEDULED, action, now=context.now, record=record)
        if not target.record["suspended_state"]["scheduled_scaling_suspended"]:
            target = _run(context, target, action)
    return target


def _run(context: Context, target: Stored, action: Stored) -> Stored:
    bounds = {name: target.record[name] for name in ("min_capacity", "max_capacity")}
    bounds |= action.record["scalable_target_action"]
    low, high = bounds["min_capacity"], bounds["max_capacity"]
    what = f"min capacity to {low} and max capacity to {high}"
    allowed = low <= high
    record_activity(
        context,
        target,
        description=f"Setting {what}",
        cause=f"scheduled action name {action.name} was triggered",
        end_time=context.now,
        status_code=SUCCESSFUL if allowed else FAILED,
        status_message=f"Successfully set {what}" if allowed else f"Failed to set {what}: the first is the larger one",
    )
    if not allowed:
        return target
    record = {**target.record, **bounds}
    target = resources.change(context.connection, TARGET, target, now=context.now, record=record)
    try:
        return bring_within(context, target)
    except InvalidInput:
        return target


def _check(record: Mapping[str, Any], now: int) -> None:
    action = record.get("scalable_target_action") or {}
    low, high = action.get("min_capacity"), action.get("max_capacity")
    if not record.get("schedule") or (low is None and high is None):
        raise InvalidInput(
            "A scheduled action needs a Schedule, and a ScalableTargetAction with MinCapacity or MaxCapacity"
        )
    if min(each for each in (low, high) if each is not None) < 0:
        raise InvalidInput("MinCapacity and MaxCapacity of a ScalableTargetAction must be 0 or more")
    if low is not None and high is not None and high < low:
        raise InvalidInput(f"Maximum capacity {high} cannot be less than minimum capacity {low}")
    if record.get("timezone"):
        zone_named(record["timezone"])
        if record["schedule"].lstrip().startswith("rate"):
            raise InvalidInput("Timezone is for at and cron expressions; leave it out with a rate")
    start, end = record["start_time"], record["end_time"]
    if end is not None and end <= max(now, start or 0):
        raise InvalidInput("EndTime must be later than now, and than StartTime")


def _due(record: Mapping[str, Any], after: int) -> int | None:
    """Return when an action is due next after a time, or None."""
    start, end = record["start_time"], record["end_time"]
    due = following(
        record["schedule"],
        record.get("timezone") or "UTC",
        after=after if start is None else max(after, start - 1),
        anchor=record["anchor"] if start is None else start,
    )
    return None if due is None or (end is not None and due > end) else due
