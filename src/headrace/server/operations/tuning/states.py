"""Where a tuning job stands, and the events that tell of its changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from headrace.server import events, resources
from headrace.server.resources import Resource, Stored

IN_PROGRESS, STOPPING, COMPLETED, FAILED, STOPPED = "InProgress", "Stopping", "Completed", "Failed", "Stopped"
ACTIVE = (IN_PROGRESS, STOPPING)
ENDED = (COMPLETED, FAILED, STOPPED)
EVENT = "SageMaker HyperParameter Tuning Job State Change"

TUNING_JOB = Resource(
    "sagemaker/hyper-parameter-tuning-job",
    "hyperparameter tuning job",
    "arn:{partition}:sagemaker:{region}:{account}:hyper-parameter-tuning-job/{lowered}",
    states={IN_PROGRESS: (STOPPING, *ENDED), STOPPING: ENDED, COMPLETED: (), FAILED: (), STOPPED: ()},
    lasting=frozenset(ACTIVE),
)
"""A tuning job.

Its record holds `config` and `definition`, as Describe answers them; `seed`; `trials`, each as the members of a Trial,
in the order in which they were started; `closing`, the Closing that keeps it from starting more, with its trials that
run being stopped; and of one that has ended `end_time` (ms) and `failure_reason`.
"""


def change(
    connection: Connection, stored: Stored, record: Mapping[str, Any], *, now: int, state: str | None = None
) -> Stored:
    """Write a tuning job's record and state, and tell of it."""
    changed = resources.change(connection, TUNING_JOB, stored, now=now, record=record, state=state)
    tell(connection, changed, now)
    return changed


def tell(connection: Connection, stored: Stored, now: int) -> None:
    """Append the event of a job's change (AWS page: Events that Amazon SageMaker AI sends to Amazon EventBridge)."""
    detail = {
        "HyperParameterTuningJobName": stored.name,
        "HyperParameterTuningJobArn": stored.arn,
        "HyperParameterTuningJobStatus": stored.state,
        "CreationTime": stored.created,
        "LastModifiedTime": now,
    }
    event = events.Event(EVENT, "aws.sagemaker", stored.account, stored.region, stored.arn, now, detail)
    events.append(connection, event)
