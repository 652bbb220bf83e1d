"""Model packages: versions in a group or packages of their own name, described, listed, approved and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations import entities
from headrace.server.operations.registry.changes import tell
from headrace.server.operations.registry.groups import GROUP, group_named
from headrace.server.operations.registry.versions import PACKAGE, package_named
from headrace.server.resources import Stored, member

_SUMMARY = (
    "model_package_name", "model_package_group_name", "model_package_version", "model_package_description",
    "creation_time", "model_approval_status", "model_life_cycle", "model_package_registration_type",
)  # fmt: skip
_DESCRIBED = (
    *_SUMMARY, "inference_specification", "source_algorithm_specification", "validation_specification",
    "certify_for_marketplace", "created_by", "metadata_properties", "model_metrics", "last_modified_time",
    "last_modified_by", "approval_description", "domain", "task", "sample_payload_url", "customer_metadata_properties",
    "drift_check_baselines", "additional_inference_specifications", "skip_model_validation", "source_uri",
    "security_config", "model_card", "managed_storage_type",
)  # fmt: skip
MOST_METADATA, MOST_ADDITIONAL = 50, 15


def describe_model_package(
    context: Context, *, model_package_name: str, included_data: str = "AllData"
) -> dict[str, Any]:
    """Describe a package by its name, ARN or group and version. AWS page: DescribeModelPackage."""
    return described(package_named(context, model_package_name), whole=included_data == "AllData")


def described(stored: Stored, *, whole: bool = True) -> dict[str, Any]:
    """Return what describing a package answers; unless `whole`, without the content of its model card."""
    found = _with_state(stored, entities.answer(stored, _DESCRIBED))
    if stored.modified == stored.created:
        found = {name: value for name, value in found.items() if not name.startswith("last_modified")}
    if not whole and found.get("model_card"):
        found["model_card"] = {**found["model_card"], "model_card_content": "{}"}
    name = stored.record.get("model_package_group_name") or stored.name
    checked = {"name": name, "status": "Completed" if stored.record.get("validation_specification") else "NotStarted"}
    return {**found, "model_package_status_details": {"validation_statuses": [checked], "image_scan_statuses": []}}


def batch_describe_model_package(context: Context, *, model_package_arn_list: Sequence[str]) -> dict[str, Any]:
    """Describe several versions at once; those that fail have a reason each. AWS page: BatchDescribeModelPackage."""
    found: dict[str, Any] = {}
    failed: dict[str, Any] = {}
    names = (*_SUMMARY[1:6], "inference_specification", "model_package_registration_type")
    for arn in dict.fromkeys(model_package_arn_list):
        stored = entities.find(context, PACKAGE, arn) if arn.startswith("arn:") else None
        if stored is None or not stored.parent:
            failed[arn] = {
                "error_code": "ValidationException",
                "error_response": f"ModelPackage {arn} does not exist as a version of a group.",
            }
        else:
            found[arn] = _with_state(stored, entities.answer(stored, names))
    return {"model_package_summaries": found, "batch_describe_model_package_error_map": failed}


def list_model_packages(
    context: Context,
    *,
    creation_time_after: datetime | None = None,
    creation_time_before: datetime | None = None,
    max_results: int | None = None,
    name_contains: str | None = None,
    model_approval_status: str | None = None,
    model_package_group_name: str | None = None,
    model_package_type: str | None = None,
    next_token: str | None = None,
    sort_by: str | None = None,
    sort_order: str | None = None,
) -> dict[str, Any]:
    """List versions of a group, or packages: those without versions unless asked. AWS page: ListModelPackages."""
    asked = {
        "creation_time_after": creation_time_after, "creation_time_before": creation_time_before,
        "max_results": max_results, "name_contains": name_contains, "next_token": next_token, "sort_by": sort_by,
        "sort_order": sort_order,
    }  # fmt: skip
    group = group_named(context, model_package_group_name) if model_package_group_name else None
    kind = model_package_type or ("Versioned" if group else "Unversioned")
    if group and kind == "Unversioned":
        raise InvalidInput(
            "A ModelPackageGroupName can't be combined with the ModelPackageType Unversioned; send one of the two"
        )
    where: list[ColumnElement[bool]] = []
    if group is None and kind == "Versioned":
        where.append(member("model_package_group_name").is_not(None))
    if model_approval_status:
        where.append(member("model_approval_status") == model_approval_status)
    return entities.page(
        context,
        "list_model_packages",
        PACKAGE,
        asked,
        lambda stored: _with_state(stored, entities.answer(stored, _SUMMARY)),
        member="model_package_summary_list",
        parent=group.arn if group else "" if kind == "Unversioned" else None,
        where=where,
        sort_order="Ascending",
    )


def update_model_package(
    context: Context,
    *,
    model_package_arn: str,
    model_approval_status: str | None = None,
    model_package_registration_type: str | None = None,
    approval_description: str | None = None,
    customer_metadata_properties: dict[str, str] | None = None,
    customer_metadata_properties_to_remove: Sequence[str] = (),
    additional_inference_specifications_to_add: Sequence[dict[str, Any]] = (),
    inference_specification: dict[str, Any] | None = None,
    source_uri: str | None = None,
    model_card: dict[str, Any] | None = None,
    model_life_cycle: dict[str, Any] | None = None,
    client_token: str | None = None,
) -> dict[str, Any]:
    """Change a package's approval, metadata or specifications. AWS page: UpdateModelPackage."""
    stored = package_named(context, model_package_arn)
    if model_approval_status and not stored.parent:
        raise InvalidInput(f"ModelApprovalStatus does not apply to {stored.arn}, which is no version of a group")
    members = {
        "model_approval_status": model_approval_status,
        "approval_description": approval_description,
        "model_package_registration_type": model_package_registration_type,
        "inference_specification": inference_specification,
        "source_uri": source_uri,
        "model_card": model_card,
        "model_life_cycle": model_life_cycle,
    }
    if customer_metadata_properties or customer_metadata_properties_to_remove:
        kept = {**stored.record.get("customer_metadata_properties", {}), **(customer_metadata_properties or {})}
        members["customer_metadata_properties"] = {
            key: value for key, value in kept.items() if key not in customer_metadata_properties_to_remove
        }
        if len(members["customer_metadata_properties"] or ()) > MOST_METADATA:
            raise InvalidInput(f"{stored.arn} would have more than {MOST_METADATA} metadata properties; remove some")
    if additional_inference_specifications_to_add:
        added = list(additional_inference_specifications_to_add)
        every = [*stored.record.get("additional_inference_specifications", []), *added]
        if len(every) > MOST_ADDITIONAL:
            raise InvalidInput(f"{stored.arn} would have more than {MOST_ADDITIONAL} additional specifications")
        members["additional_inference_specifications"] = every  # type: ignore[assignment]
    changed = entities.change(context, PACKAGE, stored, members)
    tell(context, changed)
    return {"model_package_arn": stored.arn}


def delete_model_package(context: Context, *, model_package_name: str) -> None:
    """Delete a package; the numbers of later versions of its group stay. AWS page: DeleteModelPackage."""
    stored = package_named(context, model_package_name)
    resources.remove(context.connection, stored, PACKAGE)
    tell(context, stored, status="Deleted")


def group_of(context: Context, stored: Stored) -> Stored | None:
    """Return the group that a package is a version of, or None."""
    return entities.find(context, GROUP, stored.parent) if stored.parent else None


def _with_state(stored: Stored, found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "model_package_arn": stored.arn, "model_package_status": stored.state}
