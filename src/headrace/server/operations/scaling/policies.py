"""Scaling policies: a target value that a metric is to stay at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.scaling import kinds
from headrace.server.operations.scaling.kinds import IDENTITY, POLICY, TRACKING, target_named
from headrace.server.operations.scaling.measures import PREDEFINED, values
from headrace.server.resources import Stored

_DESCRIBED = ("policy_name", *IDENTITY, "policy_type", TRACKING, "alarms", "creation_time")
TYPE = "TargetTrackingScaling"
MOST_POLICIES = 50
SMALLEST, LARGEST = 8.515920e-109, 1.174271e108
_MINUTE = 60_000


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
    """Make a policy of a target, or replace the one of its name. AWS page: PutScalingPolicy.

    Its two alarms, above the target and well below it, are watched by the server itself; as AWS documents it, the
    caller needs cloudwatch:PutMetricAlarm for them.
    """
    kinds.check_identity(service_namespace, resource_id, scalable_dimension)
    target = target_named(context, service_namespace, resource_id, scalable_dimension)
    if policy_type == "PredictiveScaling" or predictive_scaling_policy_configuration:
        raise InvalidInput("PredictiveScaling is for ECS services only; use TargetTrackingScaling")
    stored = resources.find(context.connection, POLICY, context.place, policy_name, parent=target.arn)
    if step_scaling_policy_configuration or (policy_type or (TYPE if stored else "StepScaling")) != TYPE:
        raise InvalidInput(
            "StepScaling acts when a CloudWatch alarm does, and alarms are not built in here; use TargetTrackingScaling"
        )
    configuration = target_tracking_scaling_policy_configuration
    if configuration is None:
        raise InvalidInput("A policy of the type TargetTrackingScaling needs TargetTrackingScalingPolicyConfiguration")
    others = [each for each in kinds.children(context, POLICY, target) if each.name != policy_name]
    _check_tracking(configuration, scalable_dimension)
    _check_only(configuration, others)
    values(context, resource_id, configuration, start=context.now - _MINUTE, end=context.now)
    number = stored.record["id"] if stored else str(uuid4())
    record = {
        "policy_name": policy_name, "policy_type": TYPE, TRACKING: configuration, "id": number,
        **{name: target.record[name] for name in IDENTITY}, "alarms": _alarms(context, resource_id, number),
    }  # fmt: skip
    for alarm in record["alarms"]:
        context.authorise("cloudwatch:PutMetricAlarm", alarm["alarm_arn"])
    if stored is not None:
        resources.change(context.connection, POLICY, stored, now=context.now, record=record)
        return {"policy_arn": stored.arn, "alarms": record["alarms"]}
    if len(others) >= MOST_POLICIES:
        raise LimitExceeded(f"The target {resource_id} has {MOST_POLICIES} policies already; delete one first")
    made = resources.create(
        context.connection, POLICY, context.place, policy_name, record, now=context.now, parent=target.arn
    )
    return {"policy_arn": made.arn, "alarms": record["alarms"]}


def delete_scaling_policy(
    context: Context, *, policy_name: str, service_namespace: str, resource_id: str, scalable_dimension: str
) -> None:
    """Delete a policy of a target with its alarms. AWS page: DeleteScalingPolicy."""
    target = kinds.find_target(context, service_namespace, resource_id, scalable_dimension)
    found = target and resources.find(context.connection, POLICY, context.place, policy_name, parent=target.arn)
    if not found:
        raise NotFound(
            f"No scaling policy found for service namespace: {service_namespace}, resource ID: {resource_id}, "
            f"scalable dimension: {scalable_dimension}, policy name: {policy_name}"
        )
    for alarm in found.record["alarms"]:
        context.authorise("cloudwatch:DeleteAlarms", alarm["alarm_arn"])
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
    )
    shown = [{**kinds.shown(stored, _DESCRIBED), "policy_arn": stored.arn} for stored in found]
    return {"scaling_policies": shown, "next_token": more}


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


def _check_only(configuration: Mapping[str, Any], others: Sequence[Stored]) -> None:
    metrics = ("predefined_metric_specification", "customized_metric_specification")
    for other in others:
        if all(other.record[TRACKING].get(each) == configuration.get(each) for each in metrics):
            raise InvalidInput(
                f"Only one TargetTrackingScaling policy for a metric specification is allowed; {other.name} has it"
            )


def _alarms(context: Context, resource_id: str, number: str) -> list[dict[str, str]]:
    place = context.place
    names = [f"TargetTracking-{resource_id}-Alarm{side}-{number}" for side in kinds.SIDES]
    prefix = f"arn:{place.partition}:cloudwatch:{place.region}:{place.account}:alarm:"
    return [{"alarm_name": name, "alarm_arn": prefix + name} for name in names]
