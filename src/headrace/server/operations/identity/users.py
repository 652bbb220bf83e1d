"""IAM users."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import InUse, InvalidInput
from headrace.server.operations.identity import grants
from headrace.server.operations.identity.answers import user_answer
from headrace.server.operations.identity.entities import (
    USER,
    create,
    get,
    page,
    remove,
    rename,
)
from headrace.server.security import credentials
from headrace.server.stores.metadata.tables.access_keys import ACCOUNTS
from headrace.server.stores.metadata.tables.identity import MEMBERSHIPS


def create_user(
    context: Context,
    *,
    user_name: str,
    path: str = "/",
    permissions_boundary: str | None = None,
    tags: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Make a user without any permission; raises AlreadyExists, LimitExceeded. AWS page: CreateUser."""
    stored = create(context, USER, user_name, {"path": path}, tags=tags)
    if permissions_boundary:
        grants.set_boundary(context, stored.record["id"], permissions_boundary)
    return {"user": user_answer(context, stored, whole=True)}


def get_user(context: Context, *, user_name: str | None = None) -> dict[str, Any]:
    """Describe a user, or the caller when no name is given (the root user too). AWS page: GetUser."""
    if user_name is None and context.caller.kind == "Root":
        created = context.connection.execute(select(ACCOUNTS.c.created)).scalar_one_or_none()
        return {
            "user": {
                "path": "/",
                "user_name": "root",
                "user_id": context.place.account,
                "arn": context.caller.arn,
                "create_date": moment(created or 0),
            }
        }
    return {"user": user_answer(context, get(context, USER, user_name or own_name(context)), whole=True)}


def list_users(
    context: Context, *, path_prefix: str = "/", marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List users by name. AWS page: ListUsers."""
    found, paging = page(context, USER, "list_users", path_prefix=path_prefix, marker=marker, max_items=max_items)
    return {"users": [user_answer(context, stored) for stored in found], **paging}


def update_user(
    context: Context, *, user_name: str, new_path: str | None = None, new_user_name: str | None = None
) -> None:
    """Give a user another name or path; keys, policies and groups stay. AWS page: UpdateUser.

    Its sessions end: they carry the former name, which may be another user's tomorrow.
    """
    stored = get(context, USER, user_name)
    moved = rename(context, USER, stored, new_user_name or stored.name, new_path or stored.record["path"])
    if moved.arn != stored.arn:
        credentials.end_sessions(context.connection, stored.record["id"], before=context.now + 1)
    credentials.rename_user(context.connection, stored.record["id"], arn=moved.arn, name=moved.name)


def delete_user(context: Context, *, user_name: str) -> None:
    """Delete a user that has nothing left; raises InUse (DeleteConflict) else. AWS page: DeleteUser."""
    stored = get(context, USER, user_name)
    unique_id = stored.record["id"]
    connection = context.connection
    if credentials.access_keys_of(connection, unique_id):
        raise InUse("Cannot delete entity, must delete access keys first.")
    if stored.record.get("password"):
        raise InUse("Cannot delete entity, must delete login profile first.")
    if grants.names(context, unique_id, grants.ATTACHED):
        raise InUse("Cannot delete entity, must detach all policies first.")
    if grants.names(context, unique_id, grants.INLINE):
        raise InUse("Cannot delete entity, must delete policies first.")
    joined = (
        connection.execute(select(MEMBERSHIPS.c.container).where(MEMBERSHIPS.c.member == unique_id)).scalars().all()
    )
    if any(each.startswith("AMFA") for each in joined):
        raise InUse("Cannot delete entity, must delete MFA device first.")
    if joined:
        raise InUse("Cannot delete entity, must remove users from group first.")
    grants.take_all(context, unique_id, grants.BOUNDARY)
    credentials.end_sessions(connection, unique_id, before=context.now + 1)
    remove(context, stored)


def put_user_permissions_boundary(context: Context, *, user_name: str, permissions_boundary: str) -> None:
    """Set the most that a user may be allowed. AWS page: PutUserPermissionsBoundary."""
    grants.set_boundary(context, get(context, USER, user_name).record["id"], permissions_boundary)


def delete_user_permissions_boundary(context: Context, *, user_name: str) -> None:
    """Take a user's boundary away. AWS page: DeleteUserPermissionsBoundary."""
    grants.take_all(context, get(context, USER, user_name).record["id"], grants.BOUNDARY)


def own_name(context: Context) -> str:
    """Return the name of the calling user, for operations that take none; raises InvalidInput for other callers."""
    if context.caller.kind == "IAMUser":
        return context.caller.name
    raise InvalidInput("Must specify userName when calling with non-User credentials", code="ValidationError")
