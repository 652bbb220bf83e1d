"""IAM groups and who is in them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from headrace.server.context import Context
from headrace.server.errors import InUse, NotFound
from headrace.server.operations.identity import grants
from headrace.server.operations.identity.answers import group_answer, user_answer
from headrace.server.operations.identity.entities import (
    GROUP,
    USER,
    by_ids,
    create,
    get,
    page,
    part,
    quota_exceeded,
    remove,
    rename,
)
from headrace.server.resources import Stored
from headrace.server.stores.metadata.tables.identity import MEMBERSHIPS

GROUPS_PER_USER = 10


def create_group(context: Context, *, group_name: str, path: str = "/") -> dict[str, Any]:
    """Make an empty group; raises AlreadyExists, LimitExceeded. AWS page: CreateGroup."""
    return {"group": group_answer(context, create(context, GROUP, group_name, {"path": path}))}


def get_group(
    context: Context, *, group_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """Describe a group and list its users. AWS page: GetGroup."""
    stored = get(context, GROUP, group_name)
    members = [(each.name, user_answer(context, each)) for each in users_in(context, stored)]
    users, paging = part(context, members, f"get_group/{stored.record['id']}", marker=marker, max_items=max_items)
    return {"group": group_answer(context, stored), "users": users, **paging}


def list_groups(
    context: Context, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List groups by name. AWS page: ListGroups."""
    found, paging = page(context, GROUP, "list_groups", path_prefix=path_prefix, marker=marker, max_items=max_items)
    return {"groups": [group_answer(context, stored) for stored in found], **paging}


def list_groups_for_user(
    context: Context, *, user_name: str, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the groups that a user is in. AWS page: ListGroupsForUser."""
    user = get(context, USER, user_name)
    found = [(each.name, group_answer(context, each)) for each in groups_of(context, user)]
    groups, paging = part(context, found, "list_groups_for_user", marker=marker, max_items=max_items)
    return {"groups": groups, **paging}


def update_group(
    context: Context, *, group_name: str, new_path: str | None = None, new_group_name: str | None = None
) -> None:
    """Give a group another name or path; members and policies stay. AWS page: UpdateGroup."""
    stored = get(context, GROUP, group_name)
    rename(context, GROUP, stored, new_group_name or stored.name, new_path or stored.record["path"])


def delete_group(context: Context, *, group_name: str) -> None:
    """Delete a group without users and policies; raises InUse (DeleteConflict) else. AWS page: DeleteGroup."""
    stored = get(context, GROUP, group_name)
    unique_id = stored.record["id"]
    if users_in(context, stored):
        raise InUse("Cannot delete entity, must remove users from group first.")
    if grants.names(context, unique_id, grants.ATTACHED):
        raise InUse("Cannot delete entity, must detach all policies first.")
    if grants.names(context, unique_id, grants.INLINE):
        raise InUse("Cannot delete entity, must delete policies first.")
    remove(context, stored)


def add_user_to_group(context: Context, *, group_name: str, user_name: str) -> None:
    """Put a user into a group; again is no error. AWS page: AddUserToGroup."""
    group, user = get(context, GROUP, group_name), get(context, USER, user_name)
    if grants.join(context, user.record["id"], group.record["id"]):
        joined = select(func.count()).where(
            MEMBERSHIPS.c.member == user.record["id"], MEMBERSHIPS.c.container.startswith("AGPA")
        )
        if context.connection.execute(joined).scalar_one() > GROUPS_PER_USER:
            raise quota_exceeded("GroupsPerUser", GROUPS_PER_USER)


def remove_user_from_group(context: Context, *, group_name: str, user_name: str) -> None:
    """Take a user out of a group; raises NotFound when it is not in it. AWS page: RemoveUserFromGroup."""
    group, user = get(context, GROUP, group_name), get(context, USER, user_name)
    if not grants.leave(context, user.record["id"], group.record["id"]):
        raise NotFound(f"User {user_name} is not in group {group_name}.")


def users_in(context: Context, group: Stored) -> list[Stored]:
    """Return the users of a group by name."""
    ids = select(MEMBERSHIPS.c.member).where(MEMBERSHIPS.c.container == group.record["id"])
    return by_ids(context, USER, ids)


def groups_of(context: Context, user: Stored) -> list[Stored]:
    """Return the groups of a user by name."""
    ids = select(MEMBERSHIPS.c.container).where(MEMBERSHIPS.c.member == user.record["id"])
    return by_ids(context, GROUP, ids)
