"""Evaluations: data that came after a predictor was trained, beside what it would have forecast for them."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from headrace.ml.errors import HeadraceError
from headrace.server import resources
from headrace.server.clock import stamp
from headrace.server.context import Platform
from headrace.server.jobs.handle import Job
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.kinds import ACTIVE, MONITOR
from headrace.server.operations.forecasting.monitors.monitors import FAILURE, SUCCESS
from headrace.server.operations.forecasting.monitors.moving import add_evaluation
from headrace.server.operations.forecasting.panels import read_data
from headrace.server.operations.forecasting.predictors.making import load
from headrace.server.operations.forecasting.roles import place_of
from headrace.server.operations.training.channels import DataError
from headrace.server.resources import Stored, by_arn

if TYPE_CHECKING:
    from headrace.ml.applications.forecasting.panel import Panel
    from headrace.ml.applications.forecasting.predictor import Predictor

MOST_MONITORS = 10_000


def begin(connection: Connection, platform: Platform, import_job: Stored, *, now: int) -> None:
    """Begin an evaluation of every monitor whose predictor is trained on the dataset that was just imported into."""
    place = place_of(import_job)
    for monitor in resources.listing(connection, MONITOR, place, limit=MOST_MONITORS).items:
        predictor = by_arn(connection, monitor.record["resource_arn"])
        group = by_arn(connection, predictor.parent) if predictor is not None else None
        if monitor.state != ACTIVE or predictor is None or predictor.state != ACTIVE or group is None:
            continue
        if import_job.parent not in group.record["dataset_arns"]:
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


def make(job: Job, stored: Stored) -> None:
    """Evaluate; what is wrong with the data is the evaluation's own message."""
    members: dict[str, Any]
    try:
        members = {"evaluation_state": SUCCESS, **_measured(job, stored)}
    except (HeadraceError, DataError) as error:
        members = {"evaluation_state": FAILURE, "message": str(error)}
    with job.commit() as connection:
        current = by_arn(connection, stored.arn)
        if current is not None:
            states.end(connection, current, ACTIVE, now=job.platform.clock(), **members)


def _measured(job: Job, stored: Stored) -> dict[str, Any]:
    platform = job.platform
    with platform.metadata.reading() as connection:
        owner = by_arn(connection, stored.record["resource_arn"])
    if owner is None:
        raise DataError(f"The predictor {stored.record['resource_arn']} is not there any more")
    panel = read_data(platform, owner.parent, owner.record["_plan"], job.folder / "data").panel
    new = min(int(panel.ends.max()) - owner.record["_end"], owner.record["_plan"]["horizon"])
    if new < 1:
        raise DataError("The data end where they did when the predictor was trained, so there is nothing to compare")
    return measure(load(platform, owner.arn, job.folder), panel, new)


def measure(predictor: Predictor, panel: Panel, periods: int) -> dict[str, Any]:
    """Return the errors of a predictor in the last periods of a panel, as members of an evaluation."""
    import numpy as np

    from headrace.ml.applications.forecasting import accuracy

    before, last = panel.cut(periods), int(panel.ends.max())
    levels = predictor.options.quantiles
    found = predictor.forecast(before, levels)
    behind = last - panel.ends[:, None] > 0
    actual = np.where(behind, np.nan, panel.last(periods))
    values, mean = found.values[:, :periods], found.mean[:, :periods]
    middle = values[..., levels.index(0.5)] if 0.5 in levels else mean
    season = panel.frequency.season
    scales = np.array([accuracy.seasonal_error(before.series(row), season) for row in range(len(before))])
    metrics = {
        "AverageWeightedQuantileLoss": accuracy.weighted_quantile_loss(actual, values, levels),
        "WAPE": accuracy.wape(actual, middle),
        "RMSE": accuracy.rmse(actual, mean),
        "MAPE": accuracy.mape(actual, middle),
        "MASE": accuracy.mase(actual, middle, scales),
    }
    start, end = panel.frequency.timestamps(np.array([last - periods, last - 1])).tolist()
    return {
        "window_start_datetime": stamp(start),
        "window_end_datetime": stamp(end),
        "metric_results": [
            {"metric_name": name, "metric_value": value} for name, value in metrics.items() if math.isfinite(value)
        ],
        "num_items_evaluated": int((~np.isnan(actual)).any(axis=1).sum()),
    }
