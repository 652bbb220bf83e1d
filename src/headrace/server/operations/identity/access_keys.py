"""Access keys of users (and of root): at most two each, their secrets told once."""

from __future__ import annotations

from typing import Any

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import NotFound
from headrace.server.operations.identity import last_use
from headrace.server.operations.identity.entities import USER, get, part, quota_exceeded
from headrace.server.operations.identity.users import own_name
from headrace.server.security import credentials
from headrace.server.security.credentials import Caller

KEYS_PER_USER = 2


def create_access_key(context: Context, *, user_name: str | None = None) -> dict[str, Any]:
    """Make a key for a user, or for the caller; raises LimitExceeded at two. AWS page: CreateAccessKey."""
    owner = _owner(context, user_name)
    if len(credentials.access_keys_of(context.connection, owner.user_id)) >= KEYS_PER_USER:
        raise quota_exceeded("AccessKeysPerUser", KEYS_PER_USER)
    key = credentials.create_access_key(context.connection, context.platform.keyring, owner, now=context.now)
    return {
        "access_key": {
            "user_name": owner.name,
            "access_key_id": key.access_key_id,
            "status": "Active",
            "secret_access_key": key.secret,
            "create_date": moment(context.now),
        }
    }


def list_access_keys(
    context: Context, *, user_name: str | None = None, marker: str | None = None, max_items: int | None = None
) -> dict[str, Any]:
    """List the keys of a user, or of the caller, without secrets. AWS page: ListAccessKeys."""
    owner = _owner(context, user_name)
    found = [
        (
            key.access_key_id,
            {
                "user_name": owner.name,
                "access_key_id": key.access_key_id,
                "status": "Active" if key.active else "Inactive",
                "create_date": moment(key.created),
            },
        )
        for key in credentials.access_keys_of(context.connection, owner.user_id)
    ]
    keys, paging = part(context, sorted(found), "list_access_keys", marker=marker, max_items=max_items)
    return {"access_key_metadata": keys, **paging}


def update_access_key(context: Context, *, access_key_id: str, status: str, user_name: str | None = None) -> None:
    """Make a key of a user Active or Inactive. AWS page: UpdateAccessKey."""
    _refuse_foreign(context, access_key_id, user_name)
    credentials.set_active(context.connection, access_key_id, status == "Active")


def delete_access_key(context: Context, *, access_key_id: str, user_name: str | None = None) -> None:
    """Delete a key of a user. AWS page: DeleteAccessKey."""
    _refuse_foreign(context, access_key_id, user_name)
    credentials.delete_access_key(context.connection, access_key_id)
    last_use.forget(context, access_key_id)


def get_access_key_last_used(context: Context, *, access_key_id: str) -> dict[str, Any]:
    """Tell whose a key is, and when it was last used for what. AWS page: GetAccessKeyLastUsed."""
    key = credentials.find_access_key(context.connection, access_key_id)
    if key is None:
        raise _missing(access_key_id)
    used = last_use.of(context, access_key_id)
    told: dict[str, Any] = {"service_name": "N/A", "region": "N/A"}
    if used:
        told = {"last_used_date": moment(used.used), "service_name": used.service, "region": used.region}
    return {"user_name": key.name or "root", "access_key_last_used": told}


def _owner(context: Context, user_name: str | None) -> Caller:
    account = context.place.account
    if user_name is None and context.caller.kind == "Root":
        return credentials.root(account, context.place.partition)
    stored = get(context, USER, user_name or own_name(context))
    return Caller("IAMUser", account, stored.arn, stored.record["id"], stored.arn, stored.name)


def _refuse_foreign(context: Context, access_key_id: str, user_name: str | None) -> None:
    key = credentials.find_access_key(context.connection, access_key_id)
    if key is None or key.owner != _owner(context, user_name).user_id:
        raise _missing(access_key_id)


def _missing(access_key_id: str) -> NotFound:
    return NotFound(f"The Access Key with id {access_key_id} cannot be found.")
