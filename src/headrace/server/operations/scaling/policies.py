"""Scaling policies: a target value that a metric is to stay at, or steps that an alarm takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.scaling import kinds
from headrace.server.operations.scaling.kinds import IDENTITY, POLICY, target_named
from headrace.server.operations.scaling.measures import PREDEFINED
from headrace.server.resources import Stored
from headrace.server.resources.rows import SHOWN, read_row
from headrace.server.stores.metadata.tables.resources import RESOURCES

TRACKING, STEPS = "target_tracking_scaling_policy_configuration", "step_scaling_policy_configuration"
_CONFIGURATION = {"TargetTrackingScaling": TRACKING, "StepScaling": STEPS}
_DESCRIBED = ("policy_name", *IDENTITY, "policy_type", TRACKING, STEPS, "alarms", "creation_time")
MOST_POLICIES, MOST_STEPS = 50, 20
SMALLEST, LARGEST = 8.515920e-109, 1.174271e108


def put_scaling_policy(
    context: Context,
    *,
    policy_name: str,
    service_namespace: str,
    resource_id: str,
    scalable_dimension: str,
    policy_type: str | None = None,
    step_scaling_policy_configuration: dict[str, Any] | None = None,
    target_tracking_scaling_policy_configuration: dict[str, Any] | None = None,
    predictive_scaling_policy_configuration: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Make a policy of a target, or replace the one of its name. AWS page: PutScalingPolicy."""
    kinds.check_identity(service_namespace, resource_id, scalable_dimension)
    target = target_named(context, service_namespace, resource_id, scalable_dimension)
    if policy_type == "PredictiveScaling" or predictive_scaling_policy_configuration:
        raise InvalidInput("PredictiveScaling is for ECS services only; use TargetTrackingScaling or StepScaling")
    stored = resources.find(context.connection, POLICY, context.place, policy_name, parent=target.arn)
    kind = policy_type or (stored.record["policy_type"] if stored else "StepScaling")
    given = {TRACKING: target_tracking_scaling_policy_configuration, STEPS: step_scaling_policy_configuration}
    configuration = given.pop(_CONFIGURATION[kind])
    if configuration is None or any(given.values()):
        raise InvalidInput(f"A policy of the type {kind} needs the configuration of that type, and no other")
    if kind == "StepScaling":
        _check_steps(configuration)
    else:
        _check_tracking(configuration, scalable_dimension)
        _check_only(context, target, policy_name, configuration)
    record = {
        "policy_name": policy_name, "policy_type": kind, _CONFIGURATION[kind]: configuration,
        **{name: target.record[name] for name in IDENTITY},
        "id": stored.record["id"] if stored else str(uuid4()),
    }  # fmt: skip
    record["alarms"] = _alarms(context, record) if kind != "StepScaling" else []
    if stored is None:
        if len(policies_of(context, target)) >= MOST_POLICIES:
            raise LimitExceeded(f"The target {resource_id} has {MOST_POLICIES} policies already; delete one first")
        stored = resources.create(
            context.connection, POLICY, context.place, policy_name, record, now=context.now, parent=target.arn
        )
    else:
        resources.change(context.connection, POLICY, stored, now=context.now, record=record)
    return {"policy_arn": stored.arn, "alarms": record["alarms"]}


def delete_scaling_policy(
    context: Context, *, policy_name: str, service_namespace: str, resource_id: str, scalable_dimension: str
) -> None:
    """Delete a policy of a target. AWS page: DeleteScalingPolicy."""
    target = kinds.find_target(context, service_namespace, resource_id, scalable_dimension)
    found = target and resources.find(context.connection, POLICY, context.place, policy_name, parent=target.arn)
    if not found:
        raise NotFound(
            f"No scaling policy found for service namespace: {service_namespace}, resource ID: {resource_id}, "
            f"scalable dimension: {scalable_dimension}, policy name: {policy_name}"
        )
    resources.remove(context.connection, found, POLICY)


