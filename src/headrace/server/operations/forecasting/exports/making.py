"""The work of an export's job: the tables of what is exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from headrace.server.jobs.handle import Job
from headrace.server.operations import artifacts
from headrace.server.operations.forecasting.exports.backtests import backtest_tables
from headrace.server.operations.forecasting.exports.delivering import ROWS, deliver
from headrace.server.operations.forecasting.exports.tables import forecast_tables
from headrace.server.operations.forecasting.kinds import (
    EXPLAINABILITY_EXPORT,
    FORECAST_EXPORT_JOB,
    PREDICTOR_BACKTEST_EXPORT_JOB,
    WHAT_IF_FORECAST_EXPORT,
)
from headrace.server.operations.forecasting.predictors.making import load
from headrace.server.resources import Stored, by_arn

if TYPE_CHECKING:
    import polars as pl

    Tables = Iterator[tuple[str, pl.DataFrame]]

SCORES = "scores.parquet"
WHAT_IF_ID = "whatif_id"


def make(job: Job, stored: Stored) -> None:
    """Export; raises JobFailed where the role may not write."""
    deliver(job, stored, TABLES[stored.kind](job, stored))


def _forecast(job: Job, stored: Stored) -> Tables:
    for table in forecast_tables(job.platform, stored.parent, ROWS):
        yield "", table


def _what_if(job: Job, stored: Stored) -> Tables:
    """Yield what-if forecasts one after the other, told apart by their names."""
    for arn in stored.record["what_if_forecast_arns"]:
        with job.platform.metadata.reading() as connection:
            found = by_arn(connection, arn)
        if found is not None:
            for table in forecast_tables(job.platform, arn, ROWS, **{WHAT_IF_ID: found.name}):
                yield "", table


def _explainability(job: Job, stored: Stored) -> Tables:
    import polars as pl

    yield "", pl.read_parquet(artifacts.fetch(job.platform, stored.parent, SCORES, job.folder / SCORES))


def _backtests(job: Job, stored: Stored) -> Tables:
    with job.platform.metadata.reading() as connection:
        predictor = by_arn(connection, stored.parent)
    if predictor is not None:
        yield from backtest_tables(load(job.platform, stored.parent, job.folder), predictor.record["_plan"]["types"])


TABLES: Mapping[str, Callable[[Job, Stored], Tables]] = {
    FORECAST_EXPORT_JOB.kind: _forecast,
    WHAT_IF_FORECAST_EXPORT.kind: _what_if,
    EXPLAINABILITY_EXPORT.kind: _explainability,
    PREDICTOR_BACKTEST_EXPORT_JOB.kind: _backtests,
}
