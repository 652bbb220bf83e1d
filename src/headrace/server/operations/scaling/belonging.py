"""The scalable targets of an endpoint: what stands in the way of its changes, and goes with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.endpoints.fleets import variants_of
from headrace.server.operations.scaling.activities import UNFULFILLED, abandon
from headrace.server.operations.scaling.kinds import POLICY, SCHEDULED, TARGET, children
from headrace.server.resources import Stored


def forget(context: Context, target: Stored) -> None:
    """Deregister a target with its policies and scheduled actions; an activity that is not over ends unfulfilled."""
    for resource in (POLICY, SCHEDULED):
        for each in children(context, resource, target):
            resources.remove(context.connection, each, resource)
    target = abandon(context, target, UNFULFILLED, "The scalable target was deregistered.")
    resources.remove(context.connection, target, TARGET)


def forget_targets(context: Context, endpoint: Stored) -> None:
    """Deregister the targets of an endpoint that is to be deleted; raises Denied unless the caller may do that.

    AWS page: Delete endpoints configured for auto scaling.
    """
    for _, target in _targets(context, endpoint):
        context.authorise("application-autoscaling:DeregisterScalableTarget", target.arn)
        forget(context, target)


def check_targets(context: Context, endpoint: Stored, pending: Mapping[str, Any]) -> None:
    """Raise InvalidInput where a deployment lacks the variant of a target, or gives it other instances.

    AWS page: Update endpoints that use auto scaling.
    """
    after = {each["variant_name"]: each.get("instance_type") for each in variants_of(pending)}
    for variant, target in _targets(context, endpoint):
        name = variant["variant_name"]
        if name not in after or after[name] != variant.get("instance_type"):
            raise InvalidInput(
                f'The variant "{name}" of endpoint "{endpoint.arn}" is a scalable target, and this would remove it or '
                f"change its instance type; deregister {target.name} from Application Auto Scaling first"
            )


def _targets(context: Context, endpoint: Stored) -> Iterator[tuple[Mapping[str, Any], Stored]]:
    """Yield the variants of an endpoint that are scaled, with their targets."""
    for variant in variants_of(endpoint.record.get("deployment")):
        name = f"endpoint/{endpoint.name}/variant/{variant['variant_name']}"
        target = resources.find(context.connection, TARGET, context.place, name)
        if target is not None:
            yield variant, target
