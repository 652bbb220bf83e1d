"""Where a transform job stands, and the events that tell of its changes."""

from __future__ import annotations

from sqlalchemy import Connection

from headrace.server import events, resources
from headrace.server.operations.event_members import in_camel_case
from headrace.server.resources import Place, Resource, Stored

IN_PROGRESS, STOPPING, COMPLETED, FAILED, STOPPED = "InProgress", "Stopping", "Completed", "Failed", "Stopped"
ENDED = (COMPLETED, FAILED, STOPPED)
LONGEST_REASON = 1024
EVENT = "SageMaker Transform Job State Change"

TRANSFORM_JOB = Resource(
    "sagemaker/transform-job",
    "transform job",
    "arn:{partition}:sagemaker:{region}:{account}:transform-job/{lowered}",
    states={
        IN_PROGRESS: (STOPPING, *ENDED), STOPPING: (STOPPED, FAILED), COMPLETED: (), FAILED: (), STOPPED: (),
    },
    lasting=frozenset({IN_PROGRESS, STOPPING}),
)  # fmt: skip
"""A transform job; its record holds what DescribeTransformJob answers, and the members of `INNER`.

These are `lowered`, its name in lower case, and of its model `deployed` and `execution_role_arn`, as the model may be
deleted while the job runs.
"""

INNER = ("lowered", "deployed", "execution_role_arn")


def transform_job_arn(place: Place, name: str) -> str:
    """Return the ARN of the transform job of that name."""
    return TRANSFORM_JOB.arn_of(place, name, {"lowered": name.lower()})


def begin(connection: Connection, stored: Stored, now: int) -> None:
    """Note when a job's first attempt began."""
    if stored.state == IN_PROGRESS and "transform_start_time" not in stored.record:
        record = {**stored.record, "transform_start_time": now}
        tell(connection, resources.change(connection, TRANSFORM_JOB, stored, now=now, record=record), now)


def move(connection: Connection, stored: Stored, state: str, now: int, *, reason: str = "") -> None:
    """Bring a job into another state, its last ones with the time and, where it failed, the reason; tell of it."""
    record = dict(stored.record)
    if state in ENDED:
        record["transform_end_time"] = now
    if reason:
        record["failure_reason"] = reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1]}…"
    tell(connection, resources.change(connection, TRANSFORM_JOB, stored, now=now, record=record, state=state), now)


def tell(connection: Connection, stored: Stored, now: int) -> None:
    """Append the event of a job's change (AWS page: Events that Amazon SageMaker AI sends to Amazon EventBridge)."""
    shown = {name: value for name, value in stored.record.items() if value is not None and name not in INNER}
    detail = {
        "TransformJobName": stored.name,
        "TransformJobArn": stored.arn,
        "TransformJobStatus": stored.state,
        "CreationTime": stored.created,
        **in_camel_case(shown),
    }
    event = events.Event(EVENT, "aws.sagemaker", stored.account, stored.region, stored.arn, now, detail)
    events.append(connection, event)
