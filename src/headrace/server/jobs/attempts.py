"""The workers' side of the queue: claim a job, show life, end the attempt; refused to who lost the lease."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from headrace.server.jobs.records import (
    CANCELLED,
    DEAD,
    DONE,
    ENDED,
    HELD,
    QUEUED,
    RUNNING,
    STOPPING,
    JobRecord,
    LeaseLost,
    LogLine,
    OnChange,
    OnLog,
    ignore,
    record_of,
)
from headrace.server.stores.metadata.tables.jobs import JOB_LOG, JOBS

FIRST_PAUSE = 1_000
LONGEST_PAUSE = 300_000


@dataclass(frozen=True)
class Attempts:
    """Moves jobs through their attempts; `first_pause` (ms) doubles with every failure up to five minutes."""

    on_change: OnChange = ignore
    on_log: OnLog = ignore
    first_pause: int = FIRST_PAUSE

    def claim(self, connection: Connection, kinds: Sequence[str], *, owner: str, now: int) -> JobRecord | None:
        """Take the most urgent job of these kinds that waits, or None: one statement, so that no two workers get it."""
        row = connection.execute(_claiming(), {"kinds": kinds, "now": now, "by": owner}).one_or_none()
        return None if row is None else self._changed(connection, row)

    def beat(
        self, connection: Connection, job: int, attempt: int, *, progress: Mapping[str, Any] | None = None
    ) -> str | None:
        """Show life and return the job's state (running or stopping), or None when the lease is lost."""
        values = {} if progress is None else {"new_progress": json.dumps(progress)}
        held = {"job": job, "number": attempt}
        return connection.execute(_beating(progress is not None), held | values).scalar_one_or_none()

    def log(self, connection: Connection, job: int, attempt: int, texts: Sequence[str], *, now: int) -> None:
        """Append lines to the job's log; they are dropped when the job went on to another attempt."""
        where = (JOBS.c.id == job, JOBS.c.attempt == attempt, JOBS.c.state != QUEUED)
        change = update(JOBS).where(*where).values(lines=JOBS.c.lines + len(texts))
        row = connection.execute(change.returning(*JOBS.c)).one_or_none()
        if row is None or not texts:
            return
        first = row.lines - len(texts)
        lines = [LogLine(first + index, attempt, now, text) for index, text in enumerate(texts)]
        connection.execute(insert(JOB_LOG), [{"job": job, **vars(line)} for line in lines])
        self.on_log(connection, record_of(row), lines)

    def complete(self, connection: Connection, job: int, attempt: int, *, now: int, result: Any = None) -> JobRecord:
        """End the job as done; raises LeaseLost."""
        ended = {"state": DONE, "ended": now, "reason": "", "result": json.dumps(result, allow_nan=False)}
        return self._end(connection, job, attempt, HELD, ended)

    def fail(
        self, connection: Connection, job: int, attempt: int, *, now: int, reason: str, permanent: bool = False
    ) -> JobRecord:
        """End the attempt as failed: the job is queued again after a pause, or dead; raises LeaseLost.

        One that was asked to stop is cancelled instead.
        """
        record = self._record(connection, job, attempt)
        if record.state == STOPPING:
            return self.cancelled(connection, job, attempt, now=now)
        failures = record.failures + 1
        values: dict[str, Any] = {"failures": failures, "reason": reason}
        if permanent or failures >= record.most_attempts:
            given_up = "" if permanent else f" (given up after {failures} attempts)"
            values |= {"state": DEAD, "ended": now, "reason": f"{reason}{given_up}"}
        else:
            values |= {"state": QUEUED, "pause": min(self.first_pause * 2 ** (failures - 1), LONGEST_PAUSE)}
        return self._end(connection, job, attempt, (RUNNING,), values)

    def hand_back(self, connection: Connection, job: int, attempt: int, *, now: int) -> JobRecord:
        """Give the job back unfinished, to be claimed at once; it does not count as a failure. Raises LeaseLost."""
        if self._record(connection, job, attempt).state == STOPPING:
            return self.cancelled(connection, job, attempt, now=now)
        values = {"state": QUEUED, "pause": 0, "reason": "its worker stopped and handed it back"}
        return self._end(connection, job, attempt, (RUNNING,), values)

    def cancelled(self, connection: Connection, job: int, attempt: int, *, now: int) -> JobRecord:
        """End a job that was asked to stop; raises LeaseLost."""
        return self._end(connection, job, attempt, (STOPPING,), {"state": CANCELLED, "ended": now})

    def ripen(self, connection: Connection, job: int, attempt: int) -> None:
        """End the pause of a job that waits for its next attempt."""
        where = (JOBS.c.id == job, JOBS.c.attempt == attempt, JOBS.c.state == QUEUED)
        connection.execute(update(JOBS).where(*where).values(pause=0))

    def _record(self, connection: Connection, job: int, attempt: int) -> JobRecord:
        held = select(JOBS).where(*_held(HELD)).with_for_update()
        row = connection.execute(held, {"job": job, "number": attempt}).one_or_none()
        if row is None:
            raise _lost(job, attempt)
        return record_of(row)

    def _end(
        self, connection: Connection, job: int, attempt: int, states: Sequence[str], values: Mapping[str, Any]
    ) -> JobRecord:
        given = {"job": job, "number": attempt} | {f"new_{name}": value for name, value in values.items()}
        row = connection.execute(_ending(tuple(states), tuple(values)), given).one_or_none()
        if row is None:
            raise _lost(job, attempt)
        return self._changed(connection, row)

    def _changed(self, connection: Connection, row: Any) -> JobRecord:
        record = record_of(row)
        self.on_change(connection, record)
        return record


