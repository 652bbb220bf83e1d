"""Long-lived access keys: rows of the metadata store, their secrets sealed.

Every function works on an open transaction: a key that is deleted or made inactive stops working with the commit.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from headrace.server.security.credentials.callers import AccessKey, Caller
from headrace.server.security.credentials.identifiers import TEMPORARY, new_access_key_id, new_secret
from headrace.server.security.credentials.sessions import find_session
from headrace.server.security.secrets import Keyring, SealBroken
from headrace.server.stores.metadata.remembering import remembered
from headrace.server.stores.metadata.tables.access_keys import ACCESS_KEYS

PURPOSE = "access keys"
_BY_ID = select(ACCESS_KEYS).where(ACCESS_KEYS.c.access_key_id == bindparam("id"))


@dataclass(frozen=True)
class KeyRecord:
    """What may be told of an access key; `owner` is the unique id of the user, or the account for root."""

    access_key_id: str
    owner: str
    name: str
    active: bool
    created: int


def create_access_key(connection: Connection, keyring: Keyring, owner: Caller, *, now: int) -> AccessKey:
    """Make an access key for a user (or root), whose unique id is `owner.user_id`; the secret is told only here."""
    access_key_id = new_access_key_id(owner.account)
    secret = new_secret()
    row = {
        "access_key_id": access_key_id,
        "sealed": keyring.seal(secret.encode(), purpose=PURPOSE, context=access_key_id.encode()),
        "owner": owner.user_id,
        "kind": owner.kind,
        "account": owner.account,
        "principal": owner.principal,
        "name": owner.name,
        "active": True,
        "created": now,
    }
    connection.execute(insert(ACCESS_KEYS).values(row))
    caller = Caller(
        owner.kind, owner.account, owner.principal, owner.user_id, owner.principal, owner.name, access_key_id
    )
    return AccessKey(access_key_id, secret, caller)


def find_key(
    connection: Connection, keyring: Keyring, access_key_id: str, session_token: str | None = None
) -> AccessKey | None:
    """Return the key that a request names, or None when it is unknown, ended, or its token is not its own.

    Whether the key is active, and its session not expired, is the caller's question.
    """
    return remembered(
        connection,
        ("access key", access_key_id, session_token),
        lambda: _read_key(connection, keyring, access_key_id, session_token),
    )


def _read_key(
    connection: Connection, keyring: Keyring, access_key_id: str, session_token: str | None
) -> AccessKey | None:
    if session_token is not None or access_key_id.startswith(TEMPORARY):
        return find_session(connection, keyring, session_token or "", access_key_id)
    row = connection.execute(_BY_ID, {"id": access_key_id}).one_or_none()
    if row is None:
        return None
    try:
        secret = keyring.unseal(row.sealed, purpose=PURPOSE, context=access_key_id.encode())
    except SealBroken:
        return None
    caller = Caller(row.kind, row.account, row.principal, row.owner, row.principal, row.name, access_key_id)
    return AccessKey(access_key_id, secret.decode(), caller, row.active)


def find_access_key(connection: Connection, access_key_id: str) -> KeyRecord | None:
    """Return what may be told of a long-lived key, or None."""
    row = connection.execute(_BY_ID, {"id": access_key_id}).one_or_none()
    return None if row is None else KeyRecord(row.access_key_id, row.owner, row.name, row.active, row.created)


def access_keys_of(connection: Connection, owner: str) -> list[KeyRecord]:
    """Return the keys of a user's unique id (of the account: root's), oldest first."""
    rows = connection.execute(
        select(ACCESS_KEYS)
        .where(ACCESS_KEYS.c.owner == owner)
        .order_by(ACCESS_KEYS.c.created, ACCESS_KEYS.c.access_key_id)
    )
    return [KeyRecord(row.access_key_id, row.owner, row.name, row.active, row.created) for row in rows]


def set_active(connection: Connection, access_key_id: str, active: bool) -> bool:
    """Make a key active or inactive; returns False when there is none of that id."""
    changed = connection.execute(
        update(ACCESS_KEYS).where(ACCESS_KEYS.c.access_key_id == access_key_id).values(active=active)
    )
    return changed.rowcount > 0


def delete_access_key(connection: Connection, access_key_id: str) -> bool:
    """Delete a key for good; returns False when there is none of that id."""
    return connection.execute(delete(ACCESS_KEYS).where(ACCESS_KEYS.c.access_key_id == access_key_id)).rowcount > 0


def rename_user(connection: Connection, unique_id: str, *, arn: str, name: str) -> None:
    """Follow a user's new name or path in the keys that it has."""
    connection.execute(update(ACCESS_KEYS).where(ACCESS_KEYS.c.owner == unique_id).values(principal=arn, name=name))
