"""What the platform does as durable jobs: each kind's handler, and what follows from a change of its job's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from headrace.server.jobs.handle import entry
from headrace.server.jobs.records import JobRecord, LogLine
from headrace.server.operations.logs.storing import put_log_lines
from headrace.server.resources import Place


@dataclass(frozen=True)
class Kind:
    """A kind of job, as entry points ("module:function").

    `handler` takes the Job, in a process of its own. `settled(connection, record)` is told of every change of the
    job's state inside the transaction that makes it, so that the resource of the job moves with it: a job that is
    `dead` has failed with `record.reason`, one that is `cancelled` was stopped.
    """

    handler: str
    settled: str


_OPERATIONS = "headrace.server.operations"

KINDS: Mapping[str, Kind] = {
    "training": Kind(f"{_OPERATIONS}.training.running:run", f"{_OPERATIONS}.training.settling:settled"),
    "transform": Kind(f"{_OPERATIONS}.transforms.running:run", f"{_OPERATIONS}.transforms.settling:settled"),
    "processing": Kind(f"{_OPERATIONS}.processing.running:run", f"{_OPERATIONS}.processing.settling:settled"),
    "autopilot": Kind(f"{_OPERATIONS}.autopilot.running:run", f"{_OPERATIONS}.autopilot.settling:settled"),
    "forecasting": Kind(f"{_OPERATIONS}.forecasting.running:run", f"{_OPERATIONS}.forecasting.settling:settled"),
}


def handlers() -> dict[str, str]:
    """Return the handlers by kind, as a Worker takes them."""
    return {name: kind.handler for name, kind in KINDS.items()}


def on_change(connection: Connection, record: JobRecord) -> None:
    """Let the resource of a job follow its state."""
    kind = KINDS.get(record.kind)
    if kind is not None:
        entry(kind.settled)(connection, record)


def on_log(connection: Connection, record: JobRecord, lines: list[LogLine]) -> None:
    """Write the lines of a job into CloudWatch Logs, where its payload names `log`: account, region, group, stream."""
    where = record.payload.get("log")
    if where:
        place = Place(where["account"], where["region"], where.get("partition", "aws"))
        timed = [(line.time, line.text) for line in lines]
        put_log_lines(connection, place, where["group"], where["stream"], timed, lines[-1].time)
