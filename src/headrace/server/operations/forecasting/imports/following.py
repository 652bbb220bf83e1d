"""A dataset in the time of its import: it updates while the job works, and is ACTIVE again afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from headrace.server import resources
from headrace.server.operations.forecasting.kinds import (
    ACTIVE,
    DATASET,
    FAILED,
    IN_PROGRESS,
    PENDING,
    STOPPED,
    UPDATE_PENDING,
    UPDATING,
)
from headrace.server.resources import Stored, by_arn

STATES: Mapping[str, str] = {PENDING: UPDATE_PENDING, IN_PROGRESS: UPDATING, FAILED: ACTIVE, STOPPED: ACTIVE}
"""The dataset's state by that of the import."""


def follow(connection: Connection, stored: Stored) -> None:
    """Bring the dataset of an import job into the state that goes with the job's."""
    dataset = by_arn(connection, stored.parent)
    state = STATES.get(stored.state)
    if dataset is not None and state is not None and dataset.state != state:
        resources.change(connection, DATASET, dataset, now=stored.modified, state=state)
