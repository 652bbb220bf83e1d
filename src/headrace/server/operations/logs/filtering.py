"""Searches the events of a group by a filter pattern; source: AWS, "FilterLogEvents"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from headrace.server.context import Context
from headrace.server.errors import InvalidInput, NotFound
from headrace.server.operations.logs.events import AT_ONCE, LARGEST_PAGE, MOST_EVENTS, beyond, within
from headrace.server.operations.logs.groups import find_group, group_number
from headrace.server.operations.logs.patterns import pattern_of
from headrace.server.operations.logs.storing import OVERHEAD, decoded
from headrace.server.stores.metadata.tables.logs import LOG_EVENTS, LOG_STREAMS

MOST_SEARCHED = 20_000
"""Events that one call looks at; a page may be empty and yet have a token."""


def filter_log_events(
    context: Context,
    *,
    log_group_name: str | None = None,
    log_group_identifier: str | None = None,
    log_stream_names: Sequence[str] | None = None,
    log_stream_name_prefix: str | None = None,
    start_time: int | None = None,
    end_time: int | None = None,
    filter_pattern: str = "",
    next_token: str | None = None,
    limit: int = MOST_EVENTS,
    start_from_head: bool = True,
    interleaved: bool = True,
    unmask: bool = False,
) -> dict[str, Any]:
    """Return the events of a group that match a pattern, in order of time across its streams.

    Raises InvalidInput on a pattern that can't be read, or names together with a prefix; NotFound.
    """
    del interleaved, unmask
    if log_stream_names and log_stream_name_prefix:
        raise InvalidInput("give logStreamNames or logStreamNamePrefix, not both")
    group = find_group(context, log_group_name, log_group_identifier)
    number = group_number(context.connection, group)
    matches = pattern_of(filter_pattern)
    question = f"filter_log_events/{group.arn}/{filter_pattern}/{log_stream_names}/{log_stream_name_prefix}"
    position = context.position(next_token, of=question)
    forward = bool(position[2]) if position else start_from_head
    columns = LOG_EVENTS.c
    where = [columns.log_group == number, *within(start_time, end_time)]
    chosen = _streams(context, number, log_stream_names, log_stream_name_prefix)
    if chosen is not None:
        where.append(columns.stream.in_(chosen))
    if position:
        where.append(beyond((position[0], position[1]), forward=forward))
    order = (columns.time, columns.id) if forward else (columns.time.desc(), columns.id.desc())
    query = (
        select(columns.id, columns.time, columns.ingested, columns.message, LOG_STREAMS.c.name)
        .join(LOG_STREAMS, LOG_STREAMS.c.id == columns.stream)
        .where(*where)
        .order_by(*order)
        .limit(MOST_SEARCHED)
    )
    found: list[dict[str, Any]] = []
    size = seen = 0
    last: list[int] | None = None
    for row in context.connection.execute(query.execution_options(yield_per=AT_ONCE)):
        message = decoded(row.message)
        if matches(message) is not None:
            size += len(row.message) + OVERHEAD
            if len(found) == limit or (found and size > LARGEST_PAGE):
                break
            found.append(_event(row, message))
        seen += 1  # noqa: SIM113 (how many were looked at before the break)
        last = [row.time, row.id, int(forward)]
    else:
        last = last if seen == MOST_SEARCHED else None
    return {"events": found, "searched_log_streams": [], "next_token": context.token(last, of=question)}


def _streams(context: Context, group: int, names: Sequence[str] | None, prefix: str | None) -> list[int] | None:
    columns = LOG_STREAMS.c
    if names:
        query = select(columns.id, columns.name).where(columns.log_group == group, columns.name.in_(names))
        rows = context.connection.execute(query).all()
        if len(rows) < len(set(names)):
            missing = sorted(set(names) - {row.name for row in rows})
            raise NotFound(f"The specified log stream does not exist: {missing[0]}", status=400)
        return [row.id for row in rows]
    if prefix:
        named = columns.name.startswith(prefix, autoescape=True)
        return list(context.connection.scalars(select(columns.id).where(columns.log_group == group, named)))
    return None


def _event(row: Any, message: str) -> dict[str, Any]:
    return {
        "log_stream_name": row.name,
        "timestamp": row.time,
        "message": message,
        "ingestion_time": row.ingested,
        "event_id": f"{row.time:019d}{row.id:037d}",
    }
