"""When access keys and roles were last used: noted in memory at every call, written once in a while."""

from __future__ import annotations

from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import delete, insert, select

from headrace.server.context import Context
from headrace.server.security.credentials import Caller
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.tables.identity import LAST_USES


class Use(NamedTuple):
    """One use: when (milliseconds), of which service, in which region."""

    used: int
    service: str
    region: str


_noted: WeakKeyDictionary[MetadataStore, dict[str, Use]] = WeakKeyDictionary()
_lock = Lock()


def note(metadata: MetadataStore, caller: Caller, service: str, region: str, now: int) -> None:
    """Remember that a caller's access key, or its role if it has one, was used; costs neither query nor write."""
    noted = _noted_in(metadata)
    use = Use(now, service, region)
    if caller.kind == "AssumedRole":
        noted[caller.user_id.partition(":")[0]] = use
    elif caller.access_key_id and not caller.session_issued:
        noted[caller.access_key_id] = use


def settle(metadata: MetadataStore) -> int:
    """Write what was noted since the last time, in a transaction of its own; returns how many stamps.

    To be called once in a while, and when the server stops.
    """
    noted = _noted_in(metadata)
    settled = dict(noted)
    if settled:
        with metadata.writing() as connection:
            connection.execute(delete(LAST_USES).where(LAST_USES.c.subject.in_(list(settled))))
            rows = [{"subject": subject, **use._asdict()} for subject, use in sorted(settled.items())]
            connection.execute(insert(LAST_USES), rows)
        for subject, use in settled.items():
            if noted.get(subject) == use:
                noted.pop(subject, None)
    return len(settled)


def of(context: Context, subject: str) -> Use | None:
    """Return the last use of an access key id, or of a role's unique id; None before the first."""
    noted = _noted_in(context.platform.metadata).get(subject)
    if noted:
        return noted
    row = context.connection.execute(select(LAST_USES).where(LAST_USES.c.subject == subject)).one_or_none()
    return Use(row.used, row.service, row.region) if row else None


def forget(context: Context, subject: str) -> None:
    """Drop the stamps of a key or role that is deleted."""
    _noted_in(context.platform.metadata).pop(subject, None)
    context.connection.execute(delete(LAST_USES).where(LAST_USES.c.subject == subject))


def _noted_in(metadata: MetadataStore) -> dict[str, Use]:
    found = _noted.get(metadata)
    if found is None:
        with _lock:
            found = _noted.setdefault(metadata, {})
    return found
