"""What becomes of a processing job when its durable job changes state."""

from __future__ import annotations

from sqlalchemy import Connection

from headrace.server.clock import system_clock
from headrace.server.jobs.records import CANCELLED, DEAD, RUNNING, JobRecord
from headrace.server.jobs.records import STOPPING as ASKED_TO_STOP
from headrace.server.operations.processing import states
from headrace.server.resources import by_arn


def settled(connection: Connection, record: JobRecord) -> None:
    """Let the processing job follow; how it ends when its handler gets to the end, the handler stores itself."""
    stored = by_arn(connection, record.resource_arn)
    if stored is None or stored.state in states.ENDED:
        return
    now = record.ended or system_clock()
    if record.state == RUNNING:
        states.begin(connection, stored, record.started or now)
    elif record.state == ASKED_TO_STOP and stored.state != states.STOPPING:
        states.move(connection, stored, states.STOPPING, now)
    elif record.state == CANCELLED:
        states.move(connection, stored, states.STOPPED, now)
    elif record.state == DEAD:
        reason = f"{states.INTERNAL_ERROR} ({record.reason})" if record.reason else states.INTERNAL_ERROR
        states.move(connection, stored, states.FAILED, now, reason=reason)
