"""What DescribeEndpoint answers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from headrace.server.clock import moment
from headrace.server.resources import Stored

SUMMARY = (
    "variant_name", "current_weight", "desired_weight", "current_instance_count", "desired_instance_count",
    "current_serverless_config", "desired_serverless_config", "managed_instance_scaling", "routing_config",
)  # fmt: skip


def describe(stored: Stored) -> dict[str, Any]:
    """Return the members of DescribeEndpoint's answer. AWS page: DescribeEndpoint."""
    record = stored.record
    deployment, pending = record.get("deployment"), record.get("pending")
    shown = {
        "endpoint_name": stored.name,
        "endpoint_arn": stored.arn,
        "endpoint_config_name": (deployment or pending or {}).get("endpoint_config_name"),
        "endpoint_status": stored.state,
        "failure_reason": record.get("failure_reason"),
        "creation_time": moment(stored.created),
        "last_modified_time": moment(stored.modified),
        "last_deployment_config": record.get("last_deployment_config"),
    }
    if deployment:
        shown |= _summaries(deployment, ()) | {
            "data_capture_config": _capture(deployment.get("data_capture_config")),
            "async_inference_config": deployment.get("async_inference_config"),
            "metrics_config": deployment.get("metrics_config"),
        }
    if pending:
        shown["pending_deployment_summary"] = {
            "endpoint_config_name": pending["endpoint_config_name"],
            "start_time": moment(pending["start_time"]),
            **_summaries(pending, ("instance_type", "accelerator_type"), "Creating"),
        }
    return {name: value for name, value in shown.items() if value is not None}


def _summaries(deployment: Mapping[str, Any], more: Iterable[str], stage: str = "") -> dict[str, Any]:
    start = deployment["start_time"]
    answer = {}
    for member in ("variants", "shadow_variants"):
        if deployment[member]:
            summaries = [_summary(each, (*SUMMARY, *more), start, stage) for each in deployment[member]]
            answer["production_variants" if member == "variants" else "shadow_production_variants"] = summaries
    return answer


def _summary(variant: Mapping[str, Any], members: Iterable[str], start: int, stage: str) -> dict[str, Any]:
    summary = {name: variant[name] for name in members if variant.get(name) is not None}
    summary["deployed_images"] = [_image(each["image"], start) for each in variant["model"]["containers"]]
    if stage:
        summary["variant_status"] = [{"status": stage, "start_time": moment(start)}]
    return summary


def _image(uri: str, start: int) -> dict[str, Any]:
    name, at, _ = uri.partition("@")
    repository = name.rpartition(":")[0] or name
    digest = f"{repository}@sha256:{hashlib.sha256(uri.encode()).hexdigest()}"
    return {"specified_image": uri, "resolved_image": uri if at else digest, "resolution_time": moment(start)}


def _capture(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if config is None:
        return None
    enabled = config.get("enable_capture", True)
    return {
        "enable_capture": enabled,
        "capture_status": "Started" if enabled else "Stopped",
        "current_sampling_percentage": config["initial_sampling_percentage"],
        "destination_s3_uri": config["destination_s3_uri"],
        "kms_key_id": config.get("kms_key_id") or "",
    }
