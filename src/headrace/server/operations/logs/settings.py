"""Retention and tags of log groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.logs.groups import GROUP, find_group

DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""Retentions that a group can have."""


def put_retention_policy(context: Context, *, log_group_name: str, retention_in_days: int) -> None:
    """Let a group's events be removed after so many days; raises NotFound, InvalidInput."""
    if retention_in_days not in DAYS:
        raise InvalidInput(f"retentionInDays can't be {retention_in_days}; use one of {', '.join(map(str, DAYS))}")
    stored = find_group(context, log_group_name)
    record = stored.record | {"retention_in_days": retention_in_days}
    resources.change(context.connection, GROUP, stored, now=context.now, record=record)


def delete_retention_policy(context: Context, *, log_group_name: str) -> None:
    """Keep a group's events for ever; raises NotFound."""
    stored = find_group(context, log_group_name)
    record = {name: value for name, value in stored.record.items() if name != "retention_in_days"}
    resources.change(context.connection, GROUP, stored, now=context.now, record=record)


def tag_resource(context: Context, *, resource_arn: str, tags: Mapping[str, str]) -> None:
    """Add tags to a log group named by its ARN; raises NotFound."""
    resources.tag(context.connection, find_group(context, None, resource_arn).arn, tags)


def untag_resource(context: Context, *, resource_arn: str, tag_keys: Sequence[str]) -> None:
    """Remove tags of a log group named by its ARN; raises NotFound."""
    resources.untag(context.connection, find_group(context, None, resource_arn).arn, tag_keys)


def list_tags_for_resource(context: Context, *, resource_arn: str) -> dict[str, Any]:
    """Return the tags of a log group named by its ARN; raises NotFound."""
    return {"tags": resources.tags_of(context.connection, find_group(context, None, resource_arn).arn)}


def tag_log_group(context: Context, *, log_group_name: str, tags: Mapping[str, str]) -> None:
    """Add tags to a log group; raises NotFound."""
    resources.tag(context.connection, find_group(context, log_group_name).arn, tags)


def untag_log_group(context: Context, *, log_group_name: str, tags: Sequence[str]) -> None:
    """Remove tags of a log group; raises NotFound."""
    resources.untag(context.connection, find_group(context, log_group_name).arn, tags)


def list_tags_log_group(context: Context, *, log_group_name: str) -> dict[str, Any]:
    """Return the tags of a log group; raises NotFound."""
    return {"tags": resources.tags_of(context.connection, find_group(context, log_group_name).arn)}
