"""When access keys and roles were last used: noted in memory at every call, written once in a while."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, delete, insert, select

from headrace.server.context import Context
from headrace.server.security.credentials import Caller
from headrace.server.stores.metadata.tables.identity import LAST_USES

SETTLING_PERIOD = 60_000
"""Milliseconds between two writes of the stamps, where `settle` is called often."""


class Use(NamedTuple):
    """One use: when (milliseconds), of which service, in which region."""

    used: int
    service: str
    region: str


_noted: WeakKeyDictionary[Engine, dict[str, Use]] = WeakKeyDictionary()
_lock = Lock()


def note(connection: Connection, caller: Caller, service: str, region: str, now: int) -> None:
    """Remember that a caller's access key, and its role if it has one, was used; costs no query."""
    noted = _noted_of(connection)
    use = Use(now, service, region)
    if caller.kind == "AssumedRole":
        noted[caller.user_id.partition(":")[0]] = use
    elif caller.access_key_id:
        noted[caller.access_key_id] = use


def settle(connection: Connection) -> int:
    """Write what was noted into an open transaction that may write, and forget it; returns how many stamps."""
    noted = _noted_of(connection)
    settled = {subject: noted.pop(subject) for subject in list(noted)}
    if settled:
        connection.execute(delete(LAST_USES).where(LAST_USES.c.subject.in_(list(settled))))
        connection.execute(
            insert(LAST_USES), [{"subject": subject, **use._asdict()} for subject, use in sorted(settled.items())]
        )
    return len(settled)


def of(context: Context, subject: str) -> Use | None:
    """Return the last use of an access key id, or of a role's unique id; None before the first."""
    noted = _noted_of(context.connection).get(subject)
    if noted:
        return noted
    row = context.connection.execute(select(LAST_USES).where(LAST_USES.c.subject == subject)).one_or_none()
    return Use(row.used, row.service, row.region) if row else None


def forget(connection: Connection, subject: str) -> None:
    """Drop the stamps of a key or role that is deleted."""
    _noted_of(connection).pop(subject, None)
    connection.execute(delete(LAST_USES).where(LAST_USES.c.subject == subject))


def _noted_of(connection: Connection) -> dict[str, Use]:
    found = _noted.get(connection.engine)
    if found is None:
        with _lock:
            found = _noted.setdefault(connection.engine, {})
    return found
