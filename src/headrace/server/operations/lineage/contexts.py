"""Contexts of lineage: what entities belong to, such as an endpoint or a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import NotFound
from headrace.server.operations import entities
from headrace.server.operations.lineage import nodes
from headrace.server.operations.lineage.kinds import CONTEXT
from headrace.server.resources import Stored

_SUMMARY = ("context_name", "source", "context_type")
_DESCRIBED = ("context_name", "source", "context_type", "description", "properties", *nodes.MADE)


def create_context(
    context: Context,
    *,
    context_name: str,
    source: dict[str, Any],
    context_type: str,
    description: str | None = None,
    properties: dict[str, str] | None = None,
    tags: Sequence[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Make a context. AWS page: CreateContext."""
    record = {
        "context_name": context_name, "source": source, "context_type": context_type, "description": description,
        "properties": properties or {},
    }  # fmt: skip
    return {"context_arn": nodes.make(context, CONTEXT, context_name, record, tags).arn}


def describe_context(context: Context, *, context_name: str) -> dict[str, Any]:
    """Describe a context by its name or ARN. AWS page: DescribeContext."""
    stored = _context(context, context_name)
    return {**entities.answer(stored, _DESCRIBED), "context_arn": stored.arn}


def update_context(
    context: Context,
    *,
    context_name: str,
    description: str | None = None,
    properties: dict[str, str] | None = None,
    properties_to_remove: Sequence[str] = (),
) -> dict[str, Any]:
    """Change a context's description or properties. AWS page: UpdateContext."""
    stored = _context(context, context_name)
    nodes.change(context, CONTEXT, stored, {"description": description}, properties, properties_to_remove)
    return {"context_arn": stored.arn}


def list_contexts(
    context: Context,
    *,
    source_uri: str | None = None,
    context_type: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    sort_by: str | None = None,
    sort_order: str | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    """List contexts, the newest first unless asked otherwise. AWS page: ListContexts."""
    asked = {
        "source_uri": source_uri, "created_after": created_after, "created_before": created_before,
        "sort_by": sort_by, "sort_order": sort_order, "next_token": next_token, "max_results": max_results,
    }  # fmt: skip
    return nodes.page(context, CONTEXT, asked, _SUMMARY, context_type)


def delete_context(context: Context, *, context_name: str) -> dict[str, Any]:
    """Delete a context without associations. AWS page: DeleteContext."""
    stored = _context(context, context_name)
    nodes.remove(context, CONTEXT, stored)
    return {"context_arn": stored.arn}


def _context(context: Context, name: str) -> Stored:
    return entities.get(context, CONTEXT, name, NotFound)
