"""Resources as rows: created, found, changed and removed, each under the rules that its kind declares.

Whatever writes runs in a writing transaction; as writers take turns, what was found there stays true until the commit
(a parent that was just read is not deleted meanwhile).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from headrace.server.errors import AlreadyExists, Conflict, InUse, NotFound
from headrace.server.resources.kinds import Place, Resource, Stored
from headrace.server.resources.tags import forget_tags, tag
from headrace.server.stores.metadata.tables.resources import RESOURCES

_COLUMNS = RESOURCES.c
_MEMBERS = tuple(each.name for each in fields(Stored))
SHOWN = tuple(_COLUMNS[name] for name in _MEMBERS)
"""The columns of a Stored, in the order of its members."""

_INSERT = {
    name: statement.on_conflict_do_nothing().inline().execution_options(preserve_rowcount=True)
    for name, statement in (("sqlite", sqlite.insert(RESOURCES)), ("postgresql", postgresql.insert(RESOURCES)))
}
_BY_NAME = select(*SHOWN).where(
    *(_COLUMNS[name] == bindparam(name) for name in ("kind", "account", "region", "parent", "name"))
)
_BY_ARN = select(*SHOWN).where(_COLUMNS.arn == bindparam("arn"))
_BY_TOKEN = select(*SHOWN, _COLUMNS.token_digest).where(
    *(_COLUMNS[name] == bindparam(name) for name in ("kind", "account", "region", "token")), _COLUMNS.token != ""
)
_CHILD = select(_COLUMNS.arn).where(_COLUMNS.parent == bindparam("arn")).limit(1)
_UPDATE = (
    update(RESOURCES)
    .where(_COLUMNS.arn == bindparam("at_arn"), _COLUMNS.version == bindparam("at_version"))
    .values({name: bindparam(name) for name in ("record", "state", "policy", "version", "modified")})
)
_DELETE = delete(RESOURCES).where(_COLUMNS.arn == bindparam("at_arn"), _COLUMNS.version == bindparam("at_version"))


def request_digest(parameters: Mapping[str, Any]) -> str:
    """Return the digest of a request by which its repetition with the same idempotency token is known."""
    return hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()


def create(
    connection: Connection,
    resource: Resource,
    place: Place,
    name: str,
    record: Mapping[str, Any],
    *,
    now: int,
    parent: str = "",
    policy: str | None = None,
    tags: Mapping[str, str] | None = None,
    token: str = "",
    token_digest: str = "",
) -> Stored:
    """Store a new resource in its first state, with its tags.

    When an idempotency `token` created one of this kind before, that one is returned if `token_digest` (request_digest)
    is the same, whatever `name` was made up for it this time. Raises Conflict on a token that came with another
    request, AlreadyExists on a name that is taken.
    """
    region = place.region if resource.regional else ""
    if token:
        earlier = _created_by(connection, resource, place.account, region, token, token_digest)
        if earlier is not None:
            return earlier
    arn = resource.arn_of(place, name, record)
    stored = Stored(
        resource.kind, place.account, region, name, arn, dict(record), next(iter(resource.states), ""), parent, policy,
        1, now, now,
    )  # fmt: skip
    values = {member: getattr(stored, member) for member in _MEMBERS}
    values |= {"record": json.dumps(stored.record), "token": token, "token_digest": token_digest}
    if connection.execute(_INSERT[connection.dialect.name], values).rowcount == 0:
        raise AlreadyExists(f"the {resource.title} {name!r} exists already; choose another name")
    if tags:
        tag(connection, arn, tags)
    return stored


def find(connection: Connection, resource: Resource, place: Place, name: str, *, parent: str = "") -> Stored | None:
    """Return the resource of that name, or None."""
    region = place.region if resource.regional else ""
    named = {"kind": resource.kind, "account": place.account, "region": region, "parent": parent, "name": name}
    row = connection.execute(_BY_NAME, named).one_or_none()
    return None if row is None else read_row(row)


def get(connection: Connection, resource: Resource, place: Place, name: str, *, parent: str = "") -> Stored:
    """Return the resource of that name; raises NotFound."""
    stored = find(connection, resource, place, name, parent=parent)
    if stored is None:
        raise NotFound(f"the {resource.title} {name!r} does not exist in account {place.account}; list what exists")
    return stored


def by_arn(connection: Connection, arn: str) -> Stored | None:
    """Return the resource with this ARN, or None."""
    row = connection.execute(_BY_ARN, {"arn": arn}).one_or_none()
    return None if row is None else read_row(row)


def change(
    connection: Connection,
    resource: Resource,
    stored: Stored,
    *,
    now: int,
    record: Mapping[str, Any] | None = None,
    state: str | None = None,
    policy: str | bool | None = False,
) -> Stored:
    """Replace the record, state or policy (None removes it) of a resource that nobody changed since it was read.

    Raises InUse when `state` may not follow its present one, Conflict when another transaction was faster.
    """
    if state is not None and state != stored.state and state not in resource.states.get(stored.state, ()):
        raise InUse(
            f"the {resource.title} {stored.name!r} is {stored.state} and can't become {state} now; "
            "stop it or wait for its end"
        )
    new = replace(
        stored,
        record=stored.record if record is None else dict(record),
        state=stored.state if state is None else state,
        policy=stored.policy if isinstance(policy, bool) else policy,
        version=stored.version + 1,
        modified=now,
    )
    values = {
        "at_arn": stored.arn, "at_version": stored.version, "record": json.dumps(new.record), "state": new.state,
        "policy": new.policy, "version": new.version, "modified": now,
    }  # fmt: skip
    if connection.execute(_UPDATE, values).rowcount != 1:
        raise _changed_meanwhile(resource.title, stored)
    return new


def remove(connection: Connection, stored: Stored, resource: Resource | None = None) -> None:
    """Delete a resource with its tags, if nobody changed it since it was read.

    Raises InUse while other resources have it as their parent, or in a state that `resource` declares lasting; Conflict
    when another transaction was faster.
    """
    title = resource.title if resource else stored.kind.partition("/")[2]
    if resource and stored.state in resource.lasting:
        raise InUse(
            f"the {title} {stored.name!r} is {stored.state} and can't be deleted now; stop it or wait for its end"
        )
    child = connection.execute(_CHILD, {"arn": stored.arn}).first()
    if child is not None:
        raise InUse(f"{stored.arn} still has resources that belong to it (first: {child.arn}); delete those first")
    if connection.execute(_DELETE, {"at_arn": stored.arn, "at_version": stored.version}).rowcount != 1:
        raise _changed_meanwhile(title, stored)
    forget_tags(connection, stored.arn)


def read_row(row: Any) -> Stored:
    """Return the resource in a row of SHOWN."""
    kind, account, region, name, arn, record, *others = row[: len(_MEMBERS)]
    return Stored(kind, account, region, name, arn, json.loads(record), *others)


def _created_by(
    connection: Connection, resource: Resource, account: str, region: str, token: str, digest: str
) -> Stored | None:
    asked = {"kind": resource.kind, "account": account, "region": region, "token": token}
    row = connection.execute(_BY_TOKEN, asked).first()
    if row is None:
        return None
    if row.token_digest != digest:
        raise Conflict(
            f"the idempotency token {token!r} made the {resource.title} {row.name!r} with other parameters; "
            "repeat those, or send another token",
            code=resource.mismatch,
        )
    return read_row(row)


def _changed_meanwhile(title: str, stored: Stored) -> Conflict:
    return Conflict(f"the {title} {stored.name!r} was changed by another request meanwhile; try again")
