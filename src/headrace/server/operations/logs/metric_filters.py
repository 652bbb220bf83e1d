"""Metric filters: events that match a pattern become points of a metric; source: AWS, "PutMetricFilter"."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.logs.groups import find_group
from headrace.server.operations.logs.patterns import Match, pattern_of
from headrace.server.operations.metrics.storing import put_metric
from headrace.server.resources import Place, Resource, Stored
from headrace.server.stores.metadata.tables.resources import RESOURCES

FILTER = Resource(
    "logs/metric-filter", "metric filter", "{group_arn}:metric-filter:{name}"
)  # fmt: skip
MOST_FILTERS, MOST_DIMENSIONS = 100, 3


def put_metric_filter(
    context: Context,
    *,
    log_group_name: str,
    filter_name: str,
    filter_pattern: str,
    metric_transformations: Sequence[Mapping[str, Any]],
    **unused: Any,
) -> None:
    """Create or replace a metric filter of a group; it measures events written from now on."""
    del unused
    group = find_group(context, log_group_name)
    pattern_of(filter_pattern)
    change = metric_transformations[0]
    dimensions = change.get("dimensions") or {}
    if len(dimensions) > MOST_DIMENSIONS:
        raise InvalidInput(f"a metric filter has {MOST_DIMENSIONS} dimensions at most, not {len(dimensions)}")
    if dimensions and change.get("default_value") is not None:
        raise InvalidInput("Invalid metric transformation: dimensions and default value are mutually exclusive.")
    if not change["metric_value"].startswith("$"):
        _number(change["metric_value"])
    record = {
        "group_arn": group.arn,
        "log_group_name": log_group_name,
        "filter_pattern": filter_pattern,
        "metric_transformations": [dict(each) for each in metric_transformations],
    }
    found = resources.find(context.connection, FILTER, context.place, filter_name, parent=group.arn)
    if found is not None:
        resources.change(context.connection, FILTER, found, now=context.now, record=record)
        return
    if len(_of_group(context.connection, group)) >= MOST_FILTERS:
        raise LimitExceeded(f"the log group {log_group_name!r} has {MOST_FILTERS} metric filters; delete one first")
    resources.create(
        context.connection, FILTER, context.place, filter_name, record, now=context.now, parent=group.arn
    )  # fmt: skip


def describe_metric_filters(
    context: Context,
    *,
    log_group_name: str | None = None,
    filter_name_prefix: str | None = None,
    next_token: str | None = None,
    limit: int = 50,
    metric_name: str | None = None,
    metric_namespace: str | None = None,
) -> dict[str, Any]:
    """List metric filters by name: of a group, with a prefix, or those that make a metric."""
    if (metric_name is None) != (metric_namespace is None):
        raise InvalidInput("give metricName and metricNamespace together")
    group = find_group(context, log_group_name) if log_group_name else None
    where: list[ColumnElement[bool]] = []
    if filter_name_prefix:
        where.append(RESOURCES.c.name.startswith(filter_name_prefix, autoescape=True))
    if metric_name is not None:
        where.append(RESOURCES.c.record.contains(f'"metric_name": "{metric_name}"', autoescape=True))
        where.append(RESOURCES.c.record.contains(f'"metric_namespace": "{metric_namespace}"', autoescape=True))
    page = resources.listing(
        context.connection, FILTER, context.place, parent=group.arn if group else None, where=where, limit=limit,
        position=context.position(next_token, of="describe_metric_filters"),
    )  # fmt: skip
    return {
        "metric_filters": [_described(each) for each in page.items],
        "next_token": context.token(page.position, of="describe_metric_filters"),
    }


def delete_metric_filter(context: Context, *, log_group_name: str, filter_name: str) -> None:
    """Delete a metric filter; raises NotFound."""
    group = find_group(context, log_group_name)
    stored = resources.find(context.connection, FILTER, context.place, filter_name, parent=group.arn)
    if stored is None:
        raise NotFound("The specified metric filter does not exist.", status=400)
    resources.remove(context.connection, stored)


def test_metric_filter(
    context: Context, *, filter_pattern: str, log_event_messages: Sequence[str]
) -> dict[str, Any]:  # fmt: skip
    """Tell which messages a pattern matches, and what it extracts from them."""
    del context
    matches = pattern_of(filter_pattern)
    found = [(number, message, matches(message)) for number, message in enumerate(log_event_messages, 1)]
    return {
        "matches": [
            {"event_number": number, "event_message": message, "extracted_values": match.values()}
            for number, message, match in found
            if match is not None
        ]
    }


def measure(connection: Connection, group: Stored, events: Sequence[tuple[int, str]], now: int) -> None:
    """Put the points that a group's metric filters make of events."""
    for stored in _of_group(connection, group):
        matches = pattern_of(stored.record["filter_pattern"])
        for change in stored.record["metric_transformations"]:
            for time, message in events:
                match = matches(message)
                value = change.get("default_value") if match is None else _value(change["metric_value"], match)
                if value is not None:
                    place = Place(group.account, group.region)
                    dimensions = _dimensions(change.get("dimensions") or {}, match)
                    put_metric(
                        connection, place, change["metric_namespace"], change["metric_name"], value, dimensions, now,
                        time=time, unit=change.get("unit") or "None",
                    )  # fmt: skip


def _of_group(connection: Connection, group: Stored) -> list[Stored]:
    place = Place(group.account, group.region)
    if connection.execute(select(RESOURCES.c.id).where(RESOURCES.c.parent == group.arn).limit(1)).first() is None:
        return []
    return resources.listing(connection, FILTER, place, parent=group.arn, limit=MOST_FILTERS).items


def _described(stored: Stored) -> dict[str, Any]:
    members = {name: value for name, value in stored.record.items() if name != "group_arn"}
    return {"filter_name": stored.name, "creation_time": stored.created, **members}


def _dimensions(wanted: Mapping[str, str], match: Match | None) -> dict[str, str]:
    found = {name: match.value(selector) if match else None for name, selector in wanted.items()}
    return {name: str(value) for name, value in found.items() if value is not None}


def _value(text: str, match: Match) -> float | None:
    if not text.startswith("$"):
        return _number(text)
    try:
        return _number(str(match.value(text)))
    except InvalidInput:
        return None


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InvalidInput(f"the metric value {text!r} is no number and no field; give a number or $field")
    return number
