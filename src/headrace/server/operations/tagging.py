"""Tags of resources of every service: found, listed, added and removed (AWS: Resource Groups Tagging API)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import Denied, InvalidInput, LimitExceeded
from headrace.server.resources import Stored

TAGGING_ACTIONS = {
    "s3/bucket": ("s3:PutBucketTagging", "s3:PutBucketTagging"),
    "cloudtrail": ("cloudtrail:AddTags", "cloudtrail:RemoveTags"),
    "sagemaker": ("sagemaker:AddTags", "sagemaker:DeleteTags"),
}
"""The actions by which a kind or a service allows tagging and untagging, where they have names of their own."""

TAGGED_IN_IAM = {
    "instance-profile": "InstanceProfile",
    "mfa": "MFADevice",
    "policy": "Policy",
    "role": "Role",
    "user": "User",
}
"""The kinds of IAM that have tags, with the word that their tagging actions end in."""

WORDS_A_PAGE = 100


def get_resources(
    context: Context,
    *,
    pagination_token: str | None = None,
    tag_filters: Sequence[dict[str, Any]] = (),
    resources_per_page: int | None = None,
    tags_per_page: int | None = None,
    resource_type_filters: Sequence[str] = (),
    include_compliance_details: bool = False,
    exclude_compliant_resources: bool = False,
    resource_arn_list: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the tagged resources of a region that match (Resource Groups Tagging API reference, GetResources)."""
    if resource_arn_list and (tag_filters or resource_type_filters or pagination_token):
        raise InvalidInput("ResourceARNList can't be combined with filters or a PaginationToken; send one of them")
    _check_sizes(resources_per_page, tags_per_page)
    if exclude_compliant_resources and not include_compliance_details:
        raise InvalidInput("ExcludeCompliantResources can only be true when IncludeComplianceDetails is true as well")
    if exclude_compliant_resources:
        return {"pagination_token": "", "resource_tag_mapping_list": []}
    limit = resources_per_page or 100
    found = resources.tagged(
        context.connection,
        context.place,
        tags=[(each["key"], each.get("values") or ()) for each in tag_filters if each.get("key")],
        kinds=[each.replace(":", "/", 1) for each in resource_type_filters],
        arns=resource_arn_list,
        limit=limit + 1,
        position=context.position(pagination_token, of="get_resources"),
    )
    shown = _within(found[:limit], tags_per_page)
    last = shown[-1][0] if len(shown) < len(found) else None
    compliance = {"compliance_details": {"compliance_status": True}} if include_compliance_details else {}
    return {
        "pagination_token": context.token(last and [last], of="get_resources") or "",
        "resource_tag_mapping_list": [
            {"resource_arn": arn, "tags": [{"key": key, "value": value} for key, value in tags.items()], **compliance}
            for arn, tags in shown
        ],
    }


def get_tag_keys(context: Context, *, pagination_token: str | None = None) -> dict[str, Any]:
    """Return the tag keys in use in a region, in order."""
    return _words(context, "tag_keys", None, pagination_token)


def get_tag_values(context: Context, *, key: str, pagination_token: str | None = None) -> dict[str, Any]:
    """Return the values that a tag key has in a region, in order."""
    return _words(context, "tag_values", key, pagination_token)


def tag_resources(context: Context, *, resource_arn_list: Sequence[str], tags: dict[str, str]) -> dict[str, Any]:
    """Add or replace tags of several resources; those that cannot be tagged are answered with the reason."""
    return _on_each(context, resource_arn_list, 0, lambda arn: resources.tag(context.connection, arn, tags))


def untag_resources(context: Context, *, resource_arn_list: Sequence[str], tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags of several resources; those that cannot be untagged are answered with the reason."""
    return _on_each(context, resource_arn_list, 1, lambda arn: resources.untag(context.connection, arn, tag_keys))


def tagging_actions(stored: Stored) -> tuple[str, str]:
    """Return the actions that allow tagging and untagging a resource in its own service.

    Raises InvalidInput on a kind that has no tags (AWS page: Service Authorization Reference).
    """
    service, _, kind = stored.kind.partition("/")
    if service == "iam":
        if kind not in TAGGED_IN_IAM:
            raise InvalidInput(f"the resource {stored.arn!r} is of a kind that has no tags; leave it out")
        return f"iam:Tag{TAGGED_IN_IAM[kind]}", f"iam:Untag{TAGGED_IN_IAM[kind]}"
    named = TAGGING_ACTIONS.get(stored.kind) or TAGGING_ACTIONS.get(service)
    prefix = stored.arn.split(":")[2]
    return named or (f"{prefix}:TagResource", f"{prefix}:UntagResource")


def _on_each(context: Context, arns: Sequence[str], action: int, change: Callable[[str], None]) -> dict[str, Any]:
    failed: dict[str, Any] = {}
    for arn in dict.fromkeys(arns):
        try:
            stored = resources.by_arn(context.connection, arn)
            if stored is None or not _is_here(context, stored):
                raise InvalidInput(f"the resource {arn!r} does not exist in this account and region; correct its ARN")
            context.authorise(tagging_actions(stored)[action], arn)
            change(arn)
        except (Denied, InvalidInput, LimitExceeded) as error:
            status = 403 if isinstance(error, Denied) else 400
            failed[arn] = {
                "status_code": status, "error_code": "InvalidParameterException", "error_message": error.message,
            }  # fmt: skip
    return {"failed_resources_map": failed}


def _is_here(context: Context, stored: Stored) -> bool:
    return stored.account == context.place.account and stored.region in ("", context.place.region)


def _check_sizes(resources_per_page: int | None, tags_per_page: int | None) -> None:
    if resources_per_page is not None and not 1 <= resources_per_page <= 100:
        raise InvalidInput(f"ResourcesPerPage {resources_per_page} is not between 1 and 100; send a number that is")
    if tags_per_page is not None and (tags_per_page % 100 or not 100 <= tags_per_page <= 500):
        raise InvalidInput(f"TagsPerPage {tags_per_page} is none of 100, 200, 300, 400 and 500; send one of these")


def _within(found: list[tuple[str, dict[str, str]]], tags_per_page: int | None) -> list[tuple[str, dict[str, str]]]:
    if tags_per_page is None:
        return found
    total = 0
    for number, (_, tags) in enumerate(found):
        total += len(tags)
        if total > tags_per_page:
            return found[:number]
    return found


def _words(context: Context, member: str, key: str | None, pagination_token: str | None) -> dict[str, Any]:
    of = member if key is None else f"{member}/{key}"
    position = context.position(pagination_token, of=of)
    found = resources.tag_words(context.connection, context.place, key=key, limit=WORDS_A_PAGE + 1, position=position)
    last = found[WORDS_A_PAGE - 1] if len(found) > WORDS_A_PAGE else None
    return {
        "pagination_token": context.token(None if last is None else [last], of=of) or "",
        member: found[:WORDS_A_PAGE],
    }
