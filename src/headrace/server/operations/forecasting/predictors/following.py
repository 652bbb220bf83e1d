"""What waits for a predictor ends when its training fails or is stopped."""

from __future__ import annotations

from sqlalchemy import Connection

from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.explainability.starting import waiting_of
from headrace.server.operations.forecasting.kinds import FAILED, STOPPED
from headrace.server.resources import Stored


def follow(connection: Connection, stored: Stored) -> None:
    """End the explainability that waits for a predictor which will not be ACTIVE."""
    if stored.state not in (FAILED, STOPPED):
        return
    waiting = waiting_of(connection, stored)
    if waiting is not None:
        message = "The predictor was not trained, so there is nothing to explain."
        states.end(connection, waiting, stored.state, now=stored.modified, message=message)
