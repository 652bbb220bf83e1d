"""What can be scaled, and within which bounds."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.endpoints.states import arn_of
from headrace.server.operations.endpoints.variants import capacity_of
from headrace.server.operations.scaling import kinds
from headrace.server.operations.scaling.activities import bring_within
from headrace.server.operations.scaling.belonging import forget
from headrace.server.operations.scaling.kinds import CONCURRENCY, IDENTITY, TARGET, target_named, variant_of
from headrace.server.operations.scaling.roles import service_role
from headrace.server.resources import Stored

SUSPENDED = ("dynamic_scaling_in_suspended", "dynamic_scaling_out_suspended", "scheduled_scaling_suspended")
_DESCRIBED = (*IDENTITY, "min_capacity", "max_capacity", "role_arn", "creation_time", "suspended_state")


def register_scalable_target(
    context: Context,
    *,
    service_namespace: str,
    resource_id: str,
    scalable_dimension: str,
    min_capacity: int | None = None,
    max_capacity: int | None = None,
    role_arn: str | None = None,
    suspended_state: Mapping[str, bool] | None = None,
    tags: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Register a variant of an endpoint, or change the bounds of one that is. AWS page: RegisterScalableTarget.

    A capacity that is out of the bounds is brought within them. The caller must be allowed to see the endpoint and to
    change its capacity, and for the first target to make the service-linked role; so RoleARN is ignored, as documented.
    """
    del role_arn
    kinds.check_identity(service_namespace, resource_id, scalable_dimension)
    _check_variant(context, resource_id, scalable_dimension)
    place = context.place
    stored = resources.find(context.connection, TARGET, place, resource_id)
    given = {"min_capacity": min_capacity, "max_capacity": max_capacity}
    bounds = {**_bounds(stored), **{name: value for name, value in given.items() if value is not None}}
    _check_bounds(bounds)
    suspended = stored.record["suspended_state"] if stored else dict.fromkeys(SUSPENDED, False)
    changed = {**bounds, "suspended_state": {**suspended, **(suspended_state or {})}, "role_arn": service_role(context)}
    if stored is not None:
        if stored.record["scalable_dimension"] != scalable_dimension:
            raise InvalidInput(f"{resource_id} is registered for {stored.record['scalable_dimension']}; deregister it")
        if tags:
            raise InvalidInput("Tags can't be given for a target that is registered already; use TagResource")
        record = {**stored.record, **changed}
        stored = resources.change(context.connection, TARGET, stored, now=context.now, record=record)
    else:
        record = {
            "service_namespace": service_namespace,
            "resource_id": resource_id,
            "scalable_dimension": scalable_dimension,
            "id": f"0{secrets.token_hex(16)}",
            "open": "",
            "held": "",
            "scaled": {"at": 0},
            **changed,
        }
        stored = resources.create(context.connection, TARGET, place, resource_id, record, now=context.now, tags=tags)
    bring_within(context, stored)
    return {"scalable_target_arn": stored.arn}


def deregister_scalable_target(
    context: Context, *, service_namespace: str, resource_id: str, scalable_dimension: str
) -> None:
    """Forget a target with its policies and scheduled actions. AWS page: DeregisterScalableTarget."""
    forget(context, target_named(context, service_namespace, resource_id, scalable_dimension))


def describe_scalable_targets(
    context: Context,
    *,
    service_namespace: str,
    resource_ids: Sequence[str] = (),
    scalable_dimension: str | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """Describe targets. AWS page: DescribeScalableTargets."""
    asked = {
        "service_namespace": service_namespace, "scalable_dimension": scalable_dimension, "max_results": max_results,
        "next_token": next_token,
    }  # fmt: skip
    found, more = kinds.page(context, TARGET, "describe_scalable_targets", asked, resource_ids=resource_ids)
    shown = [{**kinds.shown(stored, _DESCRIBED), "scalable_target_arn": stored.arn} for stored in found]
    return {"scalable_targets": shown, "next_token": more}


def list_tags_for_resource(context: Context, *, resource_arn: str) -> dict[str, Any]:
    """Return the tags of a target. AWS page: ListTagsForResource."""
    return {"tags": resources.tags_of(context.connection, _target(context, resource_arn).arn)}


def tag_resource(context: Context, *, resource_arn: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Add or replace tags of a target; raises LimitExceeded past fifty. AWS page: TagResource."""
    try:
        resources.tag(context.connection, _target(context, resource_arn).arn, tags)
    except LimitExceeded as error:
        raise LimitExceeded(error.message, code="TooManyTagsException") from None
    return {}


def untag_resource(context: Context, *, resource_arn: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags of a target. AWS page: UntagResource."""
    resources.untag(context.connection, _target(context, resource_arn).arn, tag_keys)
    return {}


def _target(context: Context, arn: str) -> Stored:
    stored = resources.by_arn(context.connection, arn)
    if stored is None or stored.kind != TARGET.kind:
        raise NotFound(f"There is no scalable target {arn}; correct its ARN", code="ResourceNotFoundException")
    return stored


def _check_variant(context: Context, resource_id: str, dimension: str) -> None:
    variant = variant_of(resource_id)
    arn = arn_of(context.place, variant.endpoint)
    context.authorise("sagemaker:DescribeEndpoint", arn)
    context.authorise("sagemaker:UpdateEndpointWeightsAndCapacities", arn)
    try:
        found = capacity_of(context, variant.endpoint, variant.name)
    except InvalidInput:
        raise InvalidInput(f"Endpoint or variant doesn't exist: {resource_id}; create it first") from None
    if found.serverless != (dimension == CONCURRENCY):
        kind = "is" if found.serverless else "is not"
        raise InvalidInput(f"{resource_id} {kind} serverless and has no {dimension.rpartition(':')[2]}")
    if found.serverless and not found.desired:
        raise InvalidInput(f"{resource_id} has no ProvisionedConcurrency that could be scaled; give it some first")


def _bounds(stored: Stored | None) -> dict[str, int | None]:
    record = stored.record if stored else {}
    return {name: record.get(name) for name in ("min_capacity", "max_capacity")}


def _check_bounds(bounds: Mapping[str, int | None]) -> None:
    low, high = bounds["min_capacity"], bounds["max_capacity"]
    if low is None or high is None:
        raise InvalidInput("A new scalable target needs MinCapacity and MaxCapacity")
    if low < 0:
        raise InvalidInput(f"Minimum capacity {low} cannot be less than 0")
    if high < low:
        raise InvalidInput(f"Maximum capacity {high} cannot be less than minimum capacity {low}")
