"""Groups of model packages, and the policies of who may use them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import Conflict, InUse, InvalidInput
from headrace.server.operations import entities
from headrace.server.resources import Resource, Stored
from headrace.server.security.policy import PolicyError, parse_policy

GROUP = Resource(
    "sagemaker/model-package-group",
    "Model Package Group",
    "arn:{partition}:sagemaker:{region}:{account}:model-package-group/{lowered}",
    states={"Completed": ()},
)
"""A group; beside what describing it answers, its record holds `last_version`, the number of its newest package."""

_SUMMARY = ("model_package_group_name", "model_package_group_description", "creation_time", "managed_configuration")
_DESCRIBED = (*_SUMMARY, "created_by")


def create_model_package_group(
    context: Context,
    *,
    model_package_group_name: str,
    model_package_group_description: str | None = None,
    tags: Sequence[dict[str, str]] | None = None,
    managed_configuration: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Make a group of model packages. AWS page: CreateModelPackageGroup."""
    record = {
        "model_package_group_name": model_package_group_name,
        "model_package_group_description": model_package_group_description,
        "managed_configuration": managed_configuration,
        "last_version": 0,
    }
    return {"model_package_group_arn": entities.make(context, GROUP, model_package_group_name, record, tags=tags).arn}


def describe_model_package_group(context: Context, *, model_package_group_name: str) -> dict[str, Any]:
    """Describe a group by its name or ARN. AWS page: DescribeModelPackageGroup."""
    return described_group(group_named(context, model_package_group_name))


def described_group(stored: Stored) -> dict[str, Any]:
    """Return what describing a group answers."""
    return _answer(stored, _DESCRIBED)


def list_model_package_groups(
    context: Context,
    *,
    creation_time_after: datetime | None = None,
    creation_time_before: datetime | None = None,
    max_results: int | None = None,
    name_contains: str | None = None,
    next_token: str | None = None,
    sort_by: str | None = None,
    sort_order: str | None = None,
    cross_account_filter_option: str = "SameAccount",
) -> dict[str, Any]:
    """List groups, the oldest first unless asked otherwise. AWS page: ListModelPackageGroups."""
    if cross_account_filter_option == "CrossAccount":
        return {"model_package_group_summary_list": []}
    asked = {
        "creation_time_after": creation_time_after, "creation_time_before": creation_time_before,
        "max_results": max_results, "name_contains": name_contains, "next_token": next_token, "sort_by": sort_by,
        "sort_order": sort_order,
    }  # fmt: skip
    return entities.page(
        context,
        "list_model_package_groups",
        GROUP,
        asked,
        lambda stored: _answer(stored, _SUMMARY),
        member="model_package_group_summary_list",
        sort_order="Ascending",
    )


def delete_model_package_group(context: Context, *, model_package_group_name: str) -> None:
    """Delete a group without packages; raises Conflict else. AWS page: DeleteModelPackageGroup."""
    stored = group_named(context, model_package_group_name)
    try:
        resources.remove(context.connection, stored, GROUP)
    except InUse:
        raise Conflict(
            f"Model Package Group {stored.arn} cannot be deleted because it still contains Model Packages; "
            "delete those first"
        ) from None


def put_model_package_group_policy(
    context: Context, *, model_package_group_name: str, resource_policy: str
) -> dict[str, Any]:
    """Give a group a resource policy, in place of an earlier one. AWS page: PutModelPackageGroupPolicy."""
    stored = group_named(context, model_package_group_name)
    try:
        parse_policy(resource_policy, "resource")
    except PolicyError as error:
        raise InvalidInput(f"Invalid resource policy for {stored.arn}: {error}") from None
    resources.change(context.connection, GROUP, stored, now=context.now, policy=resource_policy)
    return {"model_package_group_arn": stored.arn}


def get_model_package_group_policy(context: Context, *, model_package_group_name: str) -> dict[str, Any]:
    """Return a group's resource policy. AWS page: GetModelPackageGroupPolicy."""
    stored = group_named(context, model_package_group_name)
    if not stored.policy:
        raise _without_policy(stored)
    return {"resource_policy": stored.policy}


def delete_model_package_group_policy(context: Context, *, model_package_group_name: str) -> None:
    """Take a group's resource policy away. AWS page: DeleteModelPackageGroupPolicy."""
    stored = group_named(context, model_package_group_name)
    if not stored.policy:
        raise _without_policy(stored)
    resources.change(context.connection, GROUP, stored, now=context.now, policy=None)


def group_named(context: Context, name: str) -> Stored:
    """Return the group of that name or ARN; raises InvalidInput in AWS's words."""
    stored = entities.find(context, GROUP, name)
    if stored is None:
        arn = name if name.startswith("arn:") else GROUP.arn_of(context.place, name, {"lowered": name.lower()})
        raise InvalidInput(f"ModelPackageGroup {arn} does not exist.")
    return stored


def _answer(stored: Stored, names: Sequence[str]) -> dict[str, Any]:
    return {
        **entities.answer(stored, names),
        "model_package_group_arn": stored.arn,
        "model_package_group_status": stored.state,
    }


def _without_policy(stored: Stored) -> InvalidInput:
    return InvalidInput(f"Cannot find resource policy for: {stored.arn}; put one first")
