"""Endpoint configurations: what an endpoint is to serve, created, described, listed, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput
from headrace.server.operations.acting import check_role
from headrace.server.operations.endpoints.checks import check_capture, check_variants
from headrace.server.resources import Resource, Stored

ENDPOINT_CONFIG = Resource(
    "sagemaker/endpoint-config",
    "endpoint configuration",
    "arn:{partition}:sagemaker:{region}:{account}:endpoint-config/{lowered}",
)
"""An endpoint configuration; its record holds what DescribeEndpointConfig answers, and `lowered`, its name."""


def create_endpoint_config(
    context: Context,
    *,
    endpoint_config_name: str,
    production_variants: Sequence[dict[str, Any]],
    data_capture_config: dict[str, Any] | None = None,
    tags: Sequence[Mapping[str, str]] = (),
    kms_key_id: str | None = None,
    async_inference_config: dict[str, Any] | None = None,
    explainer_config: dict[str, Any] | None = None,
    shadow_production_variants: Sequence[dict[str, Any]] = (),
    execution_role_arn: str | None = None,
    vpc_config: dict[str, Any] | None = None,
    enable_network_isolation: bool | None = None,
    metrics_config: dict[str, Any] | None = None,
    cross_region_traffic_config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Store what an endpoint may serve. AWS page: CreateEndpointConfig.

    Raises InvalidInput in AWS's words: a model that is not there, variants that do not go together, a taken name.
    """
    if explainer_config is not None:
        raise InvalidInput(
            "ExplainerConfig is not built in here; leave it out, and explain predictions with the library."
        )
    if cross_region_traffic_config is not None:
        raise InvalidInput(
            "CrossRegionTrafficConfig is not built in here: there is one region to a server; leave it out."
        )
    if execution_role_arn:
        check_role(context, execution_role_arn)
    check_variants(
        context, production_variants, shadow_production_variants, is_async=async_inference_config is not None
    )
    check_capture(data_capture_config, async_inference_config)
    record = {
        "endpoint_config_name": endpoint_config_name,
        "production_variants": [_completed(each) for each in production_variants],
        "data_capture_config": data_capture_config,
        "kms_key_id": kms_key_id,
        "async_inference_config": async_inference_config,
        "shadow_production_variants": [_completed(each) for each in shadow_production_variants] or None,
        "execution_role_arn": execution_role_arn,
        "vpc_config": vpc_config,
        "enable_network_isolation": enable_network_isolation,
        "metrics_config": metrics_config,
        "lowered": endpoint_config_name.lower(),
    }
    named = {each["key"]: each["value"] for each in tags}
    place = context.place
    try:
        stored = resources.create(
            context.connection, ENDPOINT_CONFIG, place, endpoint_config_name, record, now=context.now, tags=named
        )
    except AlreadyExists:
        arn = ENDPOINT_CONFIG.arn_of(place, endpoint_config_name, record)
        raise InvalidInput(f'Cannot create already existing endpoint configuration "{arn}".') from None
    return {"endpoint_config_arn": stored.arn}


def describe_endpoint_config(context: Context, *, endpoint_config_name: str) -> dict[str, Any]:
    """Return what CreateEndpointConfig was given. AWS page: DescribeEndpointConfig."""
    stored = configuration_named(context, endpoint_config_name)
    shown = {name: value for name, value in stored.record.items() if value is not None and name != "lowered"}
    return {**shown, "endpoint_config_arn": stored.arn, "creation_time": moment(stored.created)}


def list_endpoint_configs(
    context: Context, *, next_token: str | None = None, max_results: int | None = None, **asked: Any
) -> dict[str, Any]:
    """Return configurations, the newest first unless asked otherwise. AWS page: ListEndpointConfigs."""
    page = resources.search(
        context.connection,
        ENDPOINT_CONFIG,
        context.place,
        {**asked, "max_results": max_results},
        position=context.position(next_token, of="list_endpoint_configs"),
        sort_order="Descending",
    )
    shown = [
        {
            "endpoint_config_name": each.name,
            "endpoint_config_arn": each.arn,
            "creation_time": moment(each.created),
        }
        for each in page.items
    ]
    return {"endpoint_configs": shown, "next_token": context.token(page.position, of="list_endpoint_configs")}


def delete_endpoint_config(context: Context, *, endpoint_config_name: str) -> None:
    """Delete a configuration; an endpoint made from it goes on. AWS page: DeleteEndpointConfig."""
    resources.remove(context.connection, configuration_named(context, endpoint_config_name), ENDPOINT_CONFIG)


def configuration_named(context: Context, name: str) -> Stored:
    """Return the configuration of that name; raises InvalidInput in AWS's words."""
    stored = resources.find(context.connection, ENDPOINT_CONFIG, context.place, name)
    if stored is None:
        arn = ENDPOINT_CONFIG.arn_of(context.place, name, {"lowered": name.lower()})
        raise InvalidInput(f'Could not find endpoint configuration "{arn}".')
    return stored


def _completed(variant: Mapping[str, Any]) -> dict[str, Any]:
    return {"initial_variant_weight": 1.0, **variant}
