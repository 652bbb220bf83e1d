"""AutoML jobs as resources: their states, the secondary ones of a job in progress, and how each is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from headrace.server import resources
from headrace.server.resources import Resource, Stored

IN_PROGRESS, STOPPING = "InProgress", "Stopping"
COMPLETED, FAILED, STOPPED = "Completed", "Failed", "Stopped"
ENDED = (COMPLETED, FAILED, STOPPED)
LONGEST_REASON = 1024

AUTOML_JOB = Resource(
    "sagemaker/automl-job",
    "AutoML job",
    "arn:{partition}:sagemaker:{region}:{account}:automl-job/{lowered}",
    states={
        IN_PROGRESS: (STOPPING, *ENDED), STOPPING: ENDED, COMPLETED: (), FAILED: (), STOPPED: (),
    },
    lasting=frozenset({IN_PROGRESS, STOPPING}),
)  # fmt: skip
"""An AutoML job.

Its record holds `request`, the members of CreateAutoMLJobV2 (of a job made by CreateAutoMLJob in those terms, with what
came in `first_request`), and what became of it: `secondary`, `job` (the durable job's id), `resolved`, `artifacts`,
`best_candidate`, `failure_reason`, `partial_failures`, `deployed`, `end_time` (ms).
"""

CANDIDATES = Resource(
    "sagemaker/automl-candidates", "candidates", "arn:{partition}:sagemaker:{region}:{account}:automl-candidates/{name}"
)
"""The candidates of an AutoML job, whose ARN is their parent: their record's `candidates`, in order of creation."""

STEPS = {
    1: "AnalyzingData",
    6: "FeatureEngineering",
    7: "ModelTuning",
    8: "GeneratingExplainabilityReport",
    9: "GeneratingModelInsightsReport",
}
"""The secondary status from each of the nine steps on."""


def secondary_at(step: int) -> str:
    """Return the secondary status of a job at one of the nine steps.

    >>> secondary_at(5)
    'AnalyzingData'
    """
    return next(name for first, name in reversed(STEPS.items()) if step >= first)


def advance(connection: Connection, stored: Stored, *, now: int, **members: Any) -> Stored:
    """Write members of the record of a job in progress."""
    return resources.change(connection, AUTOML_JOB, stored, now=now, record={**stored.record, **members})


def end(connection: Connection, stored: Stored, state: str, *, now: int, **members: Any) -> Stored:
    """End a job: its secondary status is that of its end."""
    record: Mapping[str, Any] = {**stored.record, "secondary": state, "end_time": now, **members}
    return resources.change(connection, AUTOML_JOB, stored, now=now, state=state, record=record)
