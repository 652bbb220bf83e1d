"""What becomes of a training job when its durable job changes state."""

from __future__ import annotations

from sqlalchemy import Connection

from headrace.server.clock import system_clock
from headrace.server.jobs.records import CANCELLED, DEAD, JobRecord
from headrace.server.operations.training import statuses
from headrace.server.resources import by_arn


def settled(connection: Connection, record: JobRecord) -> None:
    """Let a training job follow: one that is cancelled was stopped, one that is dead has failed on our side.

    What it ends with otherwise, the handler stores together with its end.
    """
    if record.state not in (CANCELLED, DEAD):
        return
    stored = by_arn(connection, record.resource_arn)
    if stored is None or statuses.is_over(stored):
        return
    now = record.ended or system_clock()
    if record.state == CANCELLED:
        statuses.end(connection, stored, "Stopped", now=now)
        return
    limit = stored.record["stopping_condition"]["max_runtime_in_seconds"]
    start = stored.record.get("training_start_time")
    if start is not None and now - start >= limit * 1000:
        statuses.end(connection, stored, "Stopped", "MaxRuntimeExceeded", now=now)
        return
    reason = f"{statuses.INTERNAL_ERROR} ({record.reason})" if record.reason else statuses.INTERNAL_ERROR
    statuses.end(connection, stored, "Failed", now=now, reason=reason)
