"""Events of log streams: writing and reading them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.logs.groups import find_group
from headrace.server.operations.logs.storing import OVERHEAD, decoded, encoded, write
from headrace.server.operations.logs.streams import SEQUENCE_TOKEN, find_stream
from headrace.server.resources import Stored
from headrace.server.stores.metadata.tables.logs import LOG_EVENTS

HOUR, DAY = 3_600_000, 86_400_000
OLDEST, NEWEST = 14 * DAY, 2 * HOUR
LARGEST_BATCH = LARGEST_PAGE = 1_048_576
MOST_EVENTS = 10_000
AT_ONCE = 500
"""Rows fetched at once: messages may be large."""
TOKEN = re.compile(r"([fb])/(\d{19})(\d{37})/s")


def put_log_events(
    context: Context,
    *,
    log_group_name: str,
    log_stream_name: str,
    log_events: Sequence[Mapping[str, Any]],
    sequence_token: str | None = None,
    entity: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write events in order of time; those too old or too new are left out, and told by index.

    Raises InvalidInput on a batch out of order, over 1 MiB (26 bytes an event included) or over 24 hours; NotFound.
    """
    del sequence_token, entity
    group = find_group(context, log_group_name)
    find_stream(context.connection, group, log_stream_name)
    events = [(each["timestamp"], encoded(each["message"])) for each in log_events]
    times = [time for time, _ in events]
    if any(later < earlier for earlier, later in pairwise(times)):
        raise InvalidInput("Log events in a single PutLogEvents request must be in chronological order.")
    size = sum(len(message) + OVERHEAD for _, message in events)
    if size > LARGEST_BATCH:
        raise InvalidInput(f"Upload too large: {size} bytes exceeds limit of {LARGEST_BATCH}")
    first, last, rejected = _acceptable(times, group, context.now)
    accepted = events[first:last]
    if accepted and accepted[-1][0] - accepted[0][0] > DAY:
        raise InvalidInput("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    write(context.connection, group, log_stream_name, accepted, context.now)
    return {"next_sequence_token": SEQUENCE_TOKEN, "rejected_log_events_info": rejected or None}


def get_log_events(
    context: Context,
    *,
    log_stream_name: str,
    log_group_name: str | None = None,
    log_group_identifier: str | None = None,
    start_time: int | None = None,
    end_time: int | None = None,
    next_token: str | None = None,
    limit: int = MOST_EVENTS,
    start_from_head: bool = False,
    unmask: bool = False,
) -> dict[str, Any]:
    """Return a page of a stream's events in order of time, and tokens to go on in both directions.

    A token that leads to nothing more comes back unchanged: that is how clients know the end.
    """
    del unmask
    group = find_group(context, log_group_name, log_group_identifier)
    stream = find_stream(context.connection, group, log_stream_name)
    forward, position = _direction(next_token, start_from_head)
    columns = LOG_EVENTS.c
    where = [columns.stream == stream.id, *within(start_time, end_time)]
    if position is not None:
        where.append(beyond(position, forward=forward))
    order = (columns.time, columns.id) if forward else (columns.time.desc(), columns.id.desc())
    query = select(columns.id, columns.time, columns.ingested, columns.message).where(*where).order_by(*order)
    rows = fitting(context.connection.execute(query.limit(limit).execution_options(yield_per=AT_ONCE)))
    if not forward:
        rows.reverse()
    ends = [(rows[-1].time, rows[-1].id), (rows[0].time, rows[0].id)] if rows else [position or (0, 0)] * 2
    return {
        "events": [
            {"timestamp": row.time, "message": decoded(row.message), "ingestion_time": row.ingested} for row in rows
        ],
        "next_forward_token": _token("f", ends[0]),
        "next_backward_token": _token("b", ends[1]),
    }


def within(start: int | None, end: int | None) -> list[ColumnElement[bool]]:
    """Return the conditions for events from `start` on and before `end` (ms)."""
    column = LOG_EVENTS.c.time
    return [*([column >= start] if start is not None else []), *([column < end] if end is not None else [])]


def beyond(position: tuple[int, int], *, forward: bool) -> ColumnElement[bool]:
    """Return the condition for events after, or before, a (time, id)."""
    time, number = position
    columns = LOG_EVENTS.c
    if forward:
        return or_(columns.time > time, and_(columns.time == time, columns.id > number))
    return or_(columns.time < time, and_(columns.time == time, columns.id < number))


def fitting(rows: Iterable[Row[Any]]) -> list[Row[Any]]:
    """Return the first rows that fit into one answer of 1 MiB, at least one."""
    taken: list[Row[Any]] = []
    size = 0
    for row in rows:
        size += len(row.message) + OVERHEAD
        if taken and size > LARGEST_PAGE:
            break
        taken.append(row)
    return taken


def _acceptable(times: Sequence[int], group: Stored, now: int) -> tuple[int, int, dict[str, int]]:
    retention = group.record.get("retention_in_days")
    expired = sum(1 for time in times if retention and time < now - retention * DAY)
    old = sum(1 for time in times if time < now - OLDEST)
    last = sum(1 for time in times if time <= now + NEWEST)
    rejected = {}
    if old:
        rejected["too_old_log_event_end_index"] = old
    if expired:
        rejected["expired_log_event_end_index"] = expired
    if last < len(times):
        rejected["too_new_log_event_start_index"] = last
    return max(old, expired), last, rejected


def _direction(token: str | None, from_head: bool) -> tuple[bool, tuple[int, int] | None]:
    if token is None:
        return from_head, None
    matched = TOKEN.fullmatch(token)
    if matched is None:
        raise InvalidInput("The specified nextToken is invalid.")
    return matched[1] == "f", (int(matched[2]), int(matched[3]))


def _token(direction: str, position: tuple[int, int]) -> str:
    return f"{direction}/{position[0]:019d}{position[1]:037d}/s"
