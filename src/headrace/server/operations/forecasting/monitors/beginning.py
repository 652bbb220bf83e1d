"""Evaluations begin when data are imported."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection

from headrace.server import resources
from headrace.server.context import Platform
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.domains import TARGET
from headrace.server.operations.forecasting.kinds import ACTIVE, MONITOR
from headrace.server.operations.forecasting.monitors.moving import add_evaluation
from headrace.server.operations.forecasting.roles import place_of
from headrace.server.resources import Stored, by_arn

MOST_MONITORS = 10_000


def begin_evaluations(connection: Connection, platform: Platform, import_job: Stored, *, now: int) -> None:
    """Begin an evaluation of every monitor whose predictor is trained on the target that was just imported."""
    place, dataset = place_of(import_job), by_arn(connection, import_job.parent)
    if dataset is None or dataset.record["dataset_type"] != TARGET:
        return
    for monitor in resources.listing(connection, MONITOR, place, limit=MOST_MONITORS).items:
        predictor = by_arn(connection, monitor.record["resource_arn"])
        group = by_arn(connection, predictor.parent) if predictor is not None else None
        if monitor.state != ACTIVE or predictor is None or predictor.state != ACTIVE or group is None:
            continue
        if dataset.arn not in group.record["dataset_arns"]:
            continue
        source = {"dataset_import_job_arn": import_job.arn, "predictor_arn": predictor.arn}
        record = {
            "resource_arn": predictor.arn,
            "monitor_arn": monitor.arn,
            "evaluation_time": now,
            "monitor_data_source": source,
        }
        made = add_evaluation(connection, monitor, record, now=now)
        platform.jobs.enqueue(connection, states.KIND, {"place": asdict(place)}, now=now, resource_arn=made.arn)
