"""Tags of users, roles, policies, instance profiles and MFA devices; keys differ by more than casing."""

from __future__ import annotations

from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.operations.identity.entities import (
    INSTANCE_PROFILE,
    ROLE,
    USER,
    get,
    part,
    quota_exceeded,
    tag_map,
)
from headrace.server.operations.identity.managed import own_policy
from headrace.server.operations.identity.mfa import device
from headrace.server.operations.identity.roles import own_role


def tag_user(context: Context, *, user_name: str, tags: list[dict[str, str]]) -> None:
    """Add tags to a user, or replace their values. AWS page: TagUser."""
    _tag(context, get(context, USER, user_name).arn, tags)


def untag_user(context: Context, *, user_name: str, tag_keys: list[str]) -> None:
    """Remove tags of a user. AWS page: UntagUser."""
    _untag(context, get(context, USER, user_name).arn, tag_keys)


def list_user_tags(
    context: Context, *, user_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of a user by key. AWS page: ListUserTags."""
    return _list(context, get(context, USER, user_name).arn, marker, max_items)


def tag_role(context: Context, *, role_name: str, tags: list[dict[str, str]]) -> None:
    """Add tags to a role, or replace their values. AWS page: TagRole."""
    _tag(context, own_role(context, role_name).arn, tags)


def untag_role(context: Context, *, role_name: str, tag_keys: list[str]) -> None:
    """Remove tags of a role. AWS page: UntagRole."""
    _untag(context, own_role(context, role_name).arn, tag_keys)


def list_role_tags(
    context: Context, *, role_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of a role by key. AWS page: ListRoleTags."""
    return _list(context, get(context, ROLE, role_name).arn, marker, max_items)


def tag_policy(context: Context, *, policy_arn: str, tags: list[dict[str, str]]) -> None:
    """Add tags to a policy, or replace their values. AWS page: TagPolicy."""
    _tag(context, own_policy(context, policy_arn).arn, tags)


def untag_policy(context: Context, *, policy_arn: str, tag_keys: list[str]) -> None:
    """Remove tags of a policy. AWS page: UntagPolicy."""
    _untag(context, own_policy(context, policy_arn).arn, tag_keys)


def list_policy_tags(
    context: Context, *, policy_arn: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of a policy by key. AWS page: ListPolicyTags."""
    return _list(context, own_policy(context, policy_arn).arn, marker, max_items)


def tag_instance_profile(context: Context, *, instance_profile_name: str, tags: list[dict[str, str]]) -> None:
    """Add tags to an instance profile, or replace their values. AWS page: TagInstanceProfile."""
    _tag(context, get(context, INSTANCE_PROFILE, instance_profile_name).arn, tags)


def untag_instance_profile(context: Context, *, instance_profile_name: str, tag_keys: list[str]) -> None:
    """Remove tags of an instance profile. AWS page: UntagInstanceProfile."""
    _untag(context, get(context, INSTANCE_PROFILE, instance_profile_name).arn, tag_keys)


def list_instance_profile_tags(
    context: Context, *, instance_profile_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of an instance profile by key. AWS page: ListInstanceProfileTags."""
    return _list(context, get(context, INSTANCE_PROFILE, instance_profile_name).arn, marker, max_items)


def tag_mfa_device(context: Context, *, serial_number: str, tags: list[dict[str, str]]) -> None:
    """Add tags to an MFA device, or replace their values. AWS page: TagMFADevice."""
    _tag(context, device(context, serial_number).arn, tags)


def untag_mfa_device(context: Context, *, serial_number: str, tag_keys: list[str]) -> None:
    """Remove tags of an MFA device. AWS page: UntagMFADevice."""
    _untag(context, device(context, serial_number).arn, tag_keys)


def list_mfa_device_tags(
    context: Context, *, serial_number: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the tags of an MFA device by key. AWS page: ListMFADeviceTags."""
    return _list(context, device(context, serial_number).arn, marker, max_items)


def _tag(context: Context, arn: str, tags: list[dict[str, str]]) -> None:
    pairs = tag_map(tags)
    _untag(context, arn, list(pairs))
    if len(resources.tags_of(context.connection, arn)) + len(pairs) > resources.MOST_TAGS:
        raise quota_exceeded("TagsPerEntity", resources.MOST_TAGS)
    resources.tag(context.connection, arn, pairs)


def _untag(context: Context, arn: str, keys: list[str]) -> None:
    unwanted = {key.lower() for key in keys}
    held = resources.tags_of(context.connection, arn)
    resources.untag(context.connection, arn, [key for key in held if key.lower() in unwanted])


def _list(context: Context, arn: str, marker: str | None, max_items: int | None) -> dict[str, Any]:
    found = sorted(resources.tags_of(context.connection, arn).items())
    pairs = [(key, {"key": key, "value": value}) for key, value in found]
    tags, paging = part(context, pairs, "tags_of", marker=marker, max_items=max_items)
    return {"tags": tags, **paging}
