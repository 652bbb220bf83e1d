"""What an endpoint configuration may say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import InvalidInput, LimitExceeded
from headrace.server.operations.models.containers import MULTI_MODEL
from headrace.server.operations.models.models import model_named
from headrace.server.operations.storage.transfer import parse_uri

MOST_INSTANCES = 20
"""Instances, which are processes here, that the variants of one endpoint may have together."""

MEMORY_STEP = 1024


def check_variants(
    context: Context,
    production: Sequence[Mapping[str, Any]],
    shadows: Sequence[Mapping[str, Any]],
    *,
    is_async: bool,
) -> None:
    """Raise InvalidInput, in AWS's words where they are known, on variants that can't be served together."""
    if shadows and (len(production) != 1 or len(shadows) != 1):
        raise InvalidInput("With ShadowProductionVariants there must be one production variant and one shadow variant.")
    names = [each["variant_name"] for each in (*production, *shadows)]
    if len(set(names)) != len(names):
        raise InvalidInput(f"The VariantName of each variant must be unique, and there are {names}.")
    for each in (*production, *shadows):
        _check_variant(context, each, alone=len(names) == 1, is_async=is_async)
    if not any(each.get("initial_variant_weight", 1.0) for each in production):
        raise InvalidInput("The InitialVariantWeight of every production variant is 0; give one of them some.")
    check_count(sum(each.get("initial_instance_count", 0) for each in (*production, *shadows)))


def check_count(wanted: int, present: int = 0) -> None:
    """Raise LimitExceeded where an endpoint would have more instances than the quota allows."""
    if wanted > MOST_INSTANCES:
        raise LimitExceeded(
            f"The service limit 'instances per endpoint' is {MOST_INSTANCES} Instances, with current utilization of "
            f"{present} Instances and a request delta of {wanted - present} Instances. Ask for fewer.",
            code="ResourceLimitExceeded",
        )


def check_capture(capture: Mapping[str, Any] | None, asynchronous: Mapping[str, Any] | None) -> None:
    """Raise InvalidInput where captured data or asynchronous results could not be stored."""
    uris = [capture["destination_s3_uri"]] if capture else []
    output = (asynchronous or {}).get("output_config") or {}
    uris += [output[name] for name in ("s3_output_path", "s3_failure_path") if output.get(name)]
    for uri in uris:
        parse_uri(uri)


def _check_variant(context: Context, variant: Mapping[str, Any], *, alone: bool, is_async: bool) -> None:
    name = variant["variant_name"]
    if not variant.get("model_name"):
        raise InvalidInput(f"The variant {name} has no ModelName, and inference components are not built in here.")
    model = model_named(context, variant["model_name"])
    serverless = variant.get("serverless_config")
    if variant.get("instance_pools"):
        raise InvalidInput(f"InstancePools of the variant {name} are not built in here; give InstanceType instead.")
    if serverless is None:
        missing = [
            shown
            for shown, member in (("InstanceType", "instance_type"), ("InitialInstanceCount", "initial_instance_count"))
            if not variant.get(member)
        ]
        if missing:
            raise InvalidInput(f"The variant {name} needs {' and '.join(missing)}, or a ServerlessConfig.")
        return
    if variant.get("instance_type") or variant.get("initial_instance_count"):
        raise InvalidInput(
            f"The variant {name} has a ServerlessConfig, and so no InstanceType or InitialInstanceCount."
        )
    if is_async or not alone:
        raise InvalidInput("A serverless variant must be the only one of its endpoint, without AsyncInferenceConfig.")
    containers = model.record["deployed"]
    if len(containers) > 1 or containers[0].get("mode") == MULTI_MODEL:
        raise InvalidInput(f"The model {model.name} can't be served serverless: it has several containers or models.")
    check_serverless(serverless)


def check_serverless(limits: Mapping[str, Any]) -> None:
    """Raise InvalidInput on limits of a serverless variant that AWS does not offer."""
    if limits["memory_size_in_mb"] % MEMORY_STEP:
        raise InvalidInput(f"MemorySizeInMB must be a multiple of {MEMORY_STEP}, and is {limits['memory_size_in_mb']}.")
    if (limits.get("provisioned_concurrency") or 0) > limits["max_concurrency"]:
        raise InvalidInput("ProvisionedConcurrency can't be larger than MaxConcurrency; lower it.")
