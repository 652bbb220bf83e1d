"""Tags of Amazon Forecast's resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.operations.entities import tag_map
from headrace.server.operations.forecasting.finding import get


def tag_resource(context: Context, *, resource_arn: str, tags: Sequence[Mapping[str, str]]) -> None:
    """Add or replace tags. AWS page: TagResource."""
    resources.tag(context.connection, get(context, resource_arn).arn, tag_map(tags))


def untag_resource(context: Context, *, resource_arn: str, tag_keys: Sequence[str]) -> None:
    """Remove tags. AWS page: UntagResource."""
    resources.untag(context.connection, get(context, resource_arn).arn, tag_keys)


def list_tags_for_resource(context: Context, *, resource_arn: str) -> dict[str, Any]:
    """Return the tags of a resource. AWS page: ListTagsForResource."""
    found = resources.tags_of(context.connection, get(context, resource_arn).arn)
    return {"tags": [{"key": key, "value": value} for key, value in found.items()]}
