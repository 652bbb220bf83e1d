"""Associations: which entity of lineage another one contributed to, produced or was derived from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from headrace.server.clock import moment, stamp
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, NotFound
from headrace.server.operations.lineage.edges import ASSOCIATION, connect, disconnect, edges, stored_by_arns
from headrace.server.operations.lineage.kinds import NODES
from headrace.server.resources import Stored, by_arn

LINEAGE_TYPES = {
    "experiment-trial-component": "TrialComponent", "artifact": "Artifact", "action": "Action", "context": "Context",
    "experiment-trial": "Trial", "experiment": "Experiment",
}  # fmt: skip
"""What AWS calls the kinds of entities, by the type in their ARNs."""


def add_association(
    context: Context, *, source_arn: str, destination_arn: str, association_type: str | None = None
) -> dict[str, Any]:
    """Connect two entities; raises InvalidInput where they are connected already. AWS page: AddAssociation."""
    source, destination = node(context, source_arn), node(context, destination_arn)
    if source.arn == destination.arn:
        raise InvalidInput(f"{source.arn} can't be associated with itself; name two entities")
    members = {} if association_type is None else {"association_type": association_type}
    if not connect(context, ASSOCIATION, source.arn, destination.arn, members):
        raise InvalidInput(f"Association between {source.arn} and {destination.arn} already exists.")
    return {"source_arn": source.arn, "destination_arn": destination.arn}


def delete_association(context: Context, *, source_arn: str, destination_arn: str) -> dict[str, Any]:
    """Delete the connection of two entities. AWS page: DeleteAssociation."""
    source, destination = source_arn.lower(), destination_arn.lower()
    if not disconnect(context, ASSOCIATION, source, destination):
        raise NotFound(f"Association between {source_arn} and {destination_arn} does not exist.")
    return {"source_arn": source, "destination_arn": destination}


def list_associations(
    context: Context,
    *,
    source_arn: str | None = None,
    destination_arn: str | None = None,
    source_type: str | None = None,
    destination_type: str | None = None,
    association_type: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    sort_by: str = "CreationTime",
    sort_order: str = "Descending",
    next_token: str | None = None,
    max_results: int = 10,
) -> dict[str, Any]:
    """List associations that match, the newest first unless asked otherwise. AWS page: ListAssociations."""
    wanted = {
        "source_arn": source_arn and source_arn.lower(), "destination_arn": destination_arn and destination_arn.lower(),
        "source_type": source_type, "destination_type": destination_type, "association_type": association_type,
    }  # fmt: skip
    ends = {"sources": [str(wanted["source_arn"])]} if source_arn else {}
    if destination_arn and not source_arn:
        ends = {"destinations": [str(wanted["destination_arn"])]}
    after = stamp(created_after) if created_after else None
    before = stamp(created_before) if created_before else None
    found = [
        edge
        for edge in edges(context, ASSOCIATION, **ends)
        if (after is None or edge.created > after) and (before is None or edge.created < before)
    ]
    arns = {edge.record[end] for edge in found for end in ("source_arn", "destination_arn")}
    known = {stored.arn: stored for stored in stored_by_arns(context, sorted(arns))}
    chosen = [summary for edge in found if _matches(summary := _summary(edge, known), wanted)]
    order = {"SourceArn": "source_arn", "DestinationArn": "destination_arn", "SourceType": "source_type"} | {
        "DestinationType": "destination_type", "CreationTime": "creation_time",
    }  # fmt: skip
    chosen.sort(key=lambda each: str(each.get(order[sort_by], "")), reverse=sort_order == "Descending")
    shown, more = part(context, "list_associations", chosen, next_token, max_results)
    return {"association_summaries": shown, "next_token": more}


def part(
    context: Context, of: str, found: Sequence[Any], token: str | None, limit: int
) -> tuple[list[Any], str | None]:
    """Return one page of what has been found, and the token of the next."""
    position = context.position(token, of=of)
    start = int(position[0]) if position else 0
    more = [start + limit] if start + limit < len(found) else None
    return list(found[start : start + limit]), context.token(more, of=of)


def node(context: Context, arn: str) -> Stored:
    """Return the entity of an ARN that associations may connect; raises NotFound."""
    stored = by_arn(context.connection, arn.lower())
    if stored is None or stored.kind not in NODES:
        raise NotFound(f"The lineage entity {arn} does not exist.")
    return stored


def type_of(stored: Stored) -> str:
    """Return the type of an entity: its own, or that of a component's source ("TrainingJob")."""
    source = stored.record.get("source") or {}
    return str(stored.record.get("lineage_type") or source.get("source_type") or "").removeprefix("SageMaker")


def lineage_type_of(stored: Stored) -> str:
    """Return what AWS calls the kind of an entity ("Artifact")."""
    kind = stored.kind.rpartition("/")[2]
    return LINEAGE_TYPES.get(kind, kind)


def _summary(edge: Stored, known: Mapping[str, Stored]) -> dict[str, Any]:
    found: dict[str, Any] = {"creation_time": moment(edge.created), "created_by": edge.record["created_by"]}
    if "association_type" in edge.record:
        found["association_type"] = edge.record["association_type"]
    for end in ("source", "destination"):
        arn = edge.record[f"{end}_arn"]
        stored = known.get(arn)
        kind = stored.kind.rpartition("/")[2].replace("experiment-", "").replace("-", "_") if stored else ""
        name = stored.record.get(f"{kind}_name") if stored else None
        found |= {f"{end}_arn": arn, **({f"{end}_name": name} if name else {})}
        if stored and (title := type_of(stored)):
            found[f"{end}_type"] = title
    return found


def _matches(summary: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(summary.get(name) == value for name, value in wanted.items() if value)
