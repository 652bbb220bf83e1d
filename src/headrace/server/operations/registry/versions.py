"""New model packages: numbered within their group, or under a name of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations import entities
from headrace.server.operations.models.models import MODEL
from headrace.server.operations.registry.changes import tell
from headrace.server.operations.registry.groups import GROUP, group_named
from headrace.server.resources import Resource, Stored, request_digest

PACKAGE = Resource(
    "sagemaker/model-package",
    "ModelPackage",
    "arn:{partition}:sagemaker:{region}:{account}:model-package/{lowered}",
    states={"Completed": ()},
)
"""A package; a version is called after its group and number ("group/3"), and has the group as its parent."""

_CONTAINER = ("container_hostname", "image", "model_data_url", "model_data_source", "environment")


def create_model_package(
    context: Context,
    *,
    model_package_name: str | None = None,
    model_package_group_name: str | None = None,
    model_package_description: str | None = None,
    model_package_registration_type: str | None = None,
    inference_specification: dict[str, Any] | None = None,
    validation_specification: dict[str, Any] | None = None,
    source_algorithm_specification: dict[str, Any] | None = None,
    certify_for_marketplace: bool | None = None,
    tags: Sequence[dict[str, str]] | None = None,
    model_approval_status: str | None = None,
    metadata_properties: dict[str, Any] | None = None,
    model_metrics: dict[str, Any] | None = None,
    client_token: str | None = None,
    domain: str | None = None,
    task: str | None = None,
    sample_payload_url: str | None = None,
    customer_metadata_properties: dict[str, str] | None = None,
    drift_check_baselines: dict[str, Any] | None = None,
    additional_inference_specifications: Sequence[dict[str, Any]] | None = None,
    skip_model_validation: str | None = None,
    source_uri: str | None = None,
    security_config: dict[str, Any] | None = None,
    model_card: dict[str, Any] | None = None,
    model_life_cycle: dict[str, Any] | None = None,
    managed_storage_type: str | None = None,
) -> dict[str, Any]:
    """Register a package as the next version of a group, or under its name. AWS page: CreateModelPackage.

    Raises InvalidInput when neither or both of these are named, on a name that is taken, and on profiles of validation
    jobs, which are not run.
    """
    record = {name: value for name, value in locals().items() if name not in ("context", "tags", "client_token")}
    if bool(model_package_name) == bool(model_package_group_name):
        raise InvalidInput("Provide either ModelPackageName or ModelPackageGroupName, one of the two")
    if validation_specification and skip_model_validation != "All":
        raise InvalidInput(
            "ValidationSpecification asks for validation jobs, which this server does not run; leave it out, or send "
            "SkipModelValidation All"
        )
    record["inference_specification"] = inference_specification or _from_source(context, source_uri)
    _check_specifications(record)
    digest = request_digest({**record, "tags": tags})
    if model_package_name:
        stored = _unversioned(context, model_package_name, record, tags, client_token or "", digest)
    else:
        stored = _version(context, str(model_package_group_name), record, tags, client_token or "", digest)
    return {"model_package_arn": stored.arn}


def package_named(context: Context, name: str) -> Stored:
    """Return the package of that name, "group/version" or ARN; raises InvalidInput in AWS's words."""
    stored = entities.find(context, PACKAGE, name)
    if stored is None:
        arn = name if name.startswith("arn:") else PACKAGE.arn_of(context.place, name, {"lowered": name.lower()})
        raise InvalidInput(f"ModelPackage {arn} does not exist.")
    return stored


def _unversioned(
    context: Context,
    name: str,
    record: dict[str, Any],
    tags: Sequence[Mapping[str, str]] | None,
    token: str,
    digest: str,
) -> Stored:
    if record["model_approval_status"]:
        raise InvalidInput("ModelApprovalStatus does not apply to a model package without a group; leave it out")
    stored = entities.make(context, PACKAGE, name, record, tags=tags, token=token, digest=digest)
    if stored.created == context.now:
        tell(context, stored)
    return stored


def _version(
    context: Context,
    group_name: str,
    record: dict[str, Any],
    tags: Sequence[Mapping[str, str]] | None,
    token: str,
    digest: str,
) -> Stored:
    if tags:
        raise InvalidInput("Tags can't be given with ModelPackageGroupName: a version has the tags of its group")
    if record["certify_for_marketplace"]:
        raise InvalidInput("CertifyForMarketplace does not apply to a version of a group; leave it out")
    group = group_named(context, group_name)
    number = int(group.record["last_version"]) + 1
    record["model_package_group_name"] = group.name
    record["model_package_version"] = number
    record["model_approval_status"] = record["model_approval_status"] or "PendingManualApproval"
    name = f"{group.name}/{number}"
    stored = entities.make(context, PACKAGE, name, record, parent=group.arn, token=token, digest=digest)
    if stored.name == name:
        counted = {**group.record, "last_version": number}
        resources.change(context.connection, GROUP, group, now=group.modified or context.now, record=counted)
        tell(context, stored)
    return stored


def _check_specifications(record: Mapping[str, Any]) -> None:
    inference = record["inference_specification"]
    logged = record["model_package_registration_type"] == "Logged"
    if not (inference or record["source_algorithm_specification"] or record["source_uri"] or logged):
        raise InvalidInput("Provide an InferenceSpecification, a SourceAlgorithmSpecification or a SourceUri")
    needed = ("supported_transform_instance_types", "supported_realtime_inference_instance_types")
    if record["model_package_name"] and inference and not all(inference.get(name) for name in needed):
        raise InvalidInput(
            "The InferenceSpecification of a model package without a group needs SupportedTransformInstanceTypes and "
            "SupportedRealtimeInferenceInstanceTypes"
        )


def _from_source(context: Context, uri: str | None) -> dict[str, Any] | None:
    """Return the specification that a package takes over from the package or model that its SourceUri names."""
    if not uri or not uri.startswith("arn:"):
        return None
    stored = resources.by_arn(context.connection, uri.lower())
    if stored is None or stored.kind not in (PACKAGE.kind, MODEL.kind):
        raise InvalidInput(f"SourceUri {uri} names no model or model package; correct its ARN")
    if stored.kind == PACKAGE.kind:
        context.authorise("sagemaker:DescribeModelPackage", stored.arn)
        inherited: dict[str, Any] | None = stored.record.get("inference_specification")
        return inherited
    context.authorise("sagemaker:DescribeModel", stored.arn)
    primary = stored.record.get("primary_container")
    containers = stored.record.get("containers") or ([primary] if primary else [])
    return {
        "containers": [{name: each[name] for name in _CONTAINER if each.get(name)} for each in containers],
        "supported_content_types": [],
        "supported_response_mime_types": [],
    }
