"""Scalable targets, their policies, scheduled actions and activities, and the variant that a target names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, NotFound
from headrace.server.resources import Resource, Stored, member
from headrace.server.stores.metadata.tables.resources import RESOURCES

_SCALING = "arn:{partition}:application-autoscaling:{region}:{account}:"
_AUTOSCALING = "arn:{partition}:autoscaling:{region}:{account}:"
_OF = "resource/{service_namespace}/{resource_id}"

TARGET = Resource("application-autoscaling/scalable-target", "scalable target", _SCALING + "scalable-target/{id}")
"""A target, named by its ResourceId; its record also holds

`open` (the activity that is not over yet, or ""), `held` (the policy and code of the present reason not to scale, or
""), and `scaled`: `at` (when it was last tried), `out` and `in` (when a policy last did so, `at`, and `from` which
capacity).
"""

POLICY = Resource(
    "application-autoscaling/scaling-policy",
    "scaling policy",
    _AUTOSCALING + "scalingPolicy:{id}:" + _OF + ":policyName/{name}",
)
SCHEDULED = Resource(
    "application-autoscaling/scheduled-action",
    "scheduled action",
    _AUTOSCALING + "scheduledAction:{id}:" + _OF + ":scheduledActionName/{name}",
)
ACTIVITY = Resource("application-autoscaling/scaling-activity", "scaling activity", "scaling-activity/{name}")

NAMESPACE = "sagemaker"
TRACKING = "target_tracking_scaling_policy_configuration"
INSTANCES, CONCURRENCY = "sagemaker:variant:DesiredInstanceCount", "sagemaker:variant:DesiredProvisionedConcurrency"
_VARIANT = re.compile(r"endpoint/([a-zA-Z0-9-]{1,63})/variant/([a-zA-Z0-9-]{1,63})")
SIDES = ("High", "Low")
"""The alarms of a target tracking policy, in their order: above its target, and well below it."""

MOST_CHILDREN, MOST_SHOWN = 200, 50
IDENTITY = ("service_namespace", "resource_id", "scalable_dimension")


@dataclass(frozen=True)
class Variant:
    """The variant of an endpoint that a target scales."""

    endpoint: str
    name: str


def variant_of(resource_id: str) -> Variant:
    """Return the variant that a ResourceId names; raises InvalidInput on another form."""
    found = _VARIANT.fullmatch(resource_id)
    if found is None:
        raise InvalidInput(f"ResourceId {resource_id!r} is not of the form endpoint/NAME/variant/NAME")
    return Variant(found[1], found[2])


def check_identity(service_namespace: str, resource_id: str, scalable_dimension: str) -> None:
    """Raise InvalidInput unless it is a variant of a SageMaker endpoint in one of its two dimensions."""
    if service_namespace != NAMESPACE or scalable_dimension not in (INSTANCES, CONCURRENCY):
        raise InvalidInput(
            f"Unsupported service namespace, resource type or scalable dimension: {service_namespace}, {resource_id}, "
            f"{scalable_dimension}; this server scales {INSTANCES} and {CONCURRENCY}"
        )
    variant_of(resource_id)


def find_target(context: Context, service_namespace: str, resource_id: str, scalable_dimension: str) -> Stored | None:
    """Return the registered target, or None."""
    stored = resources.find(context.connection, TARGET, context.place, resource_id)
    named = (service_namespace, resource_id, scalable_dimension)
    return stored if stored and tuple(stored.record[name] for name in IDENTITY) == named else None


def target_named(context: Context, service_namespace: str, resource_id: str, scalable_dimension: str) -> Stored:
    """Return the registered target; raises NotFound in AWS's words."""
    stored = find_target(context, service_namespace, resource_id, scalable_dimension)
    if stored is None:
        raise NotFound(
            f"No scalable target registered for service namespace: {service_namespace}, resource ID: {resource_id}, "
            f"scalable dimension: {scalable_dimension}"
        )
    return stored


def children(context: Context, resource: Resource, target: Stored) -> list[Stored]:
    """Return the policies or scheduled actions of a target by name; no target has more than MOST_CHILDREN."""
    return resources.listing(
        context.connection, resource, context.place, parent=target.arn, limit=MOST_CHILDREN
    ).items  # fmt: skip


def page(
    context: Context,
    resource: Resource,
    operation: str,
    asked: Mapping[str, Any],
    *,
    names: Sequence[str] = (),
    resource_ids: Sequence[str] = (),
    where: Sequence[ColumnElement[bool]] = (),
    descending: bool = False,
) -> tuple[list[Stored], str | None]:
    """Return the records of a Describe operation that match, and the token of the next page; raises InvalidInput."""
    limit = MOST_SHOWN if asked.get("max_results") is None else asked["max_results"]
    if not 1 <= limit <= MOST_SHOWN:
        raise InvalidInput(f"MaxResults {limit} is not between 1 and {MOST_SHOWN}")
    if asked.get("scalable_dimension") and not resource_ids:
        raise InvalidInput("A ScalableDimension needs a ResourceId beside it")
    conditions = [member("service_namespace") == asked["service_namespace"], *where]
    if asked.get("scalable_dimension"):
        conditions.append(member("scalable_dimension") == asked["scalable_dimension"])
    if resource_ids:
        conditions.append(member("resource_id").in_(resource_ids))
    if names:
        conditions.append(RESOURCES.c.name.in_(names))
    try:
        position = context.position(asked.get("next_token"), of=operation)
    except InvalidInput as error:
        raise InvalidInput(error.message, code="InvalidNextTokenException") from None
    found = resources.listing(
        context.connection,
        resource,
        context.place,
        where=conditions,
        order="created" if descending else "name",
        descending=descending,
        limit=limit,
        position=position,
    )
    return found.items, context.token(found.position, of=operation)


def shown(stored: Stored, names: Sequence[str]) -> dict[str, Any]:
    """Return members of a record with its times as datetimes."""
    record = {**stored.record, "creation_time": stored.created}
    return {
        name: moment(record[name]) if name.endswith("_time") else record[name]
        for name in names
        if record.get(name) is not None
    }
