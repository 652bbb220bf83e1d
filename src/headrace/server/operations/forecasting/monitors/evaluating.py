"""Evaluations: data that came after a predictor was trained, beside what it would have forecast for them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from headrace.ml.errors import HeadraceError
from headrace.server.clock import stamp
from headrace.server.jobs.handle import Job
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.kinds import ACTIVE
from headrace.server.operations.forecasting.monitors.monitors import FAILURE, SUCCESS
from headrace.server.operations.forecasting.panels import read_data
from headrace.server.operations.forecasting.predictors.making import load
from headrace.server.operations.training.channels import DataError
from headrace.server.resources import Stored, by_arn

if TYPE_CHECKING:
    from headrace.ml.applications.forecasting.panel import Panel
    from headrace.ml.applications.forecasting.predictor import Predictor


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
