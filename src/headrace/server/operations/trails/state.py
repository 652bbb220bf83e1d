"""What a trail is doing: when it logs, how far it has delivered, and what it tells of that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from headrace.server.resources import Stored
from headrace.server.security import audit
from headrace.server.security.audit.selection import EVERYTHING_MANAGED
from headrace.server.stores.metadata.tables.audit import AUDIT_DIGESTS, AUDIT_EVENTS, AUDIT_TRAILS


@dataclass(frozen=True)
class Running:
    """One row of audit_trails; `position` is the id of the last event that was looked at, times are in milliseconds.

    `windows` are the times of logging with events that may still have to be delivered, each [id of the last event
    before it began, id of the last event before its end, or None while it goes on]. `retired` is the record of a trail
    that was deleted.
    """

    id: int
    arn: str
    account: str
    region: str
    everywhere: bool
    selectors: dict[str, Any]
    logging: bool
    windows: list[list[int | None]]
    position: int
    facts: dict[str, Any]
    retired: dict[str, Any] | None


def begin(connection: Connection, stored: Stored) -> None:
    """Store the state of a new trail, which does not log yet."""
    connection.execute(
        insert(AUDIT_TRAILS).values(
            arn=stored.arn, account=stored.account, region=stored.region, logging=False, windows="[]", position=0,
            everywhere=stored.record["is_multi_region_trail"], selectors=json.dumps(EVERYTHING_MANAGED), facts="{}",
        )
    )  # fmt: skip


def running(connection: Connection, number: int | None = None) -> list[Running]:
    """Return the state of every trail of every account, deleted ones with undelivered events included; or of one."""
    query = select(AUDIT_TRAILS).order_by(AUDIT_TRAILS.c.id)
    found = connection.execute(query if number is None else query.where(AUDIT_TRAILS.c.id == number))
    return [_read(row) for row in found]


def state_of(connection: Connection, arn: str) -> Running:
    """Return the state of a trail that exists."""
    query = select(AUDIT_TRAILS).where(AUDIT_TRAILS.c.arn == arn, AUDIT_TRAILS.c.retired.is_(None))
    return _read(connection.execute(query).one())


def start(connection: Connection, state: Running, now: int) -> None:
    """Begin to log, from the event of this very call on."""
    if state.logging:
        return
    last = _last_event(connection)
    values: dict[str, Any] = {"logging": True, "windows": json.dumps([*state.windows, [last, None]])}
    if not state.windows:
        values["position"] = last
    _write(connection, state, values, {"started": now, "attempted": now})
    audit.forget(connection)


def stop(connection: Connection, state: Running, now: int) -> None:
    """Cease to log, with the event of this very call, the next one to be stored, as the last."""
    if not state.logging:
        return
    last = _last_event(connection)
    windows = [[begun, last if ended is None else ended] for begun, ended in state.windows]
    _write(connection, state, {"logging": False, "windows": json.dumps(windows)}, {"stopped": now})
    audit.forget(connection)


def covers(state: Running, event: int, before: int) -> bool:
    """Tell whether a trail logged when an event was stored; `before` is the id of the event before it."""
    return any((begun or 0) < event and (ended is None or before <= ended) for begun, ended in state.windows)


def retire(connection: Connection, stored: Stored, now: int) -> None:
    """Keep the state of a trail that is being deleted until its last events are delivered."""
    state = state_of(connection, stored.arn)
    stop(connection, state, now)
    _write(connection, state, {"retired": json.dumps(stored.record | {"name": stored.name})})


def select_events(connection: Connection, state: Running, selectors: Mapping[str, Any]) -> None:
    """Replace a trail's event selectors."""
    _write(connection, state, {"selectors": json.dumps(selectors)})
    audit.forget(connection)


def cover(connection: Connection, state: Running, *, everywhere: bool) -> None:
    """Let a trail cover all regions, or its home alone."""
    _write(connection, state, {"everywhere": everywhere})
    audit.forget(connection)


def note(connection: Connection, state: Running, **facts: Any) -> None:
    """Add facts to what GetTrailStatus tells; one that is None is removed."""
    _write(connection, state, {}, facts)


def advance(connection: Connection, state: Running, position: int, **facts: Any) -> bool:
    """Move a trail on to a later event; False when another process was faster, and nothing may be delivered."""
    columns = AUDIT_TRAILS.c
    moved = connection.execute(
        update(AUDIT_TRAILS).where(columns.id == state.id, columns.position == state.position).values(position=position)
    )
    if moved.rowcount == 1 and facts:
        _write(connection, state, {}, facts)
    return moved.rowcount == 1


def drained(connection: Connection, state: Running) -> None:
    """Forget the ended times of logging of a trail whose events have all been looked at."""
    row = connection.execute(select(AUDIT_TRAILS.c.windows).where(AUDIT_TRAILS.c.id == state.id)).scalar_one()
    left = [window for window in json.loads(row) if window[1] is None or window not in state.windows]
    _write(connection, state, {"windows": json.dumps(left)})


def chained(connection: Connection, state: Running) -> list[Row[Any]]:
    """Return where the chains of digests of a trail stand, a row a region."""
    query = select(AUDIT_DIGESTS).where(AUDIT_DIGESTS.c.trail == state.id).order_by(AUDIT_DIGESTS.c.region)
    return list(connection.execute(query))


def chain(connection: Connection, state: Running, region: str, until: int) -> None:
    """Begin a chain of digests for a region unless there is one."""
    if all(row.region != region for row in chained(connection, state)):
        values = {"trail": state.id, "region": region, "until": until // 1000 * 1000}
        connection.execute(insert(AUDIT_DIGESTS).values(values))


def _last_event(connection: Connection) -> int:
    return connection.scalar(select(func.coalesce(func.max(AUDIT_EVENTS.c.id), 0))) or 0


def _write(
    connection: Connection, state: Running, values: Mapping[str, Any], facts: Mapping[str, Any] | None = None
) -> None:
    changed = dict(values)
    if facts:
        columns = AUDIT_TRAILS.c
        present = json.loads(connection.execute(select(columns.facts).where(columns.id == state.id)).scalar_one())
        merged = {name: value for name, value in (present | dict(facts)).items() if value is not None}
        changed["facts"] = json.dumps(merged)
    if changed:
        connection.execute(update(AUDIT_TRAILS).where(AUDIT_TRAILS.c.id == state.id).values(changed))


def _read(row: Row[Any]) -> Running:
    return Running(
        id=row.id,
        arn=row.arn,
        account=row.account,
        region=row.region,
        everywhere=row.everywhere,
        selectors=json.loads(row.selectors),
        logging=row.logging,
        windows=json.loads(row.windows),
        position=row.position,
        facts=json.loads(row.facts),
        retired=json.loads(row.retired) if row.retired else None,
    )
