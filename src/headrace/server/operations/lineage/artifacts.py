"""Artifacts of lineage: URIs of data, models and images, each known once by its source."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import InvalidInput, NotFound
from headrace.server.operations import entities
from headrace.server.operations.lineage import nodes
from headrace.server.operations.lineage.kinds import ARTIFACT
from headrace.server.resources import Stored

_DESCRIBED = ("artifact_name", "source", "artifact_type", "properties", *nodes.MADE, "metadata_properties")


def create_artifact(
    context: Context,
    *,
    source: dict[str, Any],
    artifact_type: str,
    artifact_name: str | None = None,
    properties: dict[str, str] | None = None,
    metadata_properties: dict[str, Any] | None = None,
    tags: Sequence[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Make an artifact of a source that has none yet. AWS page: CreateArtifact."""
    record = {
        "artifact_name": artifact_name, "source": source, "artifact_type": artifact_type,
        "properties": properties or {}, "metadata_properties": metadata_properties,
    }  # fmt: skip
    return {"artifact_arn": nodes.make(context, ARTIFACT, digest_of(source), record, tags).arn}


def describe_artifact(context: Context, *, artifact_arn: str) -> dict[str, Any]:
    """Describe an artifact. AWS page: DescribeArtifact."""
    stored = _artifact(context, artifact_arn)
    return {**entities.answer(stored, _DESCRIBED), "artifact_arn": stored.arn}


def update_artifact(
    context: Context,
    *,
    artifact_arn: str,
    artifact_name: str | None = None,
    properties: dict[str, str] | None = None,
    properties_to_remove: Sequence[str] = (),
) -> dict[str, Any]:
    """Change an artifact's name or properties. AWS page: UpdateArtifact."""
    stored = _artifact(context, artifact_arn)
    nodes.change(context, ARTIFACT, stored, {"artifact_name": artifact_name}, properties, properties_to_remove)
    return {"artifact_arn": stored.arn}


def list_artifacts(
    context: Context,
    *,
    source_uri: str | None = None,
    artifact_type: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    sort_by: str | None = None,
    sort_order: str | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    """List artifacts, the newest first unless asked otherwise. AWS page: ListArtifacts."""
    asked = {
        "source_uri": source_uri, "created_after": created_after, "created_before": created_before,
        "sort_by": sort_by, "sort_order": sort_order, "next_token": next_token, "max_results": max_results,
    }  # fmt: skip
    return nodes.page(context, ARTIFACT, asked, ("artifact_name", "source", "artifact_type"), artifact_type)


def delete_artifact(
    context: Context, *, artifact_arn: str | None = None, source: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Delete an artifact by its ARN or source. AWS page: DeleteArtifact."""
    if bool(artifact_arn) == bool(source):
        raise InvalidInput("Provide either ArtifactArn or Source, one of the two")
    if source:
        artifact_arn = ARTIFACT.arn_of(context.place, digest_of(source), {})
        context.authorise("sagemaker:DeleteArtifact", artifact_arn)
    stored = _artifact(context, str(artifact_arn))
    nodes.remove(context, ARTIFACT, stored)
    return {"artifact_arn": stored.arn}


def _artifact(context: Context, arn: str) -> Stored:
    return entities.get(context, ARTIFACT, arn, NotFound)


def digest_of(source: Mapping[str, Any]) -> str:
    """Return the name of the artifact of a source."""
    types = sorted((each["source_id_type"], each["value"]) for each in source.get("source_types") or ())
    return hashlib.sha256(json.dumps([source["source_uri"], types]).encode()).hexdigest()[:32]
