"""Log streams."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InvalidInput, NotFound
from headrace.server.operations.logs.groups import find_group, group_number
from headrace.server.resources import Stored
from headrace.server.stores.metadata.tables.logs import LOG_EVENTS, LOG_STREAMS

SEQUENCE_TOKEN = "49039859579281023" + "0" * 39


def create_log_stream(context: Context, *, log_group_name: str, log_stream_name: str) -> None:
    """Create a log stream; raises NotFound for the group, AlreadyExists."""
    group = group_number(context.connection, find_group(context, log_group_name))
    try:
        with context.connection.begin_nested():
            make_stream(context.connection, group, log_stream_name, context.now)
    except IntegrityError:
        raise AlreadyExists(
            f"The specified log stream already exists: {log_stream_name}", status=400
        ) from None  # fmt: skip


def delete_log_stream(context: Context, *, log_group_name: str, log_stream_name: str) -> None:
    """Delete a log stream with its events; raises NotFound."""
    group = find_group(context, log_group_name)
    stream = find_stream(context.connection, group, log_stream_name)
    context.connection.execute(delete(LOG_EVENTS).where(LOG_EVENTS.c.stream == stream.id))
    context.connection.execute(delete(LOG_STREAMS).where(LOG_STREAMS.c.id == stream.id))


def describe_log_streams(
    context: Context,
    *,
    log_group_name: str | None = None,
    log_group_identifier: str | None = None,
    log_stream_name_prefix: str | None = None,
    order_by: str = "LogStreamName",
    descending: bool = False,
    next_token: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """List the streams of a group by name or by the time of their last event; raises NotFound, InvalidInput."""
    if order_by == "LastEventTime" and log_stream_name_prefix:
        raise InvalidInput("Cannot order by LastEventTime with a logStreamNamePrefix.")
    group = find_group(context, log_group_name, log_group_identifier)
    columns = LOG_STREAMS.c
    by_time = order_by == "LastEventTime"
    key = func.coalesce(columns.last_event, 0) if by_time else columns.name
    where = [columns.log_group == group_number(context.connection, group)]
    if log_stream_name_prefix:
        where.append(columns.name.startswith(log_stream_name_prefix, autoescape=True))
    question = f"describe_log_streams/{group.arn}/{order_by}/{descending}"
    position = context.position(next_token, of=question)
    if position:
        value, last = position
        beyond = key < value if descending else key > value
        after = columns.id < last if descending else columns.id > last
        where.append(or_(beyond, and_(key == value, after)))
    order = (key.desc(), columns.id.desc()) if descending else (key, columns.id)
    rows = context.connection.execute(select(LOG_STREAMS).where(*where).order_by(*order).limit(limit + 1)).all()
    page = rows[:limit]
    more = [(page[-1].last_event or 0) if by_time else page[-1].name, page[-1].id] if len(rows) > limit else None
    return {
        "log_streams": [_described(group, row) for row in page],
        "next_token": context.token(more, of=question),
    }


def find_stream(connection: Connection, group: Stored, name: str) -> Row[Any]:
    """Return the row of a stream; raises NotFound."""
    number = group_number(connection, group)
    query = select(LOG_STREAMS).where(LOG_STREAMS.c.log_group == number, LOG_STREAMS.c.name == name)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("The specified log stream does not exist.", status=400)
    return row


def make_stream(connection: Connection, group: int, name: str, now: int) -> None:
    """Store a new stream of a group."""
    connection.execute(insert(LOG_STREAMS).values(log_group=group, name=name, created=now, stored=0))


def _described(group: Stored, row: Row[Any]) -> dict[str, Any]:
    return {
        "log_stream_name": row.name,
        "creation_time": row.created,
        "first_event_timestamp": row.first_event,
        "last_event_timestamp": row.last_event,
        "last_ingestion_time": row.last_ingestion,
        "upload_sequence_token": SEQUENCE_TOKEN,
        "arn": f"{group.arn}:log-stream:{row.name}",
        "stored_bytes": 0,
    }
