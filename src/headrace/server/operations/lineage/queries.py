"""QueryLineage: walks the graph of associations from an entity, upwards, downwards or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from headrace.server.clock import stamp
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.lineage.associations import lineage_type_of, node, part, type_of
from headrace.server.operations.lineage.edges import ASSOCIATION, edges, stored_by_arns
from headrace.server.operations.lineage.kinds import NODES
from headrace.server.resources import Stored
from headrace.server.resources.rows import SHOWN, read_row
from headrace.server.stores.metadata.tables.resources import RESOURCES

MOST_VERTICES = 10_000
"""Entities that one query walks over at most."""


def query_lineage(
    context: Context,
    *,
    start_arns: Sequence[str] = (),
    direction: str = "Both",
    include_edges: bool = True,
    filters: Mapping[str, Any] | None = None,
    max_depth: int = 10,
    max_results: int = 10,
    next_token: str | None = None,
) -> dict[str, Any]:
    """Return what leads to or from entities, as far as filters let it. AWS page: QueryLineage.

    Filters choose what is answered, not where the walk goes. Without StartArns it is every entity that they let pass.
    """
    if not start_arns and not filters:
        raise InvalidInput("Provide StartArns or Filters, at least one of the two")
    starts = [node(context, arn).arn for arn in start_arns]
    reached, walked = _walk(context, starts, direction, max_depth) if starts else (_every(context), [])
    if not starts and include_edges:
        walked = edges(context, ASSOCIATION)
    chosen = [stored for stored in reached if _passes(stored, filters or {})]
    vertices, more = part(context, "query_lineage", chosen, next_token, max_results)
    near = {stored.arn for stored in vertices} | set(starts)
    kept = [edge for edge in walked if {edge.record["source_arn"], edge.record["destination_arn"]} <= near]
    return {
        "vertices": [_vertex(stored) for stored in vertices],
        "edges": [_edge(edge) for edge in kept] if include_edges else [],
        "next_token": more,
    }


def _walk(context: Context, starts: Sequence[str], direction: str, depth: int) -> tuple[list[Stored], list[Stored]]:
    """Return the entities within `depth` steps of `starts`, nearest first, and the associations passed on the way."""
    order: list[str] = []
    passed: dict[str, Stored] = {}
    for upwards in (True, False):
        if direction == ("Descendants" if upwards else "Ascendants"):
            continue
        seen, front = set(starts), list(starts)
        for _ in range(depth):
            ends = {"destinations": front} if upwards else {"sources": front}
            steps = edges(context, ASSOCIATION, **ends)
            passed |= {edge.arn: edge for edge in steps}
            further = [edge.record["source_arn" if upwards else "destination_arn"] for edge in steps]
            front = [arn for arn in dict.fromkeys(further) if arn not in seen]
            seen.update(front)
            order += front
            if not front or len(seen) > MOST_VERTICES:
                break
    return stored_by_arns(context, list(dict.fromkeys(order))), list(passed.values())


def _every(context: Context) -> list[Stored]:
    columns, place = RESOURCES.c, context.place
    here = [columns.account == place.account, columns.region == place.region, columns.kind.in_(NODES)]
    chosen = select(*SHOWN).where(*here).order_by(columns.created, columns.arn).limit(MOST_VERTICES)
    return [read_row(row) for row in context.connection.execute(chosen)]


def _passes(stored: Stored, filters: Mapping[str, Any]) -> bool:
    if filters.get("types") and type_of(stored) not in filters["types"]:
        return False
    if filters.get("lineage_types") and lineage_type_of(stored) not in filters["lineage_types"]:
        return False
    for name, time in (("created", stored.created), ("modified", stored.modified)):
        after, before = filters.get(f"{name}_after"), filters.get(f"{name}_before")
        if (after and time <= stamp(after)) or (before and time >= stamp(before)):
            return False
    properties = stored.record.get("properties", {})
    return all(properties.get(key) == value for key, value in (filters.get("properties") or {}).items())


def _vertex(stored: Stored) -> dict[str, Any]:
    kind = type_of(stored)
    return {"arn": stored.arn, "lineage_type": lineage_type_of(stored), **({"type": kind} if kind else {})}


def _edge(edge: Stored) -> dict[str, Any]:
    names = ("source_arn", "destination_arn", "association_type")
    return {name: edge.record[name] for name in names if name in edge.record}
