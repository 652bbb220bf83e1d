"""Looks management events of the last ninety days up; source: AWS, "LookupEvents"."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select

from headrace.server.clock import moment, stamp
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.stores.metadata.tables.audit import AUDIT_EVENTS

KEPT = 90 * 86_400_000
"""Milliseconds that events can be looked up for."""

COLUMNS = {
    "EventId": AUDIT_EVENTS.c.event_id,
    "EventName": AUDIT_EVENTS.c.name,
    "EventSource": AUDIT_EVENTS.c.source,
    "Username": AUDIT_EVENTS.c.username,
    "AccessKeyId": AUDIT_EVENTS.c.access_key_id,
}


def lookup_events(
    context: Context,
    *,
    lookup_attributes: Sequence[dict[str, str]] | None = None,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    event_category: str | None = None,
    max_results: int = 50,
    next_token: str | None = None,
) -> dict[str, Any]:
    """Return management events of this account and region, the newest first, up to fifty at a time.

    Raises InvalidInput on more than one attribute, a time range that ends before it begins, or a foreign token.
    """
    attributes = list(lookup_attributes or ())
    begin, end = _range(context.now, start_time, end_time)
    if event_category == "insight":
        return {"events": []}
    columns = AUDIT_EVENTS.c
    where = [
        columns.account == context.place.account,
        columns.region == context.place.region,
        columns.category == "Management",
        columns.time >= begin,
        columns.time <= end,
        *(_condition(each) for each in _only_one(attributes)),
    ]
    question = "lookup_events/" + json.dumps([attributes, start_time, end_time], default=str)
    position = _position(context, next_token, question)
    if position:
        time, last = position
        where.append(or_(columns.time < time, and_(columns.time == time, columns.id < last)))
    query = select(AUDIT_EVENTS).where(*where).order_by(columns.time.desc(), columns.id.desc()).limit(max_results + 1)
    rows = context.connection.execute(query).all()
    page = rows[:max_results]
    more = [page[-1].time, page[-1].id] if len(rows) > max_results else None
    return {"events": [_event(row) for row in page], "next_token": context.token(more, of=question)}


def _range(now: int, start: datetime | None, end: datetime | None) -> tuple[int, int]:
    if start and end and start > end:
        raise InvalidInput(
            f"the time range ends ({end.isoformat()}) before it begins ({start.isoformat()}); swap the two",
            code="InvalidTimeRangeException",
        )
    return max(stamp(start) if start else 0, now - KEPT), stamp(end) if end else now


def _only_one(attributes: Sequence[dict[str, str]]) -> Sequence[dict[str, str]]:
    if len(attributes) > 1:
        raise InvalidInput(
            f"{len(attributes)} lookup attributes are given; give one", code="InvalidLookupAttributesException"
        )
    return attributes


def _condition(attribute: dict[str, str]) -> ColumnElement[bool]:
    key, value = attribute["attribute_key"], attribute["attribute_value"]
    columns = AUDIT_EVENTS.c
    if key == "ReadOnly":
        if value not in ("true", "false"):
            raise InvalidInput(
                f"ReadOnly is true or false, not {value!r}; give one of them", code="InvalidLookupAttributesException"
            )
        return columns.read_only if value == "true" else ~columns.read_only
    if key in ("ResourceName", "ResourceType"):
        return columns.resources.contains(f"\t{value}\t", autoescape=True)
    return COLUMNS[key] == value


def _position(context: Context, token: str | None, question: str) -> list[Any] | None:
    try:
        return context.position(token, of=question)
    except InvalidInput as error:
        raise InvalidInput(error.message, code="InvalidNextTokenException") from None


def _event(row: Row[Any]) -> dict[str, Any]:
    named = [line.split("\t") for line in row.resources.split("\n") if line]
    return {
        "event_id": row.event_id,
        "event_name": row.name,
        "read_only": "true" if row.read_only else "false",
        "access_key_id": row.access_key_id or None,
        "event_time": moment(row.time // 1000 * 1000),
        "event_source": row.source,
        "username": row.username or None,
        "resources": [{"resource_type": parts[1] or None, "resource_name": parts[2]} for parts in named],
        "cloud_trail_event": row.document,
    }
