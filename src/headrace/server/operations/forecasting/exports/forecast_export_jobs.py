"""Exports of forecasts: created, described, listed and deleted."""

from __future__ import annotations

from typing import Any, Unpack

from headrace.server.context import Context
from headrace.server.operations.forecasting import finding, states
from headrace.server.operations.forecasting.describing import describe, summaries
from headrace.server.operations.forecasting.exports.starting import Exporting, start_export
from headrace.server.operations.forecasting.kinds import FORECAST, FORECAST_EXPORT_JOB
from headrace.server.operations.forecasting.listing import PARENT, STATUS, Listed, page


def create_forecast_export_job(
    context: Context,
    *,
    forecast_export_job_name: str,
    forecast_arn: str,
    **asked: Unpack[Exporting],
) -> dict[str, Any]:
    """Write a forecast into S3. AWS page: CreateForecastExportJob.

    Raises InvalidInput on a role that can't be assumed, AlreadyExists on a name that is taken, InUse (ResourceInUse)
    on what is not ACTIVE yet.
    """
    owner = finding.get_active(context, forecast_arn, FORECAST)
    record = {"forecast_export_job_name": forecast_export_job_name, "forecast_arn": forecast_arn}
    stored = start_export(context, FORECAST_EXPORT_JOB, forecast_export_job_name, owner, record, asked)
    return {"forecast_export_job_arn": stored.arn}


def describe_forecast_export_job(context: Context, *, forecast_export_job_arn: str) -> dict[str, Any]:
    """Return what is known of an export (AWS page: Amazon Forecast API, DescribeForecastExportJob)."""
    return describe(context, forecast_export_job_arn, FORECAST_EXPORT_JOB, "forecast_export_job_arn", timed=False)


def list_forecast_export_jobs(context: Context, **listed: Unpack[Listed]) -> dict[str, Any]:
    """Return summaries of exports (AWS page: Amazon Forecast API, ListForecastExportJobs)."""
    return page(
        context,
        FORECAST_EXPORT_JOB,
        "forecast_export_jobs",
        summaries(context, "forecast_export_job_arn", "forecast_export_job_name", "destination"),
        **listed,
        by={"ForecastArn": PARENT, **STATUS},
    )


def delete_forecast_export_job(context: Context, *, forecast_export_job_arn: str) -> None:
    """Forget an export that has ended; its files stay (AWS page: DeleteForecastExportJob)."""
    states.remove(context, finding.get(context, forecast_export_job_arn, FORECAST_EXPORT_JOB))
