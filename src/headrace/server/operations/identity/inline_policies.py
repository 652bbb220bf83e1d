"""Policies written into a user, group or role itself."""

from __future__ import annotations

from typing import Any

from headrace.server.context import Context
from headrace.server.errors import LimitExceeded, NotFound
from headrace.server.operations.identity import grants
from headrace.server.operations.identity.documents import encoded
from headrace.server.operations.identity.entities import GROUP, ROLE, USER, get, part
from headrace.server.operations.identity.roles import own_role
from headrace.server.resources import Stored
from headrace.server.security.policy import LIMITS, parse_policy, policy_size


def put_user_policy(context: Context, *, user_name: str, policy_name: str, policy_document: str) -> None:
    """Write or replace a policy of a user. AWS page: PutUserPolicy."""
    _put(context, "user", get(context, USER, user_name), policy_name, policy_document)


def put_group_policy(context: Context, *, group_name: str, policy_name: str, policy_document: str) -> None:
    """Write or replace a policy of a group. AWS page: PutGroupPolicy."""
    _put(context, "group", get(context, GROUP, group_name), policy_name, policy_document)


def put_role_policy(context: Context, *, role_name: str, policy_name: str, policy_document: str) -> None:
    """Write or replace a policy of a role. AWS page: PutRolePolicy."""
    _put(context, "role", own_role(context, role_name), policy_name, policy_document)


def get_user_policy(context: Context, *, user_name: str, policy_name: str) -> dict[str, Any]:
    """Return a policy of a user. AWS page: GetUserPolicy."""
    return _get(context, "user", get(context, USER, user_name), policy_name)


def get_group_policy(context: Context, *, group_name: str, policy_name: str) -> dict[str, Any]:
    """Return a policy of a group. AWS page: GetGroupPolicy."""
    return _get(context, "group", get(context, GROUP, group_name), policy_name)


def get_role_policy(context: Context, *, role_name: str, policy_name: str) -> dict[str, Any]:
    """Return a policy of a role. AWS page: GetRolePolicy."""
    return _get(context, "role", get(context, ROLE, role_name), policy_name)


def list_user_policies(
    context: Context, *, user_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the names of a user's own policies. AWS page: ListUserPolicies."""
    return _list(context, get(context, USER, user_name), marker, max_items)


def list_group_policies(
    context: Context, *, group_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the names of a group's own policies. AWS page: ListGroupPolicies."""
    return _list(context, get(context, GROUP, group_name), marker, max_items)


def list_role_policies(
    context: Context, *, role_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the names of a role's own policies. AWS page: ListRolePolicies."""
    return _list(context, get(context, ROLE, role_name), marker, max_items)


def delete_user_policy(context: Context, *, user_name: str, policy_name: str) -> None:
    """Delete a policy of a user. AWS page: DeleteUserPolicy."""
    _delete(context, "user", get(context, USER, user_name), policy_name)


def delete_group_policy(context: Context, *, group_name: str, policy_name: str) -> None:
    """Delete a policy of a group. AWS page: DeleteGroupPolicy."""
    _delete(context, "group", get(context, GROUP, group_name), policy_name)


def delete_role_policy(context: Context, *, role_name: str, policy_name: str) -> None:
    """Delete a policy of a role. AWS page: DeleteRolePolicy."""
    _delete(context, "role", own_role(context, role_name), policy_name)


def _put(context: Context, noun: str, owner: Stored, name: str, document: str) -> None:
    parse_policy(document)
    most = LIMITS[noun]
    held = grants.documents(context, owner.record["id"]) | {name: document}
    if sum(policy_size(each) for each in held.values()) > most:
        raise LimitExceeded(f"Maximum policy size of {most} bytes exceeded for {noun} {owner.name}", status=409)
    grants.give(context, owner.record["id"], grants.INLINE, name, document)


def _get(context: Context, noun: str, owner: Stored, name: str) -> dict[str, Any]:
    document = grants.documents(context, owner.record["id"]).get(name)
    if document is None:
        raise _missing(noun, name)
    return {f"{noun}_name": owner.name, "policy_name": name, "policy_document": encoded(document)}


def _list(context: Context, owner: Stored, marker: str | None, max_items: int | None) -> dict[str, Any]:
    names = [(name, name) for name in grants.names(context, owner.record["id"], grants.INLINE)]
    found, paging = part(context, names, "policies_of", marker=marker, max_items=max_items)
    return {"policy_names": found, **paging}


def _delete(context: Context, noun: str, owner: Stored, name: str) -> None:
    if not grants.take(context, owner.record["id"], grants.INLINE, name):
        raise _missing(noun, name)


def _missing(noun: str, name: str) -> NotFound:
    return NotFound(f"The {noun} policy with name {name} cannot be found.")
