"""Endpoints: created, updated, described, listed, deleted; `deployment` makes what is asked for here come true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput
from headrace.server.operations.endpoints.checks import check_count
from headrace.server.operations.endpoints.configurations import configuration_named
from headrace.server.operations.endpoints.descriptions import describe
from headrace.server.operations.endpoints.fleets import count_of, deployment_of, retain, variants_of
from headrace.server.operations.endpoints.shifting import check_policy
from headrace.server.operations.endpoints.states import (
    CHANGING,
    DELETING,
    ENDPOINT,
    FAILED,
    UPDATING,
    endpoint_named,
    move,
    tell,
    wake,
)
from headrace.server.operations.endpoints.variants import Wanted, want
from headrace.server.operations.scaling.belonging import check_targets, forget_targets
from headrace.server.resources import Stored

__all__ = ["ENDPOINT"]


def create_endpoint(
    context: Context,
    *,
    endpoint_name: str,
    endpoint_config_name: str,
    deployment_config: dict[str, Any] | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Begin to serve what a configuration says. AWS page: CreateEndpoint.

    Raises InvalidInput in AWS's words: no such configuration or model, a taken name; LimitExceeded past the quota.
    """
    check_policy(deployment_config)
    pending = deployment_of(context, configuration_named(context, endpoint_config_name))
    record = {"pending": pending, "last_deployment_config": deployment_config, "lowered": endpoint_name.lower()}
    place = context.place
    named = {each["key"]: each["value"] for each in tags}
    try:
        stored = resources.create(
            context.connection, ENDPOINT, place, endpoint_name, record, now=context.now, tags=named
        )
    except AlreadyExists:
        arn = ENDPOINT.arn_of(place, endpoint_name, record)
        raise InvalidInput(f'Cannot create already existing endpoint "{arn}".') from None
    tell(context.connection, stored, context.now)
    wake(context)
    return {"endpoint_arn": stored.arn}


def update_endpoint(
    context: Context,
    *,
    endpoint_name: str,
    endpoint_config_name: str,
    retain_all_variant_properties: bool | None = None,
    exclude_retained_variant_properties: Sequence[Mapping[str, str]] = (),
    deployment_config: dict[str, Any] | None = None,
    retain_deployment_config: bool | None = None,
) -> dict[str, Any]:
    """Begin to serve what another configuration says, without dropping a request meanwhile. AWS page: UpdateEndpoint.

    Raises InvalidInput in AWS's words: no such endpoint, configuration or model, or it changes already.
    """
    check_policy(deployment_config)
    if exclude_retained_variant_properties and not retain_all_variant_properties:
        raise InvalidInput("ExcludeRetainedVariantProperties goes with RetainAllVariantProperties only; set that.")
    stored = _changeable(context, endpoint_name)
    pending = deployment_of(context, configuration_named(context, endpoint_config_name))
    if retain_all_variant_properties:
        excluded = {each["variant_property_type"] for each in exclude_retained_variant_properties}
        pending = retain(pending, stored.record["deployment"], excluded)
    check_count(count_of(variants_of(pending)))
    check_targets(context, stored, pending)
    policy = stored.record.get("last_deployment_config") if retain_deployment_config else deployment_config
    record = {**stored.record, "pending": pending, "last_deployment_config": policy}
    record.pop("failure_reason", None)
    move(context.connection, stored, UPDATING, context.now, record)
    wake(context)
    return {"endpoint_arn": stored.arn}


def update_endpoint_weights_and_capacities(
    context: Context, *, endpoint_name: str, desired_weights_and_capacities: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Change weights and numbers of instances of variants. AWS page: UpdateEndpointWeightsAndCapacities.

    Raises InvalidInput in AWS's words: no such endpoint or variant, or it changes already; LimitExceeded.
    """
    stored = _changeable(context, endpoint_name)
    want(context, stored, [_wanted(each) for each in desired_weights_and_capacities])
    return {"endpoint_arn": stored.arn}


def describe_endpoint(context: Context, *, endpoint_name: str) -> dict[str, Any]:
    """Return what an endpoint serves and in which state it is. AWS page: DescribeEndpoint."""
    return describe(endpoint_named(context.connection, context.place, endpoint_name))


def list_endpoints(
    context: Context, *, next_token: str | None = None, max_results: int | None = None, **asked: Any
) -> dict[str, Any]:
    """Return endpoints, the newest first unless asked otherwise. AWS page: ListEndpoints."""
    page = resources.search(
        context.connection,
        ENDPOINT,
        context.place,
        {**asked, "max_results": max_results},
        position=context.position(next_token, of="list_endpoints"),
        sort_order="Descending",
    )
    shown = [
        {
            "endpoint_name": each.name,
            "endpoint_arn": each.arn,
            "creation_time": moment(each.created),
            "last_modified_time": moment(each.modified),
            "endpoint_status": each.state,
        }
        for each in page.items
    ]
    return {"endpoints": shown, "next_token": context.token(page.position, of="list_endpoints")}


def delete_endpoint(context: Context, *, endpoint_name: str) -> None:
    """Begin to stop what serves; the endpoint is gone soon after, with its scalable targets. AWS page: DeleteEndpoint.

    Raises InvalidInput in AWS's words: no such endpoint, or it changes already; Denied for want of the right to
    deregister a target.
    """
    stored = endpoint_named(context.connection, context.place, endpoint_name)
    if stored.state in CHANGING:
        raise InvalidInput(f'Cannot update in-progress endpoint "{stored.arn}".')
    forget_targets(context, stored)
    move(context.connection, stored, DELETING, context.now)
    wake(context)


def _changeable(context: Context, name: str) -> Stored:
    stored = endpoint_named(context.connection, context.place, name)
    if stored.state in CHANGING:
        raise InvalidInput(f'Cannot update in-progress endpoint "{stored.arn}".')
    if stored.state == FAILED:
        raise InvalidInput(f'Cannot update failed endpoint "{stored.arn}"; delete it and create it again.')
    return stored


def _wanted(change: Mapping[str, Any]) -> Wanted:
    limits = change.get("serverless_update_config")
    return Wanted(change["variant_name"], change.get("desired_weight"), change.get("desired_instance_count"), limits)
