"""Tags of trails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, NotFound
from headrace.server.operations.trails.names import find_home_trail, find_trail


def add_tags(context: Context, *, resource_id: str, tags_list: Sequence[dict[str, str]]) -> None:
    """Add tags to a trail, or replace their values; raises NotFound, InvalidInput past fifty."""
    stored = find_home_trail(context, _arn(resource_id))
    resources.tag(context.connection, stored.arn, {each["key"]: each.get("value", "") for each in tags_list})


def remove_tags(context: Context, *, resource_id: str, tags_list: Sequence[dict[str, str]]) -> None:
    """Remove tags of a trail by their keys; raises NotFound."""
    stored = find_home_trail(context, _arn(resource_id))
    resources.untag(context.connection, stored.arn, [each["key"] for each in tags_list])


def list_tags(context: Context, *, resource_id_list: Sequence[str], next_token: str | None = None) -> dict[str, Any]:
    """List the tags of up to twenty trails of this region; raises NotFound."""
    context.position(next_token, of="list_tags")
    if len(resource_id_list) > 20:
        raise InvalidInput(f"{len(resource_id_list)} resources are named; name at most 20")
    found = [find_trail(context, _arn(each)) for each in resource_id_list]
    return {"resource_tag_list": [{"resource_id": each.arn, "tags_list": _tags(context, each.arn)} for each in found]}


def _tags(context: Context, arn: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in resources.tags_of(context.connection, arn).items()]


def _arn(resource_id: str) -> str:
    if resource_id.startswith("arn:") and ":trail/" not in resource_id:
        raise NotFound(f"{resource_id} is no trail of this account", code="ResourceNotFoundException", status=400)
    if not resource_id.startswith("arn:"):
        raise InvalidInput(f"{resource_id!r} is not the ARN of a trail", code="CloudTrailARNInvalidException")
    return resource_id
