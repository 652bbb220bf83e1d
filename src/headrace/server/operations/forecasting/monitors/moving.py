"""A monitor follows its predictor when that is trained anew."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, update

from headrace.server import resources
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.kinds import ACTIVE, MONITOR, MONITOR_EVALUATION
from headrace.server.operations.forecasting.names import unique_identifier
from headrace.server.operations.forecasting.roles import place_of
from headrace.server.resources import Stored
from headrace.server.stores.metadata.tables.resources import RESOURCES

RETRAIN = "Retrain"


def monitor_of(connection: Connection, predictor: Stored) -> Stored | None:
    """Return the monitor of a predictor, or None."""
    found = resources.listing(connection, MONITOR, place_of(predictor), parent=predictor.arn, limit=1).items
    return found[0] if found else None


def adopt(connection: Connection, predictor: Stored, *, now: int) -> None:
    """Let the monitor of the reference predictor go on with one that was trained anew and has none of its own.

    What it found until then stays, and the retraining is noted among it (AWS page: PredictorEvent).
    """
    reference = resources.by_arn(connection, predictor.record.get("_reference") or "")
    monitor = monitor_of(connection, reference) if reference is not None else None
    if monitor is None or monitor_of(connection, predictor) is not None:
        return
    connection.execute(update(RESOURCES).where(RESOURCES.c.arn == monitor.arn).values(parent=predictor.arn))
    states.note(connection, replace(monitor, parent=predictor.arn), now=now, resource_arn=predictor.arn)
    event = {
        "resource_arn": predictor.arn,
        "monitor_arn": monitor.arn,
        "evaluation_time": now,
        "evaluation_state": "SUCCESS",
        "predictor_event": {"detail": RETRAIN, "datetime": now},
    }
    noted = add_evaluation(connection, monitor, event, now=now)
    states.end(connection, noted, ACTIVE, now=now)


def add_evaluation(connection: Connection, monitor: Stored, record: dict[str, object], *, now: int) -> Stored:
    """Store an evaluation of a monitor in its first state."""
    name = unique_identifier(monitor.name, now)
    kept = {"identifier": name, **record}
    return resources.create(connection, MONITOR_EVALUATION, place_of(monitor), name, kept, now=now, parent=monitor.arn)
