"""Managed policies attached to users, groups and roles."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from headrace.server.context import Context
from headrace.server.errors import NotFound
from headrace.server.operations.identity import grants
from headrace.server.operations.identity.entities import (
    GROUP,
    ROLE,
    USER,
    by_ids,
    get,
    part,
    quota_exceeded,
)
from headrace.server.operations.identity.managed import any_policy, managed_policy
from headrace.server.operations.identity.policies import EVERY_USAGE, USAGES
from headrace.server.operations.identity.roles import own_role
from headrace.server.resources import Stored
from headrace.server.stores.metadata.tables.identity import IDENTITY_POLICIES

POLICIES_PER_ENTITY = 10
_FILTERS = {"User": (USER,), "Group": (GROUP,), "Role": (ROLE,)}


def attach_user_policy(context: Context, *, user_name: str, policy_arn: str) -> None:
    """Attach a managed policy to a user; again is no error. AWS page: AttachUserPolicy."""
    _attach(context, get(context, USER, user_name), policy_arn, "PoliciesPerUser")


def attach_group_policy(context: Context, *, group_name: str, policy_arn: str) -> None:
    """Attach a managed policy to a group; again is no error. AWS page: AttachGroupPolicy."""
    _attach(context, get(context, GROUP, group_name), policy_arn, "PoliciesPerGroup")


def attach_role_policy(context: Context, *, role_name: str, policy_arn: str) -> None:
    """Attach a managed policy to a role; again is no error. AWS page: AttachRolePolicy."""
    _attach(context, own_role(context, role_name), policy_arn, "PoliciesPerRole")


def detach_user_policy(context: Context, *, user_name: str, policy_arn: str) -> None:
    """Detach a managed policy from a user. AWS page: DetachUserPolicy."""
    _detach(context, get(context, USER, user_name), policy_arn)


def detach_group_policy(context: Context, *, group_name: str, policy_arn: str) -> None:
    """Detach a managed policy from a group. AWS page: DetachGroupPolicy."""
    _detach(context, get(context, GROUP, group_name), policy_arn)


def detach_role_policy(context: Context, *, role_name: str, policy_arn: str) -> None:
    """Detach a managed policy from a role. AWS page: DetachRolePolicy."""
    _detach(context, own_role(context, role_name), policy_arn)


def list_attached_user_policies(
    context: Context,
    *,
    user_name: str,
    path_prefix: str = "/",
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """List the managed policies of a user. AWS page: ListAttachedUserPolicies."""
    return _list(context, get(context, USER, user_name), path_prefix, marker, max_items)


def list_attached_group_policies(
    context: Context,
    *,
    group_name: str,
    path_prefix: str = "/",
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """List the managed policies of a group. AWS page: ListAttachedGroupPolicies."""
    return _list(context, get(context, GROUP, group_name), path_prefix, marker, max_items)


def list_attached_role_policies(
    context: Context,
    *,
    role_name: str,
    path_prefix: str = "/",
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """List the managed policies of a role. AWS page: ListAttachedRolePolicies."""
    return _list(context, get(context, ROLE, role_name), path_prefix, marker, max_items)


def list_entities_for_policy(
    context: Context,
    *,
    policy_arn: str,
    entity_filter: str | None = None,
    path_prefix: str = "/",
    policy_usage_filter: str | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> dict[str, Any]:
    """List the users, groups and roles that have a managed policy. AWS page: ListEntitiesForPolicy."""
    any_policy(context, policy_arn)
    kinds = USAGES.get(policy_usage_filter or "", EVERY_USAGE)
    columns = IDENTITY_POLICIES.c
    owners = select(columns.owner).where(columns.name == policy_arn, columns.kind.in_(kinds))
    found = [
        (f"{resource.title}/{each.name}", (resource.title, each))
        for resource in _FILTERS.get(entity_filter or "", (GROUP, ROLE, USER))
        for each in by_ids(context, resource, owners)
        if each.record["path"].startswith(path_prefix)
    ]
    listed, paging = part(context, sorted(found), "list_entities", marker=marker, max_items=max_items)
    answer: dict[str, Any] = {"policy_groups": [], "policy_users": [], "policy_roles": []}
    for noun, each in listed:
        answer[f"policy_{noun}s"].append({f"{noun}_name": each.name, f"{noun}_id": each.record["id"]})
    return {**answer, **paging}


def attached(context: Context, owner: Stored) -> list[dict[str, str]]:
    """Return name and ARN of the managed policies of an owner, by ARN."""
    arns = grants.names(context, owner.record["id"], grants.ATTACHED)
    return [{"policy_name": arn.rpartition("/")[2], "policy_arn": arn} for arn in arns]


def attach(context: Context, owner: Stored, policy_arn: str) -> None:
    """Attach a managed policy to an owner; raises NotFound when there is none with this ARN."""
    if managed_policy(context, policy_arn) is None:
        raise NotFound(f"Policy {policy_arn} does not exist or is not attachable.")
    grants.give(context, owner.record["id"], grants.ATTACHED, policy_arn)


def _attach(context: Context, owner: Stored, policy_arn: str, quota: str) -> None:
    attach(context, owner, policy_arn)
    if len(grants.names(context, owner.record["id"], grants.ATTACHED)) > POLICIES_PER_ENTITY:
        raise quota_exceeded(quota, POLICIES_PER_ENTITY)


def _detach(context: Context, owner: Stored, policy_arn: str) -> None:
    if not grants.take(context, owner.record["id"], grants.ATTACHED, policy_arn):
        raise NotFound(f"Policy {policy_arn} was not found.")


def _list(
    context: Context, owner: Stored, path_prefix: str, marker: str | None, max_items: int | None
) -> dict[str, Any]:
    found = [
        (each["policy_arn"], each)
        for each in attached(context, owner)
        if each["policy_arn"].partition(":policy")[2].startswith(path_prefix)
    ]
    policies, paging = part(context, found, "list_attached_policies", marker=marker, max_items=max_items)
    return {"attached_policies": policies, **paging}
