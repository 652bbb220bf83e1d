"""The handler of Amazon Forecast's jobs: each makes one resource, in the way of its kind."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.ml.errors import HeadraceError, RunInterrupted
from headrace.server.errors import OperationError
from headrace.server.jobs.handle import Job, entry
from headrace.server.jobs.records import JobFailed, JobStopped
from headrace.server.operations.forecasting.kinds import (
    DATASET_IMPORT_JOB,
    ENDED,
    EXPLAINABILITY,
    EXPLAINABILITY_EXPORT,
    FORECAST,
    FORECAST_EXPORT_JOB,
    MONITOR_EVALUATION,
    PREDICTOR,
    PREDICTOR_BACKTEST_EXPORT_JOB,
    WHAT_IF_FORECAST,
    WHAT_IF_FORECAST_EXPORT,
)
from headrace.server.operations.training.channels import DataError
from headrace.server.operations.training.running import share_processors
from headrace.server.resources import by_arn

_ROOM = "headrace.server.operations.forecasting"

MAKERS: Mapping[str, str] = {
    DATASET_IMPORT_JOB.kind: f"{_ROOM}.imports.importing:make",
    PREDICTOR.kind: f"{_ROOM}.predictors.making:make",
    PREDICTOR_BACKTEST_EXPORT_JOB.kind: f"{_ROOM}.exports.making:make",
    FORECAST.kind: f"{_ROOM}.forecasts.making:make",
    FORECAST_EXPORT_JOB.kind: f"{_ROOM}.exports.making:make",
    EXPLAINABILITY.kind: f"{_ROOM}.explainability.making:make",
    EXPLAINABILITY_EXPORT.kind: f"{_ROOM}.exports.making:make",
    MONITOR_EVALUATION.kind: f"{_ROOM}.monitors.evaluating:make",
    WHAT_IF_FORECAST.kind: f"{_ROOM}.what_if.making:make",
    WHAT_IF_FORECAST_EXPORT.kind: f"{_ROOM}.exports.making:make",
}
"""What makes the resources of a kind: make(job, stored), which ends with job.commit() and states.end(…, ACTIVE)."""


def run(job: Job) -> None:
    """Make the resource of a job; raises JobFailed with the sentence that becomes its Message."""
    with job.platform.metadata.reading() as connection:
        stored = by_arn(connection, job.resource_arn)
    if stored is None or stored.state in ENDED:
        return
    share_processors(job.platform.settings.jobs)
    try:
        entry(MAKERS[stored.kind])(job, stored)
    except RunInterrupted:
        raise JobStopped from None
    except (HeadraceError, DataError) as error:
        raise JobFailed(str(error)) from error
    except OperationError as error:
        if error.status >= 500 or error.status == 409:
            raise
        raise JobFailed(error.message) from error
