"""What becomes of a resource of Amazon Forecast when its durable job changes state."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from headrace.server.jobs.handle import entry
from headrace.server.jobs.records import JobRecord
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.kinds import DATASET_IMPORT_JOB, PREDICTOR

_ROOM = "headrace.server.operations.forecasting"

FOLLOWERS: Mapping[str, str] = {
    DATASET_IMPORT_JOB.kind: f"{_ROOM}.imports.following:follow",
    PREDICTOR.kind: f"{_ROOM}.predictors.following:follow",
}
"""What else follows a resource that moved, by its kind: follow(connection, stored)."""


def settled(connection: Connection, record: JobRecord) -> None:
    """Let the resource of a job follow it, and what follows that resource; its end as ACTIVE its handler stores."""
    moved = states.follow(connection, record)
    if moved is not None and moved.kind in FOLLOWERS:
        entry(FOLLOWERS[moved.kind])(connection, moved)
