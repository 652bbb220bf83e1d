"""Where a processing job stands, the events that tell of its changes, and the monitoring execution that it may be."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from headrace.server import events, resources
from headrace.server.operations.event_members import in_camel_case
from headrace.server.resources import Resource, Stored

IN_PROGRESS, STOPPING, COMPLETED, FAILED, STOPPED = "InProgress", "Stopping", "Completed", "Failed", "Stopped"
PENDING, VIOLATED = "Pending", "CompletedWithViolations"
ENDED = (COMPLETED, FAILED, STOPPED)
LONGEST_REASON = 1024
EVENT = "SageMaker Processing Job State Change"
INTERNAL_ERROR = "InternalServerError: We encountered an internal error. Please try again."

PROCESSING_JOB = Resource(
    "sagemaker/processing-job",
    "processing job",
    "arn:{partition}:sagemaker:{region}:{account}:processing-job/{lowered}",
    states={
        IN_PROGRESS: (STOPPING, *ENDED), STOPPING: ENDED, COMPLETED: (), FAILED: (), STOPPED: (),
    },
    lasting=frozenset({IN_PROGRESS, STOPPING}),
)  # fmt: skip
"""A processing job; its record holds what DescribeProcessingJob answers, and the members of `INNER`.

These are `lowered`, its name in lower case, and `execution`, the ARN of the monitoring execution that it is.
"""

MONITORING_EXECUTION = Resource(
    "sagemaker/monitoring-execution",
    "monitoring execution",
    "{schedule_arn}/{name}",
    states={
        PENDING: (IN_PROGRESS, STOPPING, VIOLATED, *ENDED), IN_PROGRESS: (STOPPING, VIOLATED, *ENDED),
        STOPPING: (VIOLATED, *ENDED), COMPLETED: (), VIOLATED: (), FAILED: (), STOPPED: (),
    },
)  # fmt: skip
"""One run of a monitoring schedule; its name tells the schedule and the time, so that none runs twice."""

INNER = ("lowered", "execution")


def begin(connection: Connection, stored: Stored, now: int) -> None:
    """Note when a job's first attempt began."""
    if stored.state == IN_PROGRESS and "processing_start_time" not in stored.record:
        _change(connection, stored, {**stored.record, "processing_start_time": now}, None, now)
        _follow(connection, stored, IN_PROGRESS, now)


def move(
    connection: Connection, stored: Stored, state: str, now: int, *, reason: str = "", exit_message: str = ""
) -> None:
    """Bring a job into another state, its last ones with the time and what is said of it; tell of it."""
    record = dict(stored.record)
    if state in ENDED:
        record["processing_end_time"] = now
    if reason:
        record["failure_reason"] = _shortened(reason)
    if exit_message:
        record["exit_message"] = _shortened(exit_message)
    _change(connection, stored, record, state, now)
    violated = state == COMPLETED and exit_message.startswith(f"{VIOLATED}:")
    _follow(connection, stored, VIOLATED if violated else state, now, record.get("failure_reason", ""))


def tell(connection: Connection, stored: Stored, now: int) -> None:
    """Append the event of a job's change (AWS page: Events that Amazon SageMaker AI sends to Amazon EventBridge)."""
    shown = {name: value for name, value in stored.record.items() if value is not None and name not in INNER}
    detail = {
        "ProcessingJobName": stored.name,
        "ProcessingJobArn": stored.arn,
        "ProcessingJobStatus": stored.state,
        "CreationTime": stored.created,
        **in_camel_case(shown),
    }
    event = events.Event(EVENT, "aws.sagemaker", stored.account, stored.region, stored.arn, now, detail)
    events.append(connection, event)


def _change(connection: Connection, stored: Stored, record: dict[str, Any], state: str | None, now: int) -> None:
    tell(connection, resources.change(connection, PROCESSING_JOB, stored, now=now, record=record, state=state), now)


def _follow(connection: Connection, stored: Stored, state: str, now: int, reason: str = "") -> None:
    """Bring the monitoring execution that a job is into the state of the job."""
    execution = resources.by_arn(connection, stored.record["execution"]) if stored.record.get("execution") else None
    if execution is not None:
        record = {**execution.record, **({"failure_reason": reason} if reason else {})}
        resources.change(connection, MONITORING_EXECUTION, execution, now=now, record=record, state=state)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"
