"""Decides what is recorded, and records it: one INSERT in the transaction of the change."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, bindparam, insert, select

from headrace.server.security.audit.arns import described
from headrace.server.security.audit.entry import Entry, document, event_region, event_source, resource_arns
from headrace.server.security.audit.floods import Floods
from headrace.server.security.audit.identity import username
from headrace.server.security.audit.selection import Facts, Predicate, selects
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.tables.audit import AUDIT_EVENTS, AUDIT_TRAILS

FRESH_SECONDS = 1.0
"""How long the trails' selectors are kept in memory; another process's change is seen after at most that."""

COLUMNS = tuple(column.name for column in AUDIT_EVENTS.columns if column.name != "id")


@dataclass
class State:
    """What one process remembers of one database's trails."""

    floods: Floods = field(default_factory=Floods)
    trails: list[tuple[str, str, bool, Predicate]] = field(default_factory=list)
    expires: float = 0.0
    statement: str = ""


_BREAKING = re.compile(r"[\x00-\x1f]")

_STATES: WeakKeyDictionary[Engine, State] = WeakKeyDictionary()


def wanted(metadata: MetadataStore, entry: Entry) -> bool:
    """Tell whether a call is to be recorded.

    Management calls are, unless they are refusals of a flood, which are counted here; data calls only when the event
    selectors of a trail that is logging ask for them.
    """
    state = _state(metadata.engine)
    if entry.category != "Management" and not _asked_for(metadata, state, entry):
        return False
    return not entry.error_code or state.floods.admits(entry)


def record(connection: Connection, entry: Entry) -> None:
    """Write one event; it is committed with the transaction's other changes or not at all."""
    state = _state(connection.engine)
    if not state.statement:
        state.statement = _statement(connection)
    values = _values(entry)
    positional = connection.dialect.positional
    connection.exec_driver_sql(state.statement, values if positional else dict(zip(COLUMNS, values, strict=True)))


def settle(metadata: MetadataStore, now: int, *, everything: bool = False) -> int:
    """Write the counts of refusals that were not recorded one by one; return how many records that took.

    To be called every minute or so, and with `everything` when the server stops: counts in memory die with it.
    """
    summaries = _state(metadata.engine).floods.drain(now, everything=everything)
    if summaries:
        with metadata.writing() as connection:
            for entry in summaries:
                record(connection, entry)
    return len(summaries)


def forget(connection: Connection) -> None:
    """Forget the selectors in memory; to be called by whoever changes trails, once committed or before."""
    _state(connection.engine).expires = 0.0


def facts_of(entry: Entry) -> Facts:
    """Return what selectors may ask of an entry."""
    return Facts(
        category=entry.category,
        source=event_source(entry),
        name=entry.operation,
        read_only=entry.read_only,
        resources=tuple((described(arn).kind, arn) for arn in entry.resources),
        caller=entry.caller.arn,
        error_code=entry.error_code,
    )


def _state(engine: Engine) -> State:
    state = _STATES.get(engine)
    return state if state is not None else _STATES.setdefault(engine, State())


def _asked_for(metadata: MetadataStore, state: State, entry: Entry) -> bool:
    if time.monotonic() >= state.expires:
        with metadata.reading() as connection:
            state.trails = _logging(connection)
        state.expires = time.monotonic() + FRESH_SECONDS
    if not state.trails:
        return False
    facts = facts_of(entry)
    return any(
        account == entry.account and (everywhere or region == entry.region) and predicate(facts)
        for account, region, everywhere, predicate in state.trails
    )


def _logging(connection: Connection) -> list[tuple[str, str, bool, Predicate]]:
    columns = AUDIT_TRAILS.c
    query = select(columns.account, columns.region, columns.everywhere, columns.selectors).where(columns.logging)
    trails = [(row, json.loads(row.selectors)) for row in connection.execute(query)]
    return [
        (row.account, row.region, row.everywhere, selects(selectors))
        for row, selectors in trails
        if asks_for_data(selectors)
    ]


def asks_for_data(selectors: Mapping[str, Any]) -> bool:
    """Tell whether selectors ask for any data event."""
    basic = any(each.get("data_resources") for each in selectors.get("event_selectors") or ())
    return basic or bool(selectors.get("advanced_event_selectors"))


def _values(entry: Entry) -> tuple[Any, ...]:
    event_id, text = document(entry)
    lines = [_line(*described(arn), arn) for arn in resource_arns(entry)]
    return (
        entry.account[:12],
        event_region(entry)[:32],
        entry.now,
        entry.category[:12],
        event_id,
        entry.operation[:128],
        event_source(entry)[:128],
        username(entry.caller)[:128],
        entry.caller.access_key_id[:128],
        entry.read_only,
        "\n".join(lines),
        text,
    )


def _line(*words: str) -> str:
    """Return a line of words between tabs; what would break it is shown as in JSON."""
    return "".join(f"\t{_BREAKING.sub(_in_json, word)}" for word in words) + "\t"


def _in_json(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


def _statement(connection: Connection) -> str:
    values: dict[str, Any] = {name: bindparam(name) for name in COLUMNS}
    return str(insert(AUDIT_EVENTS).values(**values).inline().compile(dialect=connection.dialect))
