"""How events are stored and removed; and lines that the platform itself writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, case, delete, func, insert, select, update

from headrace.server.context import Platform
from headrace.server.operations.logs.groups import GROUP, group_number, group_of
from headrace.server.operations.logs.metric_filters import measure
from headrace.server.operations.logs.streams import find_stream, make_stream
from headrace.server.resources import Place, Stored, by_arn
from headrace.server.stores.metadata.tables.logs import LOG_EVENTS, LOG_STREAMS
from headrace.server.stores.metadata.tables.resources import RESOURCES

DAY = 86_400_000
OVERHEAD = 26
"""Bytes that each event counts beside its message."""
SWEPT_AT_ONCE = 10_000


def encoded(message: str) -> bytes:
    """Return a message as it is stored; lone surrogates are kept as well."""
    return message.encode("utf-8", "surrogatepass")


def decoded(message: bytes) -> str:
    """Return a stored message."""
    return bytes(message).decode("utf-8", "surrogatepass")


def write(connection: Connection, group: Stored, stream: str, events: Sequence[tuple[int, bytes]], now: int) -> None:
    """Store events, (time, message) in order of time, in a stream that exists, and measure them by metric filters."""
    if not events:
        return
    row = find_stream(connection, group, stream)
    number = row.log_group
    connection.execute(
        insert(LOG_EVENTS),
        [
            {"log_group": number, "stream": row.id, "time": time, "ingested": now, "message": message}
            for time, message in events
        ],
    )
    columns = LOG_STREAMS.c
    first, last = events[0][0], events[-1][0]
    connection.execute(
        update(LOG_STREAMS)
        .where(columns.id == row.id)
        .values(
            first_event=case((columns.first_event < first, columns.first_event), else_=first),
            last_event=case((columns.last_event > last, columns.last_event), else_=last),
            last_ingestion=now,
            stored=columns.stored + sum(len(message) + OVERHEAD for _, message in events),
        )
    )
    measure(connection, group, [(time, decoded(message)) for time, message in events], now)


def put_log_lines(
    connection: Connection, place: Place, group: str, stream: str, lines: Iterable[str | tuple[int, str]], now: int
) -> None:
    """Write lines that the platform itself has to say, creating group and stream if need be.

    A line is text, or a pair of its time (ms) and text; empty ones are left out.
    """
    timed = [(now, line) if isinstance(line, str) else line for line in lines]
    events = sorted(((time, encoded(line)) for time, line in timed if line), key=lambda event: event[0])
    stored = group_of(connection, place, group, now)
    number = group_number(connection, stored)
    there = select(LOG_STREAMS.c.id).where(LOG_STREAMS.c.log_group == number, LOG_STREAMS.c.name == stream)
    if connection.execute(there).first() is None:
        make_stream(connection, number, stream, now)
    write(connection, stored, stream, events, now)


def sweep(platform: Platform, now: int) -> int:
    """Remove events older than their group's retention; return how many. To be called every hour or so."""
    query = select(RESOURCES.c.id, RESOURCES.c.arn).where(
        RESOURCES.c.kind == GROUP.kind, RESOURCES.c.record.contains('"retention_in_days"')
    )
    removed = 0
    with platform.metadata.reading() as connection:
        groups = [(row.id, by_arn(connection, row.arn)) for row in connection.execute(query).all()]
    for number, stored in groups:
        days = stored.record.get("retention_in_days") if stored else None
        while days:
            with platform.metadata.writing() as connection:
                part = _remove(connection, number, now - days * DAY)
            removed += part
            if part < SWEPT_AT_ONCE:
                break
    return removed


def _remove(connection: Connection, group: int, before: int) -> int:
    columns = LOG_EVENTS.c
    expired = select(columns.id, columns.stream, func.length(columns.message).label("size")).where(
        columns.log_group == group, columns.time < before
    )
    rows = connection.execute(expired.order_by(columns.time, columns.id).limit(SWEPT_AT_ONCE)).all()
    sizes: dict[int, int] = {}
    for row in rows:
        sizes[row.stream] = sizes.get(row.stream, 0) + row.size + OVERHEAD
    for start in range(0, len(rows), 500):
        connection.execute(delete(LOG_EVENTS).where(columns.id.in_([row.id for row in rows[start : start + 500]])))
    for stream, size in sizes.items():
        earliest = select(func.min(columns.time)).where(columns.stream == stream).scalar_subquery()
        connection.execute(
            update(LOG_STREAMS)
            .where(LOG_STREAMS.c.id == stream)
            .values(stored=LOG_STREAMS.c.stored - size, first_event=earliest)
        )
    return len(rows)
