"""The callers' side of the queue: ask for a job, cancel it, look at it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from headrace.server.errors import Conflict, InvalidInput, NotFound
from headrace.server.jobs.records import (
    CANCELLED,
    ENDED,
    QUEUED,
    RUNNING,
    STOPPING,
    JobRecord,
    LogLine,
    OnChange,
    ignore,
    record_of,
)
from headrace.server.stores.metadata.tables.jobs import JOB_LOG, JOBS

MOST_ATTEMPTS = 3
_INSERT = insert(JOBS).returning(*JOBS.c)


@dataclass(frozen=True)
class JobQueue:
    """Takes jobs in, inside the caller's transaction: a job exists exactly when that transaction commits."""

    on_change: OnChange = ignore

    def enqueue(
        self,
        connection: Connection,
        kind: str,
        payload: Mapping[str, Any],
        *,
        now: int,
        priority: int = 0,
        not_before: int = 0,
        timeout: int | None = None,
        attempts: int = MOST_ATTEMPTS,
        resource_arn: str = "",
        user_code: bool = False,
        memory: int | None = None,
        token: str = "",
    ) -> int:
        """Store a job and return its id.

        `payload` is plain data; `priority` higher goes first, then the older; `not_before` is a time (ms since 1970,
        by the claiming worker's clock); `timeout` is in ms an attempt, `memory` in bytes. A `token` given again with
        the same payload answers the first job's id; with another payload it raises Conflict.
        """
        _check(kind, timeout=timeout, attempts=attempts, memory=memory)
        values = {
            "kind": kind,
            "payload": json.dumps(payload, sort_keys=True, allow_nan=False),
            "resource_arn": resource_arn,
            "token": token,
            "priority": priority,
            "user_code": user_code,
            "memory": memory,
            "timeout": timeout,
            "most_attempts": attempts,
            "state": QUEUED,
            "not_before": not_before,
            "created": now,
        }
        if not token:
            return self._changed(connection, connection.execute(_INSERT, values).one()).id
        try:
            with connection.begin_nested():
                row = connection.execute(_INSERT, values).one()
        except IntegrityError:
            return _earlier(connection, kind, token, values["payload"])
        return self._changed(connection, row).id

    def cancel(self, connection: Connection, job: int, *, now: int, reason: str = "it was cancelled") -> JobRecord:
        """Cancel a queued job at once, ask a running one to stop, leave an ended one as it is; raises NotFound."""
        ended = {"state": CANCELLED, "ended": now, "reason": reason, "pause": 0}
        while True:
            for state, values in ((QUEUED, ended), (RUNNING, {"state": STOPPING, "reason": reason})):
                change = update(JOBS).where(JOBS.c.id == job, JOBS.c.state == state).values(values)
                row = connection.execute(change.returning(*JOBS.c)).one_or_none()
                if row is not None:
                    return self._changed(connection, row)
            record = get(connection, job)
            if record.state in ENDED or record.state == STOPPING:
                return record

    def _changed(self, connection: Connection, row: Any) -> JobRecord:
        record = record_of(row)
        self.on_change(connection, record)
        return record


def get(connection: Connection, job: int) -> JobRecord:
    """Return a job; raises NotFound."""
    row = connection.execute(select(JOBS).where(JOBS.c.id == job)).one_or_none()
    if row is None:
        raise NotFound(f"the job {job} does not exist; list the jobs that do")
    return record_of(row)


def listing(
    connection: Connection,
    *,
    kind: str | None = None,
    state: str | None = None,
    resource_arn: str | None = None,
    limit: int = 100,
    position: int | None = None,
) -> tuple[list[JobRecord], int | None]:
    """Return jobs, the newest first, and the position where the listing goes on (None at its end)."""
    conditions = [
        column == value
        for column, value in ((JOBS.c.kind, kind), (JOBS.c.state, state), (JOBS.c.resource_arn, resource_arn))
        if value is not None
    ]
    if position is not None:
        conditions.append(JOBS.c.id < position)
    rows = connection.execute(select(JOBS).where(*conditions).order_by(JOBS.c.id.desc()).limit(limit + 1)).all()
    return [record_of(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None


def log_of(connection: Connection, job: int, *, start: int = 0, limit: int = 1000) -> list[LogLine]:
    """Return lines of a job's log from number `start` on, as far as they are written; also while it runs."""
    columns = (JOB_LOG.c.line, JOB_LOG.c.attempt, JOB_LOG.c.time, JOB_LOG.c.text)
    lines = select(*columns).where(JOB_LOG.c.job == job, JOB_LOG.c.line >= start)
    return [LogLine(*row) for row in connection.execute(lines.order_by(JOB_LOG.c.line).limit(limit))]


def _check(kind: str, *, timeout: int | None, attempts: int, memory: int | None) -> None:
    for name, value in (("timeout", timeout), ("attempts", attempts), ("memory", memory)):
        if value is not None and value < 1:
            raise InvalidInput(f"{name} {value} of a {kind} job is less than 1; give more or leave it out")


def _earlier(connection: Connection, kind: str, token: str, payload: Any) -> int:
    earlier = connection.execute(
        select(JOBS.c.id, JOBS.c.payload).where(JOBS.c.kind == kind, JOBS.c.token == token)
    ).one()
    if earlier.payload != payload:
        raise Conflict(f"the token {token!r} was used for another {kind} job already; choose a new token")
    return int(earlier.id)
