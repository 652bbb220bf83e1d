"""Entities of lineage that the platform makes by itself, unless they are there, and what connects them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.server.context import Context
from headrace.server.operations import entities
from headrace.server.operations.lineage import nodes
from headrace.server.operations.lineage.artifacts import digest_of
from headrace.server.operations.lineage.edges import ASSOCIATION, connect
from headrace.server.operations.lineage.kinds import ACTION, ARTIFACT, CONTEXT
from headrace.server.resources import Resource, Stored

CONTRIBUTED, ASSOCIATED, PRODUCED = "ContributedTo", "AssociatedWith", "Produced"


def artifact(context: Context, uri: str, kind: str) -> Stored:
    """Return the artifact of a source, made as one of that type ("DataSet") if it is new."""
    source = {"source_uri": uri, "source_types": []}
    record = {"source": source, "artifact_type": kind, "properties": {}}
    return _made(context, ARTIFACT, digest_of(source), record)


def action(context: Context, name: str, uri: str, kind: str, properties: Mapping[str, str]) -> Stored:
    """Return the action of that name, made if it is new; it has been completed."""
    record = {
        "action_name": name, "source": {"source_uri": uri, "source_type": "ARN"}, "action_type": kind,
        "status": "Completed", "properties": dict(properties),
    }  # fmt: skip
    return _made(context, ACTION, name, record)


def surroundings(context: Context, name: str, uri: str, kind: str) -> Stored:
    """Return the context of that name ("Endpoint"), made if it is new."""
    record = {
        "context_name": name, "source": {"source_uri": uri, "source_type": "ARN"}, "context_type": kind,
        "properties": {},
    }  # fmt: skip
    return _made(context, CONTEXT, name, record)


def associate(context: Context, source: Stored, destination: Stored, kind: str) -> None:
    """Connect two entities, unless they are connected."""
    connect(context, ASSOCIATION, source.arn, destination.arn, {"association_type": kind})


def data_of(container: Mapping[str, Any]) -> str:
    """Return the S3 URI of a container's model data; "" where it has none."""
    source = (container.get("model_data_source") or {}).get("s3_data_source") or {}
    return str(container.get("model_data_url") or source.get("s3_uri") or "")


def _made(context: Context, resource: Resource, name: str, record: Mapping[str, Any]) -> Stored:
    return entities.find(context, resource, name) or nodes.make(context, resource, name, record, None)
