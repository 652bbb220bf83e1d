"""Temporary credentials of STS: nothing of them is stored, the sealed session token carries them.

The token holds who the caller is and is sealed for one access key id; the secret is derived from the signing key, so
that the token does not hold it. Sessions can be ended before their time, all of a user's or role's at once.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import zlib
from dataclasses import dataclass, field, fields, replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from headrace.server.security.credentials.callers import AccessKey, Caller
from headrace.server.security.credentials.identifiers import TEMPORARY, new_access_key_id
from headrace.server.security.secrets import Keyring, SealBroken
from headrace.server.stores.metadata.tables.access_keys import ENDED_SESSIONS

PURPOSE = "session tokens"
SECRET_PURPOSE = "session secrets"  # noqa: S105
_NONCE_SIZE = 16
_BEFORE = select(ENDED_SESSIONS.c.before).where(ENDED_SESSIONS.c.owner == bindparam("owner"))
_MEMBERS = tuple(each.name for each in fields(Caller) if each.name != "access_key_id")
_REQUIRED = {"kind": "", "account": "", "arn": "", "user_id": "", "principal": ""}


@dataclass(frozen=True)
class Session:
    """Temporary credentials as a client is told them; `caller` is who it is with them."""

    access_key_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    caller: Caller


def issue_session(keyring: Keyring, caller: Caller, *, now: int, expires: int) -> Session:
    """Return credentials that make their holder `caller` from `now` until `expires` (ms since 1970)."""
    access_key_id = new_access_key_id(caller.account, TEMPORARY)
    caller = replace(caller, access_key_id=access_key_id, session_issued=now, session_expires=expires)
    members = {name: getattr(caller, name) for name in _MEMBERS}
    members["session_tags"] = dict(caller.session_tags)
    told = {name: value for name, value in members.items() if value}
    nonce = secrets.token_bytes(_NONCE_SIZE)
    plain = nonce + zlib.compress(json.dumps(told, separators=(",", ":"), sort_keys=True).encode())
    token = base64.b64encode(keyring.seal(plain, purpose=PURPOSE, context=access_key_id.encode())).decode()
    return Session(access_key_id, _secret(keyring, nonce, access_key_id), token, caller)


def open_session(keyring: Keyring, token: str, access_key_id: str) -> AccessKey | None:
    """Return the key inside a session token, or None unless this keyring made it for `access_key_id`.

    An expired session opens too: `caller.session_expires` tells.
    """
    try:
        sealed = base64.b64decode(token, validate=True)
        plain = keyring.unseal(sealed, purpose=PURPOSE, context=access_key_id.encode())
    except (SealBroken, ValueError):
        return None
    nonce, packed = plain[:_NONCE_SIZE], plain[_NONCE_SIZE:]
    members: dict[str, Any] = json.loads(zlib.decompress(packed))
    for name in ("session_policies", "transitive_tag_keys"):
        members[name] = tuple(members.get(name, ()))
    caller = Caller(**{**_REQUIRED, **members, "access_key_id": access_key_id})
    return AccessKey(access_key_id, _secret(keyring, nonce, access_key_id), caller)


def find_session(connection: Connection, keyring: Keyring, token: str, access_key_id: str) -> AccessKey | None:
    """Return the key inside a session token, or None when it is foreign or was ended."""
    key = open_session(keyring, token, access_key_id)
    if key is None:
        return None
    before = connection.execute(_BEFORE, {"owner": _owner(key.caller)}).scalar()
    return None if before is not None and key.caller.session_issued < before else key


def end_sessions(connection: Connection, owner: str, *, before: int) -> None:
    """Refuse from now on the sessions of a user or role (its unique id; root's: the account) issued before a moment."""
    connection.execute(delete(ENDED_SESSIONS).where(ENDED_SESSIONS.c.owner == owner))
    connection.execute(insert(ENDED_SESSIONS).values(owner=owner, before=before))


def _owner(caller: Caller) -> str:
    """Return the unique id whose sessions are ended together: AROA… of "AROA…:session", AIDA… of a user."""
    return caller.user_id.partition(":")[0]


def _secret(keyring: Keyring, nonce: bytes, access_key_id: str) -> str:
    key = keyring.derive(SECRET_PURPOSE)
    return base64.b64encode(hmac.digest(key, nonce + access_key_id.encode(), "sha256")[:30]).decode()
