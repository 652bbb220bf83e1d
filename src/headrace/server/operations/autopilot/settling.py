"""What becomes of an AutoML job when its durable job changes state."""

from __future__ import annotations

from sqlalchemy import Connection

from headrace.server import resources
from headrace.server.clock import system_clock
from headrace.server.jobs.records import CANCELLED, DEAD, JobRecord
from headrace.server.jobs.records import STOPPING as ASKED_TO_STOP
from headrace.server.operations.autopilot import states
from headrace.server.operations.autopilot.states import AUTOML_JOB
from headrace.server.resources import by_arn


def settled(connection: Connection, record: JobRecord) -> None:
    """Let an AutoML job follow: what it ends with when it is done, its handler stores together with its end."""
    stored = by_arn(connection, record.resource_arn)
    if stored is None or stored.state in states.ENDED:
        return
    now = record.ended or system_clock()
    if record.state == ASKED_TO_STOP and stored.state == states.IN_PROGRESS:
        stopping = {**stored.record, "secondary": states.STOPPING}
        resources.change(connection, AUTOML_JOB, stored, now=now, state=states.STOPPING, record=stopping)
    elif record.state == CANCELLED:
        states.end(connection, stored, states.STOPPED, now=now)
    elif record.state == DEAD:
        reason = record.reason[: states.LONGEST_REASON] or "The job failed for a reason that it could not tell."
        states.end(connection, stored, states.FAILED, now=now, failure_reason=reason)
