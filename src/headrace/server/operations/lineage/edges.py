"""Directed connections between entities: associations of lineage, and the trial components of a trial."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists
from headrace.server.operations.entities import identity_of
from headrace.server.resources import Resource, Stored, member
from headrace.server.resources.rows import SHOWN, read_row
from headrace.server.stores.metadata.tables.resources import RESOURCES

ASSOCIATION = Resource("sagemaker/association", "Association", "association/{source_arn}/{destination_arn}")
MEMBERSHIP = Resource("sagemaker/trial-membership", "Association", "membership/{source_arn}/{destination_arn}")
"""From a trial to each of its components."""

MOST_AT_ONCE = 400


def connect(
    context: Context, resource: Resource, source: str, destination: str, members: Mapping[str, Any] | None = None
) -> bool:
    """Store a connection between two ARNs; tells whether it is new."""
    record = {"source_arn": source, "destination_arn": destination, **(members or {})}
    record["created_by"] = identity_of(context)
    try:
        resources.create(
            context.connection, resource, context.place, _name(source, destination), record, now=context.now
        )
    except AlreadyExists:
        return False
    return True


def disconnect(context: Context, resource: Resource, source: str, destination: str) -> bool:
    """Delete a connection; tells whether it was there."""
    stored = resources.find(context.connection, resource, context.place, _name(source, destination))
    if stored is None:
        return False
    resources.remove(context.connection, stored)
    return True


def edges(
    context: Context, resource: Resource, *, sources: Sequence[str] = (), destinations: Sequence[str] = ()
) -> list[Stored]:
    """Return the connections from any of `sources` or to any of `destinations`, oldest first; all without either."""
    columns, place = RESOURCES.c, context.place
    found: dict[str, Stored] = {}
    batches = max(len(sources), len(destinations), 1)
    for start in range(0, batches, MOST_AT_ONCE):
        ends = slice(start, start + MOST_AT_ONCE)
        either = [
            member(name).in_(arns[ends])
            for name, arns in (("source_arn", sources), ("destination_arn", destinations))
            if arns[ends]
        ]
        chosen = select(*SHOWN).where(
            columns.kind == resource.kind, columns.account == place.account, columns.region == place.region
        )
        rows = context.connection.execute(chosen.where(or_(*either)) if either else chosen).all()
        found |= {stored.arn: stored for stored in map(read_row, rows)}
    return sorted(found.values(), key=lambda stored: (stored.created, stored.name))


def stored_by_arns(context: Context, arns: Sequence[str]) -> list[Stored]:
    """Return the resources that there are of these ARNs, in their order."""
    found: dict[str, Stored] = {}
    for start in range(0, len(arns), MOST_AT_ONCE):
        chosen = select(*SHOWN).where(RESOURCES.c.arn.in_(arns[start : start + MOST_AT_ONCE]))
        found |= {stored.arn: stored for stored in map(read_row, context.connection.execute(chosen))}
    return [found[arn] for arn in arns if arn in found]


def forget(context: Context, resource: Resource, arn: str) -> None:
    """Delete every connection of an entity."""
    for stored in edges(context, resource, sources=[arn], destinations=[arn]):
        resources.remove(context.connection, stored)


def _name(source: str, destination: str) -> str:
    return hashlib.sha256(f"{source} {destination}".encode()).hexdigest()
