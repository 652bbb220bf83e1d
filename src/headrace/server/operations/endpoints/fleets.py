"""What an endpoint is to deploy, by its configuration: its variants with everything that they need to be started.

A deployment is plain data in the endpoint's record, with a copy of each model's definition: it goes on, also over a
restart, when its configuration and its models are deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from headrace.server.context import Context
from headrace.server.operations.models.definitions import isolated
from headrace.server.operations.models.models import model_named
from headrace.server.resources import Stored

PLAIN = (
    "instance_type", "managed_instance_scaling", "routing_config", "container_startup_health_check_timeout_in_seconds",
    "accelerator_type",
)  # fmt: skip


def deployment_of(context: Context, configuration: Stored) -> dict[str, Any]:
    """Return the deployment that a configuration asks for, with nothing running yet; raises InvalidInput."""
    record = configuration.record
    return {
        "endpoint_config_name": configuration.name,
        "variants": [_variant(context, each, record) for each in record["production_variants"]],
        "shadow_variants": [_variant(context, each, record) for each in record.get("shadow_production_variants") or ()],
        "data_capture_config": record.get("data_capture_config"),
        "async_inference_config": record.get("async_inference_config"),
        "metrics_config": record.get("metrics_config"),
        "start_time": context.now,
    }


def retain(deployment: dict[str, Any], serving: Mapping[str, Any], excluded: Collection[str]) -> dict[str, Any]:
    """Return a deployment with the weights, counts and data capture of the one that serves, but for those excluded.

    `excluded` are VariantPropertyTypes: DesiredInstanceCount, DesiredWeight, DataCaptureConfig.
    """
    before = {each["variant_name"]: each for each in variants_of(serving)}
    for each in variants_of(deployment):
        old = before.get(each["variant_name"])
        if old is None:
            continue
        if "DesiredWeight" not in excluded:
            each["desired_weight"] = old["current_weight"]
        both = old.get("desired_instance_count") and each.get("desired_instance_count")
        if "DesiredInstanceCount" not in excluded and both:
            each["desired_instance_count"] = old["current_instance_count"]
    if "DataCaptureConfig" not in excluded:
        deployment["data_capture_config"] = serving.get("data_capture_config")
    return deployment


def settled(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deployment with everything that was desired become current."""
    return {
        **deployment,
        "variants": [_settled(each) for each in deployment["variants"]],
        "shadow_variants": [_settled(each) for each in deployment["shadow_variants"]],
    }


def unsettled(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """Return a deployment with nothing desired but what is current."""
    return {
        **deployment,
        "variants": [_unsettled(each) for each in deployment["variants"]],
        "shadow_variants": [_unsettled(each) for each in deployment["shadow_variants"]],
    }


def variants_of(deployment: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Yield the production and then the shadow variants of a deployment."""
    if deployment:
        yield from deployment["variants"]
        yield from deployment["shadow_variants"]


def count_of(variants: Iterable[Mapping[str, Any]]) -> int:
    """Return how many instances are wanted of variants together."""
    return sum(each.get("desired_instance_count") or 0 for each in variants)


def processes_of(variant: Mapping[str, Any]) -> int:
    """Return how many processes are to serve a variant: one an instance, and one where it is serverless."""
    return 1 if variant.get("desired_serverless_config") else int(variant["desired_instance_count"])


def _variant(context: Context, given: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    model = model_named(context, given["model_name"])
    containers = model.record["deployed"]
    execution = model.record.get("inference_execution_config") or {}
    counts = {"current_instance_count": 0, "desired_instance_count": given.get("initial_instance_count") or 0}
    limits = given.get("serverless_config")
    return {
        "variant_name": given["variant_name"],
        "model_name": model.name,
        "model": {
            "containers": isolated(containers) if configuration.get("enable_network_isolation") else containers,
            "execution_role_arn": model.record["execution_role_arn"],
            "direct": execution.get("mode") == "Direct",
        },
        "current_weight": 0.0,
        "desired_weight": given.get("initial_variant_weight", 1.0),
        **({"current_instance_count": 0, "desired_serverless_config": limits} if limits else counts),
        **{name: given[name] for name in PLAIN if given.get(name) is not None},
    }


def _settled(variant: Mapping[str, Any]) -> dict[str, Any]:
    pairs = (name.removeprefix("desired_") for name in variant if name.startswith("desired_"))
    return {**variant, **{f"current_{name}": variant[f"desired_{name}"] for name in pairs}}


def _unsettled(variant: Mapping[str, Any]) -> dict[str, Any]:
    pairs = (name.removeprefix("desired_") for name in variant if name.startswith("desired_"))
    return {**variant, **{f"desired_{name}": variant[f"current_{name}"] for name in pairs}}
