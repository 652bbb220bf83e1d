"""What artifacts, actions and contexts of lineage share: a source, a type, properties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations import entities
from headrace.server.operations.lineage.edges import ASSOCIATION, edges
from headrace.server.resources import Resource, Stored, member

MOST_PROPERTIES = 30
MADE = ("creation_time", "created_by", "last_modified_time", "last_modified_by")


def make(
    context: Context, resource: Resource, name: str, record: Mapping[str, Any], tags: Sequence[dict[str, str]] | None
) -> Stored:
    """Store a new entity of lineage; what lists are filtered by lies beside its members."""
    kind = resource.kind.rpartition("/")[2]
    check_properties(name, record.get("properties"))
    found = {"source_uri": record["source"]["source_uri"], "lineage_type": record[f"{kind}_type"]}
    return entities.make(context, resource, name, {**record, **found}, tags=tags)


def change(
    context: Context,
    resource: Resource,
    stored: Stored,
    members: Mapping[str, Any],
    properties: Mapping[str, str] | None,
    removed: Sequence[str],
) -> None:
    """Replace members that are given, add to properties and remove some of them."""
    kept = {**stored.record.get("properties", {}), **(properties or {})}
    left = {key: value for key, value in kept.items() if key not in removed}
    check_properties(stored.name, left)
    entities.change(context, resource, stored, {**members, "properties": left})


def page(
    context: Context, resource: Resource, asked: Mapping[str, Any], names: Sequence[str], lineage_type: str | None
) -> dict[str, Any]:
    """Return the answer of ListArtifacts, ListActions or ListContexts."""
    kind = resource.kind.rpartition("/")[2]
    where = []
    if asked.get("source_uri"):
        where.append(member("source_uri") == asked["source_uri"])
    if lineage_type:
        where.append(member("lineage_type") == lineage_type)
    times = ("creation_time", "last_modified_time")
    return entities.page(
        context,
        f"list_{kind}s",
        resource,
        asked,
        lambda stored: {**entities.answer(stored, (*names, *times)), f"{kind}_arn": stored.arn},
        member=f"{kind}_summaries",
        where=where,
    )


def remove(context: Context, resource: Resource, stored: Stored) -> None:
    """Delete an entity without associations; raises InvalidInput else."""
    if edges(context, ASSOCIATION, sources=[stored.arn], destinations=[stored.arn]):
        raise InvalidInput(
            f"{resource.title} {stored.arn} can't be deleted while it has associations; delete these first"
        )
    resources.remove(context.connection, stored, resource)


def check_properties(name: str, properties: Mapping[str, Any] | None) -> None:
    """Raise InvalidInput when there are too many properties."""
    if len(properties or ()) > MOST_PROPERTIES:
        raise InvalidInput(f"{name} would have more than {MOST_PROPERTIES} properties; remove some first")
