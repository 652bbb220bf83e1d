"""Actions of lineage: what was done, such as a deployment of a model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import NotFound
from headrace.server.operations import entities
from headrace.server.operations.lineage import nodes
from headrace.server.operations.lineage.kinds import ACTION
from headrace.server.resources import Stored

_SUMMARY = ("action_name", "source", "action_type", "status")
_DESCRIBED = (
    "action_name",
    "source",
    "action_type",
    "description",
    "status",
    "properties",
    *nodes.MADE,
    "metadata_properties",
)


def create_action(
    context: Context,
    *,
    action_name: str,
    source: dict[str, Any],
    action_type: str,
    description: str | None = None,
    status: str | None = None,
    properties: dict[str, str] | None = None,
    metadata_properties: dict[str, Any] | None = None,
    tags: Sequence[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Make an action. AWS page: CreateAction."""
    record = {
        "action_name": action_name, "source": source, "action_type": action_type, "description": description,
        "properties": properties or {}, "status": status, "metadata_properties": metadata_properties,
    }  # fmt: skip
    return {"action_arn": nodes.make(context, ACTION, action_name, record, tags).arn}


def describe_action(context: Context, *, action_name: str) -> dict[str, Any]:
    """Describe an action by its name or ARN. AWS page: DescribeAction."""
    stored = _action(context, action_name)
    return {**entities.answer(stored, _DESCRIBED), "action_arn": stored.arn}


def update_action(
    context: Context,
    *,
    action_name: str,
    description: str | None = None,
    status: str | None = None,
    properties: dict[str, str] | None = None,
    properties_to_remove: Sequence[str] = (),
) -> dict[str, Any]:
    """Change an action's description, state or properties. AWS page: UpdateAction."""
    stored = _action(context, action_name)
    nodes.change(
        context, ACTION, stored, {"description": description, "status": status}, properties, properties_to_remove
    )
    return {"action_arn": stored.arn}


def list_actions(
    context: Context,
    *,
    source_uri: str | None = None,
    action_type: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    sort_by: str | None = None,
    sort_order: str | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    """List actions, the newest first unless asked otherwise. AWS page: ListActions."""
    asked = {
        "source_uri": source_uri, "created_after": created_after, "created_before": created_before,
        "sort_by": sort_by, "sort_order": sort_order, "next_token": next_token, "max_results": max_results,
    }  # fmt: skip
    return nodes.page(context, ACTION, asked, _SUMMARY, action_type)


def delete_action(context: Context, *, action_name: str) -> dict[str, Any]:
    """Delete an action without associations. AWS page: DeleteAction."""
    stored = _action(context, action_name)
    nodes.remove(context, ACTION, stored)
    return {"action_arn": stored.arn}


def _action(context: Context, name: str) -> Stored:
    return entities.get(context, ACTION, name, NotFound)
