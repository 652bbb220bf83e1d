"""Where a training job stands: its states, the history of its secondary ones, and the events that tell of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from headrace.server import events, resources
from headrace.server.operations.event_members import in_camel_case
from headrace.server.resources import Resource, Stored

ENDED = ("Completed", "Failed", "Stopped")
TRAINING_JOB = Resource(
    "sagemaker/training-job",
    "training job",
    "arn:{partition}:sagemaker:{region}:{account}:training-job/{lowered}",
    states={"InProgress": ("Stopping", *ENDED), "Stopping": ENDED, "Completed": (), "Failed": (), "Stopped": ()},
    lasting=frozenset({"InProgress", "Stopping"}),
)
"""A training job; its record holds what DescribeTrainingJob answers, `lowered` its name in lower case."""

MESSAGES: Mapping[str, str] = {
    "Starting": "Preparing the instances for training",
    "Interrupted": "The managed spot training instances were interrupted",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job wait time exceeded MaxWaitTimeInSeconds provided",
}
"""The StatusMessage of each secondary status."""

BEGUN, BEGUN_AGAIN = "Starting the training job", "Launched instance was unhealthy, replacing it!"
"""What the StatusMessage of Starting is before an attempt takes the job up, and when another one does."""

INTERNAL_ERROR = "InternalServerError: We encountered an internal error. Please try again."
LONGEST_REASON = 1024
EVENT = "SageMaker Training Job State Change"


def begin(now: int) -> dict[str, Any]:
    """Return the members of a record by which a job has begun."""
    return {"secondary_status": "Starting", "secondary_status_transitions": [_transition("Starting", now, BEGUN)]}


def is_over(stored: Stored) -> bool:
    """Tell whether a job has ended."""
    return stored.state in ENDED


def take_up(connection: Connection, stored: Stored, *, now: int) -> Stored:
    """Let an attempt at a job in progress begin; one of managed spot training that began before was interrupted."""
    if "training_start_time" not in stored.record:
        return advance(connection, stored, "Starting", now=now, members={"training_start_time": now})
    if stored.record["enable_managed_spot_training"]:
        return advance(connection, advance(connection, stored, "Interrupted", now=now), "Starting", now=now)
    return advance(connection, stored, "Starting", now=now, message=BEGUN_AGAIN)


def advance(
    connection: Connection,
    stored: Stored,
    secondary: str,
    *,
    now: int,
    status: str | None = None,
    members: Mapping[str, Any] | None = None,
    message: str = "",
) -> Stored:
    """Move a job on to a secondary status (and a status), with further members of its record; tell of it.

    Where it is there already, the transition gets the message only.
    """
    history = [dict(each) for each in stored.record["secondary_status_transitions"]]
    if history[-1]["status"] == secondary and "end_time" not in history[-1]:
        history[-1]["status_message"] = message or MESSAGES[secondary]
    else:
        history[-1].setdefault("end_time", now)
        history.append(_transition(secondary, now, message))
    record = {
        **stored.record,
        **(members or {}),
        "secondary_status": secondary,
        "secondary_status_transitions": history,
    }
    moved = resources.change(connection, TRAINING_JOB, stored, now=now, record=record, state=status)
    tell(connection, moved, now)
    return moved


def end(
    connection: Connection,
    stored: Stored,
    status: str,
    secondary: str = "",
    *,
    now: int,
    reason: str = "",
    members: Mapping[str, Any] | None = None,
) -> Stored:
    """End a job: Completed, Failed (for a reason) or Stopped, `secondary` saying why where it was not asked to stop."""
    start = stored.record.get("training_start_time")
    ending: dict[str, Any] = {"training_end_time": now, **(members or {})}
    if start is not None:
        seconds = max(1, -(-(now - start) // 1000))
        ending |= {"training_time_in_seconds": seconds, "billable_time_in_seconds": seconds}
    if reason:
        ending["failure_reason"] = reason[:LONGEST_REASON]
    if "warm_pool" in stored.record:
        ending["warm_pool"] = "Terminated"
    ended = advance(connection, stored, secondary or status, now=now, status=status, members=ending)
    ended.record["secondary_status_transitions"][-1]["end_time"] = now
    return resources.change(connection, TRAINING_JOB, ended, now=now, record=ended.record)


def tell(connection: Connection, stored: Stored, now: int) -> None:
    """Append the event of a job's change (AWS page: "Events that Amazon SageMaker sends to EventBridge")."""
    shown = {name: value for name, value in stored.record.items() if name not in ("lowered", "job", "warm_pool")}
    detail = {
        "TrainingJobName": stored.name,
        "TrainingJobArn": stored.arn,
        "TrainingJobStatus": stored.state,
        "CreationTime": stored.created,
        "LastModifiedTime": now,
        **in_camel_case(shown),
    }
    event = events.Event(EVENT, "aws.sagemaker", stored.account, stored.region, stored.arn, now, detail)
    events.append(connection, event)


def _transition(secondary: str, now: int, message: str = "") -> dict[str, Any]:
    return {"status": secondary, "start_time": now, "status_message": message or MESSAGES[secondary]}
