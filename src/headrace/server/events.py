"""Transactional outbox: what happened, committed with the change itself, read later by whoever needs it.

Operations never call sideways: metrics, alarms and rules read here, each under a name of its own, at its own pace. As
writers take turns (MetadataStore), events are numbered in the order in which they commit, on both databases: a reader
that has seen number n will never find a smaller one that it has not seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from headrace.server.errors import NotFound
from headrace.server.stores.metadata.tables.events import EVENT_READERS, EVENTS

_COLUMNS = EVENTS.c
_INSERT = insert(EVENTS).inline()
_NEXT = select(EVENTS).where(_COLUMNS.id > bindparam("position")).order_by(_COLUMNS.id).limit(bindparam("most"))
_POSITION = select(EVENT_READERS.c.position).where(EVENT_READERS.c.name == bindparam("reader"))
_LAST = select(func.coalesce(func.max(_COLUMNS.id), 0))


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    `kind` says what ("Training Job State Change"), `source` who says so ("aws.sagemaker"), `arn` to which resource;
    `time` is in milliseconds; `detail` is plain data. `id` is its number once it is stored.
    """

    kind: str
    source: str
    account: str
    region: str
    arn: str
    time: int
    detail: Mapping[str, Any] = field(default_factory=dict)
    id: int = 0


def append(connection: Connection, event: Event) -> None:
    """Store an event in the writing transaction of the change that it tells of."""
    values = {name: getattr(event, name) for name in ("kind", "source", "account", "region", "arn", "time")}
    connection.execute(_INSERT, values | {"detail": json.dumps(event.detail)})


def subscribe(connection: Connection, reader: str, *, from_start: bool = False) -> None:
    """Register a reader, who sees what happens from now on, or with `from_start` all that is still there.

    One who is registered already keeps its position.
    """
    try:
        with connection.begin_nested():
            position = 0 if from_start else _high_mark(connection)
            connection.execute(insert(EVENT_READERS).values(name=reader, position=position))
    except IntegrityError:
        return


def unsubscribe(connection: Connection, reader: str) -> None:
    """Forget a reader, so that nothing is kept for it; one that is not there is no error."""
    connection.execute(delete(EVENT_READERS).where(EVENT_READERS.c.name == reader))


def read(connection: Connection, reader: str, limit: int = 100) -> list[Event]:
    """Return up to `limit` of the oldest events that the reader has not passed; raises NotFound before `subscribe`.

    They come again until `advance`. Read, act and advance in one writing transaction to act on each exactly once.
    """
    position = connection.execute(_POSITION, {"reader": reader}).scalar_one_or_none()
    if position is None:
        raise NotFound(f"no reader of events is called {reader!r}; subscribe it first")
    rows = connection.execute(_NEXT, {"position": position, "most": limit}).all()
    return [
        Event(row.kind, row.source, row.account, row.region, row.arn, row.time, json.loads(row.detail), row.id)
        for row in rows
    ]


def advance(connection: Connection, reader: str, event: Event) -> None:
    """Note durably that the reader is done with this event and those before it; it never goes back."""
    moved = update(EVENT_READERS).where(EVENT_READERS.c.name == reader, EVENT_READERS.c.position < event.id)
    connection.execute(moved.values(position=event.id))


def backlog(connection: Connection) -> dict[str, int]:
    """Return how far each reader is behind, in numbers of events: a metric, and a sign of a reader that has died."""
    last = connection.execute(_LAST).scalar_one()
    rows = connection.execute(select(EVENT_READERS)).all()
    return {row.name: max(0, last - row.position) for row in rows}


def trim(connection: Connection, *, before: int) -> int:
    """Delete the events that every reader has passed, and all older than `before` (ms); return how many.

    Call it now and then, in a writing transaction.
    """
    passed = select(func.coalesce(func.min(EVENT_READERS.c.position), _LAST.scalar_subquery())).scalar_subquery()
    gone = connection.execute(delete(EVENTS).where((_COLUMNS.id <= passed) | (_COLUMNS.time < before)))
    return gone.rowcount


def _high_mark(connection: Connection) -> int:
    """Return a number that every event to come exceeds, also when all earlier ones have been trimmed."""
    furthest = connection.execute(select(func.coalesce(func.max(EVENT_READERS.c.position), 0))).scalar_one()
    last = connection.execute(_LAST).scalar_one()
    return max(int(last), int(furthest))
