"""What is known of a job: its record, its log lines, and the errors of those who lost it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headrace.server.errors import Conflict

if TYPE_CHECKING:
    from sqlalchemy import Connection

QUEUED, RUNNING, STOPPING = "queued", "running", "stopping"
DONE, DEAD, CANCELLED = "done", "dead", "cancelled"
HELD = (RUNNING, STOPPING)
ENDED = (DONE, DEAD, CANCELLED)


class LeaseLost(Conflict):
    """The attempt that wants to write no longer holds its job."""


class JobStopped(BaseException):
    """Raised in a handler that was asked to stop and did not: what it saves now is kept for the next attempt."""


class JobFailed(Exception):  # noqa: N818
    """Raised by a handler whose job would fail again however often it is tried."""


@dataclass(frozen=True)
class JobRecord:
    """One job as it is stored.

    `memory` is in bytes, `timeout` in milliseconds an attempt, times are milliseconds since 1970 by the clock of
    whoever wrote them (shown, never compared). `progress` holds "step", "fraction" (0 to 1) and "message", as far as
    known.
    """

    id: int
    kind: str
    payload: dict[str, Any] = field(repr=False)
    resource_arn: str
    token: str
    priority: int
    user_code: bool
    memory: int | None
    timeout: int | None
    most_attempts: int
    state: str
    attempt: int
    failures: int
    not_before: int
    pause: int
    owner: str
    beat: int
    progress: dict[str, Any]
    reason: str
    result: Any
    lines: int
    created: int
    started: int | None
    ended: int | None


@dataclass(frozen=True)
class LogLine:
    """One line of a job's log; `line` counts from 0 over all attempts, `time` is when its worker read it."""

    line: int
    attempt: int
    time: int
    text: str


OnChange = Callable[["Connection", JobRecord], None]
"""Told of every change of a job's state, inside the transaction that makes it."""

OnLog = Callable[["Connection", JobRecord, list[LogLine]], None]
"""Told of every batch of log lines, inside the transaction that stores them."""


def ignore(*_: Any) -> None:
    """Do nothing with a change."""


def record_of(row: Any) -> JobRecord:
    """Return the record of a row of the table."""
    values: dict[str, Any] = dict(row._mapping)
    for name in ("payload", "progress", "result"):
        values[name] = None if values[name] is None else json.loads(values[name])
    return JobRecord(**values)