def waits(connection: Connection, kinds: Sequence[str], *, now: int) -> bool:
    """Tell whether a job of these kinds could be claimed; only reads."""
    return connection.execute(_waiting().limit(1), {"kinds": kinds, "now": now}).first() is not None


def ended(connection: Connection, jobs: Sequence[int]) -> dict[int, int | None]:
    """Return those of these jobs that ended, each with the attempt that did it, if any."""
    rows = connection.execute(
        select(JOBS.c.id, JOBS.c.state, JOBS.c.attempt).where(JOBS.c.id.in_(jobs), JOBS.c.state.in_(ENDED))
    )
    return {row.id: row.attempt if row.state == DONE else None for row in rows}


# Statements are built once: building costs more than running them.


@cache
def _claiming() -> Any:
    urgent = _waiting().order_by(JOBS.c.priority.desc(), JOBS.c.id).limit(1).with_for_update(skip_locked=True)
    values = {
        "attempt": JOBS.c.attempt + 1,
        "beat": JOBS.c.beat + 1,
        "owner": bindparam("by"),
        "started": bindparam("now"),
    }
    change = update(JOBS).where(JOBS.c.id == urgent.scalar_subquery(), JOBS.c.state == QUEUED)
    return change.values(state=RUNNING, progress="{}", **values).returning(*JOBS.c)


@cache
def _beating(with_progress: bool) -> Any:
    change = update(JOBS).where(*_held(HELD)).values(beat=JOBS.c.beat + 1)
    if with_progress:
        change = change.values(progress=bindparam("new_progress"))
    return change.returning(JOBS.c.state)


@cache
def _ending(states: tuple[str, ...], names: tuple[str, ...]) -> Any:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    return update(JOBS).where(*_held(states)).values(owner="", **values).returning(*JOBS.c)


@cache
def _waiting() -> Any:
    return select(JOBS.c.id).where(
        JOBS.c.state == QUEUED,
        JOBS.c.pause == 0,
        JOBS.c.not_before <= bindparam("now"),
        JOBS.c.kind.in_(bindparam("kinds", expanding=True)),
    )


def _held(states: Sequence[str]) -> tuple[Any, ...]:
    return JOBS.c.id == bindparam("job"), JOBS.c.attempt == bindparam("number"), JOBS.c.state.in_(states)


def _lost(job: int, attempt: int) -> LeaseLost:
    return LeaseLost(
        f"attempt {attempt} of job {job} holds it no longer: another took it over, or it ended; drop the work"
    )