def describe_scaling_policies(
    context: Context,
    *,
    service_namespace: str,
    policy_names: Sequence[str] = (),
    resource_id: str | None = None,
    scalable_dimension: str | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """Describe policies. AWS page: DescribeScalingPolicies."""
    asked = {
        "service_namespace": service_namespace, "scalable_dimension": scalable_dimension, "max_results": max_results,
        "next_token": next_token,
    }  # fmt: skip
    found, more = kinds.page(
        context,
        POLICY,
        "describe_scaling_policies",
        asked,
        names=policy_names,
        resource_ids=[resource_id] if resource_id else [],
        most=50,
    )
    shown = [{**kinds.shown(stored, _DESCRIBED), "policy_arn": stored.arn} for stored in found]
    return {"scaling_policies": shown, "next_token": more}


def policies_of(context: Context, target: Stored) -> list[Stored]:
    """Return the policies of a target by name."""
    columns = RESOURCES.c
    chosen = select(*SHOWN).where(columns.parent == target.arn, columns.kind == POLICY.kind).order_by(columns.name)
    return [read_row(row) for row in context.connection.execute(chosen)]


def _check_tracking(configuration: Mapping[str, Any], dimension: str) -> None:
    predefined = configuration.get("predefined_metric_specification")
    customized = configuration.get("customized_metric_specification")
    if bool(predefined) == bool(customized):
        raise InvalidInput("Provide a PredefinedMetricSpecification or a CustomizedMetricSpecification, one of the two")
    if not SMALLEST <= configuration["target_value"] <= LARGEST:
        raise InvalidInput(f"TargetValue {configuration['target_value']} must be greater than 0")
    if any((configuration.get(name) or 0) < 0 for name in ("scale_in_cooldown", "scale_out_cooldown")):
        raise InvalidInput("Cooldowns must be 0 or more seconds")
    if predefined:
        kind = predefined["predefined_metric_type"]
        if PREDEFINED.get(kind) is None or PREDEFINED[kind].dimension != dimension:
            allowed = ", ".join(name for name, each in PREDEFINED.items() if each.dimension == dimension)
            raise InvalidInput(f"PredefinedMetricType {kind} is not for {dimension}; send {allowed}")
    elif customized and not customized.get("metrics"):
        lacking = [name for name in ("metric_name", "namespace", "statistic") if not customized.get(name)]
        if lacking:
            raise InvalidInput("CustomizedMetricSpecification needs Metrics or MetricName, Namespace and Statistic")


def _check_only(context: Context, target: Stored, name: str, configuration: Mapping[str, Any]) -> None:
    metrics = ("predefined_metric_specification", "customized_metric_specification")
    for other in policies_of(context, target):
        tracked = other.record.get(TRACKING, {})
        if other.name != name and tracked and all(tracked.get(each) == configuration.get(each) for each in metrics):
            raise InvalidInput(
                f"Only one TargetTrackingScaling policy for a metric specification is allowed; {other.name} has it"
            )


def _check_steps(configuration: Mapping[str, Any]) -> None:
    steps = configuration.get("step_adjustments") or []
    if not configuration.get("adjustment_type") or not steps:
        raise InvalidInput("A StepScalingPolicyConfiguration needs AdjustmentType and StepAdjustments")
    if len(steps) > MOST_STEPS:
        raise InvalidInput(f"StepAdjustments has {len(steps)} members; give at most {MOST_STEPS}")
    infinite = float("inf")
    bounds = sorted(
        (each.get("metric_interval_lower_bound", -infinite), each.get("metric_interval_upper_bound", infinite))
        for each in steps
    )
    if any(low >= high for low, high in bounds):
        raise InvalidInput("The lower bound of a step adjustment must be less than its upper bound")
    if any(before[1] > after[0] for before, after in pairwise(bounds)):
        raise InvalidInput("The intervals of step adjustments must not overlap")
    if any(before[1] < after[0] for before, after in pairwise(bounds)):
        raise InvalidInput("The intervals of step adjustments must leave no gap between them")
    percent = configuration["adjustment_type"] == "PercentChangeInCapacity"
    if configuration.get("min_adjustment_magnitude") and not percent:
        raise InvalidInput("MinAdjustmentMagnitude is for PercentChangeInCapacity only; leave it out")


def _alarms(context: Context, record: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the names of the two states that the server watches itself: above the target, and well below it."""
    place = context.place
    names = [f"TargetTracking-{record['resource_id']}-Alarm{side}-{record['id']}" for side in ("High", "Low")]
    prefix = f"arn:{place.partition}:cloudwatch:{place.region}:{place.account}:alarm:"
    return [{"alarm_name": name, "alarm_arn": prefix + name} for name in names]
