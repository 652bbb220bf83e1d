"""Listing keys in order with a prefix and a delimiter, skipping over what a common prefix covers.

A bucket is never read whole: rows come in runs, and the run after a common prefix begins at the first key beyond it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, Table, and_, bindparam, or_

from headrace.server.operations.storage.names import after_prefix

_FIRST_RUN = 32
_LONGEST_RUN = 1001


@dataclass(frozen=True)
class Place:
    """Where a listing goes on: at `key` itself, or beyond it; `tie` is the last row of that key that was listed."""

    key: bytes
    inclusive: bool = False
    tie: Any = None


@dataclass(frozen=True)
class Entry:
    """A row of the listing, or a common prefix (`row` is None)."""

    key: bytes
    row: Any = None


@dataclass(frozen=True)
class Order:
    """How rows of one key follow each other: by `column` of the table, downwards or upwards."""

    column: str
    descending: bool = False


@dataclass(frozen=True)
class Run:
    """A part of a listing, and whether there is more."""

    entries: list[Entry]
    more: bool


def scan(
    connection: Connection,
    query: Select[Any],
    table: Table,
    order: Order | None = None,
    *,
    prefix: str | None,
    delimiter: str | None,
    place: Place,
    limit: int,
) -> Run:
    """Return up to `limit` entries of `query` from `place` on; without an `order` its keys are unique.

    Keys that share what follows the prefix up to the delimiter are one entry.
    """
    if limit == 0:
        return Run([], False)
    begin, separator = (prefix or "").encode(), (delimiter or "").encode()
    end = after_prefix(begin)
    within = query if end is None else query.where(table.c.key < end)
    ordered = within.order_by(table.c.key, *(_tie(table, order) if order else ()))
    fetch = _fetching(connection, ordered, table, order)
    place = Place(begin, inclusive=True) if place.key < begin else _beyond_common(place, begin, separator)
    entries: list[Entry] = []
    run = min(limit + 1, _FIRST_RUN if separator else _LONGEST_RUN)
    while True:
        rows = fetch(place, run)
        for row in rows:
            key = bytes(row.key)
            if (key < place.key) or (key == place.key and not place.inclusive and place.tie is None):
                continue
            if len(entries) == limit:
                return Run(entries, True)
            common = _common(key, begin, separator)
            if common is None:
                entries.append(Entry(key, row))
                place = Place(key, tie=getattr(row, order.column) if order else None)
                continue
            entries.append(Entry(common))
            following = after_prefix(common)
            if following is None:
                return Run(entries, False)
            place = Place(following, inclusive=True)
        if len(rows) < run:
            return Run(entries, False)
        run = min(4 * run, _LONGEST_RUN) if bytes(rows[-1].key) >= place.key else _FIRST_RUN


def _fetching(
    connection: Connection, query: Select[Any], table: Table, order: Order | None
) -> Callable[[Place, int], Sequence[Any]]:
    """Return what fetches a run of rows; each way to begin one is a statement that is made once."""
    key = table.c.key
    at: BindParameter[bytes] = bindparam("at")
    limited = query.limit(bindparam("count"))
    statements = {"from": limited.where(key >= at), "beyond": limited.where(key > at)}
    if order is not None:
        tie = table.c[order.column]
        last: BindParameter[Any] = bindparam("last")
        rest = tie < last if order.descending else tie > last
        statements["within"] = limited.where(key >= at, or_(key > at, and_(key == at, rest)))

    def fetch(place: Place, count: int) -> Sequence[Any]:
        way = "from" if place.inclusive else "beyond" if place.tie is None else "within"
        values = {"at": place.key, "count": count} | ({"last": place.tie} if way == "within" else {})
        return connection.execute(statements[way], values).all()

    return fetch


def _tie(table: Table, order: Order) -> tuple[ColumnElement[Any]]:
    column = table.c[order.column]
    return (column.desc() if order.descending else column,)


def _common(key: bytes, prefix: bytes, delimiter: bytes) -> bytes | None:
    if not delimiter:
        return None
    at = key.find(delimiter, len(prefix))
    return None if at < 0 else key[: at + len(delimiter)]


def _beyond_common(place: Place, prefix: bytes, delimiter: bytes) -> Place:
    """Begin after a common prefix that was listed already: a marker may be one."""
    if place.inclusive or not delimiter or not place.key.startswith(prefix):
        return place
    common = _common(place.key, prefix, delimiter)
    if common is None or common != place.key:
        return place
    following = after_prefix(common)
    return place if following is None else Place(following, inclusive=True)
