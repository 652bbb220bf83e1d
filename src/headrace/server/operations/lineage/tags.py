"""Tags of SageMaker's resources, by ARN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.entities import tag_map

TAGS_A_PAGE = 50


def add_tags(context: Context, *, resource_arn: str, tags: Sequence[dict[str, str]]) -> dict[str, Any]:
    """Add or replace tags of a resource, and answer with all that it has. AWS page: AddTags."""
    arn = _tagged(context, resource_arn)
    resources.tag(context.connection, arn, tag_map(tags))
    return {"tags": _listed(resources.tags_of(context.connection, arn))}


def list_tags(
    context: Context, *, resource_arn: str, next_token: str | None = None, max_results: int = TAGS_A_PAGE
) -> dict[str, Any]:
    """List the tags of a resource by key. AWS page: ListTags."""
    arn = _tagged(context, resource_arn)
    of = f"list_tags/{arn}"
    position = context.position(next_token, of=of)
    found = _listed(resources.tags_of(context.connection, arn))
    left = [each for each in found if not position or each["key"] > position[0]]
    more = [left[max_results - 1]["key"]] if len(left) > max_results else None
    return {"tags": left[:max_results], "next_token": context.token(more, of=of)}


def delete_tags(context: Context, *, resource_arn: str, tag_keys: Sequence[str]) -> dict[str, Any]:
    """Remove tags of a resource; keys that it does not have are no error. AWS page: DeleteTags."""
    resources.untag(context.connection, _tagged(context, resource_arn), tag_keys)
    return {}


def _tagged(context: Context, arn: str) -> str:
    stored = resources.by_arn(context.connection, arn.lower())
    place = context.place
    if stored is None or not stored.kind.startswith("sagemaker/") or stored.region != place.region:
        raise InvalidInput(f"Could not find the resource {arn}; correct its ARN")
    return stored.arn


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
