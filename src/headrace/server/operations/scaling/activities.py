"""What was scaled, why, and how it went: each change of a capacity is asked for here, and followed to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import delete

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, OperationError
from headrace.server.operations.endpoints.states import CHANGING, arn_of
from headrace.server.operations.endpoints.variants import capacity_of, set_capacity
from headrace.server.operations.scaling import kinds
from headrace.server.operations.scaling.kinds import ACTIVITY, IDENTITY, INSTANCES, TARGET, variant_of
from headrace.server.operations.scaling.roles import acting
from headrace.server.resources import Stored, member
from headrace.server.stores.metadata.tables.resources import RESOURCES

PENDING, IN_PROGRESS, SUCCESSFUL, FAILED = "Pending", "InProgress", "Successful", "Failed"
OVERRIDDEN, UNFULFILLED = "Overridden", "Unfulfilled"
_TIMES = ("start_time", "end_time")
_DESCRIBED = (
    "activity_id", *IDENTITY, "description", "cause", *_TIMES, "status_code", "status_message", "not_scaled_reasons",
)  # fmt: skip
KEPT = 42 * 86_400_000
"""Milliseconds for which activities are shown: six weeks."""


def describe_scaling_activities(
    context: Context,
    *,
    service_namespace: str,
    resource_id: str | None = None,
    scalable_dimension: str | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
    include_not_scaled_activities: bool | None = None,
) -> dict[str, Any]:
    """Describe activities of the previous six weeks, the newest first. AWS page: DescribeScalingActivities."""
    asked = {
        "service_namespace": service_namespace, "scalable_dimension": scalable_dimension, "max_results": max_results,
        "next_token": next_token,
    }  # fmt: skip
    where = [RESOURCES.c.created > context.now - KEPT]
    if not include_not_scaled_activities:
        where.append(member("not_scaled_reasons").is_(None))
    found, more = kinds.page(
        context,
        ACTIVITY,
        "describe_scaling_activities",
        asked,
        resource_ids=[resource_id] if resource_id else [],
        where=where,
        descending=True,
    )
    return {"scaling_activities": [kinds.shown(each, _DESCRIBED) for each in found], "next_token": more}


def bring_within(context: Context, target: Stored) -> Stored:
    """Ask for the nearest capacity within a target's bounds where it is out of them; returns the target as it is then.

    Raises InvalidInput where the endpoint or its variant is gone.
    """
    variant, record = variant_of(target.name), target.record
    desired = capacity_of(context, variant.endpoint, variant.name).desired
    low, high = record["min_capacity"], record["max_capacity"]
    if desired < low:
        return scale(context, target, low, f"minimum capacity was set to {low}")
    if desired > high:
        return scale(context, target, high, f"maximum capacity was set to {high}")
    return target


def scale(context: Context, target: Stored, capacity: int, cause: str, *, by_policy: bool = False) -> Stored:
    """Ask for a capacity of a target, now or once its endpoint has changed; returns the target as it is then.

    What it comes to is kept as an activity, and does not raise.
    """
    target = abandon(context, target, OVERRIDDEN, "A newer change of the capacity takes its place.")
    described = f"Setting {_subject(target)} to {capacity}."
    activity = record_activity(
        context, target, description=described, cause=cause, status_code=PENDING, capacity=capacity, by_policy=by_policy
    )
    target = _change(context, target, open=activity.name)
    return _ask(context, target, activity)


def follow(context: Context, target: Stored) -> Stored:
    """Go on with the activity of a target that is not over, if there is one; returns the target as it is then."""
    activity = _open(context, target)
    if activity is None:
        return target
    if activity.record["status_code"] == PENDING:
        return _ask(context, target, activity)
    variant, capacity = variant_of(target.name), activity.record["capacity"]
    try:
        found = capacity_of(context, variant.endpoint, variant.name)
    except InvalidInput as error:
        return _failed(context, target, activity, error.message)
    if found.status in CHANGING:
        return target
    if found.current == capacity:
        return _fulfilled(context, target, activity)
    reason = found.reason or f"The endpoint was set to {found.current} meanwhile."
    return _failed(context, target, activity, reason)


def abandon(context: Context, target: Stored, status: str, message: str) -> Stored:
    """End the activity of a target that is not over, if there is one; returns the target as it is then."""
    activity = _open(context, target)
    return target if activity is None else _end(context, target, activity, status, message)


def hold(context: Context, target: Stored, policy: str, cause: str, reason: Mapping[str, Any]) -> Stored:
    """Keep why a policy does not scale, as an activity that is not scaled, once until that changes."""
    held = f"{policy} {reason['code']}"
    if target.record["held"] == held:
        return target
    described = "Attempting to scale due to alarm triggered"
    record_activity(
        context, target, description=described, cause=cause, status_code=FAILED, end_time=context.now,
        not_scaled_reasons=[dict(reason)],
    )  # fmt: skip
    return _change(context, target, held=held)


def release(context: Context, target: Stored) -> Stored:
    """Forget the reason not to scale of a target, if there is one; returns the target as it is then."""
    return _change(context, target, held="") if target.record["held"] else target


def record_activity(context: Context, target: Stored, **members: Any) -> Stored:
    """Keep an activity of a target that starts now, and forget those that are too old to be shown."""
    columns, place = RESOURCES.c, context.place
    context.connection.execute(
        delete(RESOURCES).where(
            columns.kind == ACTIVITY.kind, columns.account == place.account, columns.region == place.region,
            columns.created <= context.now - KEPT,
        )
    )  # fmt: skip
    identity = {name: target.record[name] for name in IDENTITY}
    name = str(uuid4())
    record = {"activity_id": name, "start_time": context.now, **identity, **members}
    return resources.create(context.connection, ACTIVITY, place, name, record, now=context.now)


def _ask(context: Context, target: Stored, activity: Stored) -> Stored:
    """Ask for the capacity of an activity that is pending, unless its endpoint is changing."""
    variant, capacity = variant_of(target.name), activity.record["capacity"]
    try:
        own = acting(context, target)
        own.authorise("sagemaker:DescribeEndpoint", arn_of(context.place, variant.endpoint))
        found = capacity_of(own, variant.endpoint, variant.name)
        if found.status in CHANGING:
            return target
        record = {**activity.record, "before": found.current, "status_code": IN_PROGRESS}
        if found.current == found.desired == capacity:
            return _fulfilled(context, target, activity)
        own.authorise("sagemaker:UpdateEndpointWeightsAndCapacities", arn_of(context.place, variant.endpoint))
        set_capacity(own, variant.endpoint, variant.name, capacity)
    except OperationError as error:
        return _failed(context, target, activity, error.message)
    context.committed.extend(own.committed)
    record["status_message"] = (
        f"Successfully set {_subject(target)} to {capacity}. Waiting for change to be fulfilled by sagemaker."
    )
    resources.change(context.connection, ACTIVITY, activity, now=context.now, record=record)
    return target


def _fulfilled(context: Context, target: Stored, activity: Stored) -> Stored:
    record = activity.record
    capacity, before = record["capacity"], record.get("before", record["capacity"])
    scaled = dict(target.record["scaled"])
    if record.get("by_policy") and capacity != before:
        direction = "out" if capacity > before else "in"
        scaled = {**({} if direction == "out" else scaled), direction: {"at": context.now, "from": before}}
    message = f"Successfully set {_subject(target)} to {capacity}. Change successfully fulfilled by sagemaker."
    return _end(context, _change(context, target, scaled=scaled), activity, SUCCESSFUL, message)


def _failed(context: Context, target: Stored, activity: Stored, reason: str) -> Stored:
    message = f"Failed to set {_subject(target)} to {activity.record['capacity']}. Reason: {reason}"
    return _end(context, target, activity, FAILED, message)


def _end(context: Context, target: Stored, activity: Stored, status: str, message: str) -> Stored:
    record = {**activity.record, "end_time": context.now, "status_code": status, "status_message": message}
    resources.change(context.connection, ACTIVITY, activity, now=context.now, record=record)
    return _change(context, target, open="", scaled={**target.record["scaled"], "at": context.now})


def _open(context: Context, target: Stored) -> Stored | None:
    name = target.record["open"]
    return resources.find(context.connection, ACTIVITY, context.place, name) if name else None


def _change(context: Context, target: Stored, **members: Any) -> Stored:
    record = {**target.record, **members}
    return resources.change(context.connection, TARGET, target, now=context.now, record=record)


def _subject(target: Stored) -> str:
    instances = target.record["scalable_dimension"] == INSTANCES
    return "desired instance count" if instances else "desired provisioned concurrency"
