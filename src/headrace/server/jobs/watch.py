"""Watches jobs that others hold, and takes over those whose owner shows no life; needs no clock that is right."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, or_, select

from headrace.server.jobs.attempts import Attempts
from headrace.server.jobs.owners import is_gone
from headrace.server.jobs.records import HELD, QUEUED, LeaseLost
from headrace.server.stores.metadata.tables.jobs import JOBS


@dataclass
class Watch:
    """What one worker saw of the jobs that it does not hold, and since when on its own monotonic clock (seconds).

    A job whose `attempt` and `beat` stood still for `lease` ms is taken over. Its owner beats several times a lease,
    so it was dead, stopped or cut off for all that time, whatever any wall clock says; should it wake up, its attempt
    is over and its writes are refused. Pauses before a new attempt are waited for in the same way.
    """

    attempts: Attempts
    lease: int
    monotonic: Callable[[], float] = time.monotonic
    _seen: dict[tuple[int, int, int, str], float] = field(default_factory=dict)

    def look(self, connection: Connection, *, own: set[int]) -> list[Any]:
        """Return the (id, attempt, beat, state, owner) of those that are due; only reads."""
        columns = (JOBS.c.id, JOBS.c.attempt, JOBS.c.beat, JOBS.c.state, JOBS.c.owner, JOBS.c.pause)
        of_interest = or_(JOBS.c.state.in_(HELD), (JOBS.c.state == QUEUED) & (JOBS.c.pause > 0))
        rows = [
            row
            for row in connection.execute(select(*columns).where(of_interest).order_by(JOBS.c.id))
            if row.id not in own
        ]
        now = self.monotonic()
        self._seen = {key: self._seen.get(key, now) for key in map(_key, rows)}
        gone = {owner: is_gone(owner) for owner in {row.owner for row in rows if row.owner}}
        return [
            row
            for row in rows
            if gone.get(row.owner)
            or (now - self._seen[_key(row)]) * 1000 >= (row.pause if row.state == QUEUED else self.lease)
        ]

    def act(self, connection: Connection, due: list[Any], *, now: int) -> None:
        """Take over the jobs that are due, unless their owner showed life meanwhile, and end pauses that are over."""
        for row in due:
            if row.state == QUEUED:
                self.attempts.ripen(connection, row.id, row.attempt)
                continue
            still = select(JOBS.c.id).where(JOBS.c.id == row.id, JOBS.c.beat == row.beat).with_for_update()
            if connection.execute(still).first() is None:
                continue
            try:
                self.attempts.fail(connection, row.id, row.attempt, now=now, reason="its worker died or lost its lease")
            except LeaseLost:
                continue


def _key(row: Any) -> tuple[int, int, int, str]:
    return row.id, row.attempt, row.beat, row.state
