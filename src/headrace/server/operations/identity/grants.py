"""Which policies a user, group or role has: its inline documents, what is attached to it, its boundary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from headrace.server.context import Context
from headrace.server.errors import NotFound
from headrace.server.operations.identity.managed import managed_policy
from headrace.server.stores.metadata.tables.identity import IDENTITY_POLICIES, MEMBERSHIPS

INLINE, ATTACHED, BOUNDARY = "inline", "attached", "boundary"

_COLUMNS = IDENTITY_POLICIES.c


def names(context: Context, owner: str, kind: str) -> list[str]:
    """Return the names (inline) or ARNs (attached, boundary) of an owner's policies, in order."""
    chosen = select(_COLUMNS.name).where(_COLUMNS.owner == owner, _COLUMNS.kind == kind).order_by(_COLUMNS.name)
    return list(context.connection.execute(chosen).scalars())


def documents(context: Context, owner: str) -> dict[str, str]:
    """Return the inline documents of an owner by name."""
    chosen = select(_COLUMNS.name, _COLUMNS.document).where(_COLUMNS.owner == owner, _COLUMNS.kind == INLINE)
    return {row.name: row.document for row in context.connection.execute(chosen.order_by(_COLUMNS.name))}


def give(context: Context, owner: str, kind: str, name: str, document: str | None = None) -> None:
    """Give an owner a policy, or replace the document it has under that name."""
    held = _held(owner, kind, name)
    if context.connection.execute(update(IDENTITY_POLICIES).where(*held).values(document=document)).rowcount:
        return
    context.connection.execute(insert(IDENTITY_POLICIES).values(owner=owner, kind=kind, name=name, document=document))


def take(context: Context, owner: str, kind: str, name: str) -> bool:
    """Take a policy from an owner; returns whether it had it."""
    return bool(context.connection.execute(delete(IDENTITY_POLICIES).where(*_held(owner, kind, name))).rowcount)


def take_all(context: Context, owner: str, kind: str) -> None:
    """Take every policy of a kind from an owner."""
    context.connection.execute(delete(IDENTITY_POLICIES).where(_COLUMNS.owner == owner, _COLUMNS.kind == kind))


def uses(context: Context, kind: str, arns: Sequence[str]) -> dict[str, int]:
    """Return how many owners have each of these managed policies as attached or boundary."""
    chosen = (
        select(_COLUMNS.name, func.count())
        .where(_COLUMNS.kind == kind, _COLUMNS.name.in_(arns))
        .group_by(_COLUMNS.name)
    )
    return {name: int(number) for name, number in context.connection.execute(chosen)}


def boundary(context: Context, owner: str) -> dict[str, str] | None:
    """Return the permissions boundary of an owner as answers show it, or None."""
    found = names(context, owner, BOUNDARY)
    return {"permissions_boundary_type": "Policy", "permissions_boundary_arn": found[0]} if found else None


def set_boundary(context: Context, owner: str, arn: str) -> None:
    """Replace an owner's boundary; raises NotFound unless the ARN is a managed policy's."""
    if managed_policy(context, arn) is None:
        raise NotFound(f"Scope ARN: {arn} does not exist or is not attachable.")
    take_all(context, owner, BOUNDARY)
    give(context, owner, BOUNDARY, arn)


def join(context: Context, member: str, container: str) -> bool:
    """Put a user into a group, or a role into an instance profile; returns whether it was not there."""
    pair = (MEMBERSHIPS.c.member == member, MEMBERSHIPS.c.container == container)
    if context.connection.execute(select(MEMBERSHIPS).where(*pair)).first():
        return False
    context.connection.execute(insert(MEMBERSHIPS).values(member=member, container=container))
    return True


def leave(context: Context, member: str, container: str) -> bool:
    """Take a user out of a group, or a role out of a profile; returns whether it was there."""
    pair = (MEMBERSHIPS.c.member == member, MEMBERSHIPS.c.container == container)
    return bool(context.connection.execute(delete(MEMBERSHIPS).where(*pair)).rowcount)


def _held(owner: str, kind: str, name: str) -> tuple[Any, ...]:
    return _COLUMNS.owner == owner, _COLUMNS.kind == kind, _COLUMNS.name == name
