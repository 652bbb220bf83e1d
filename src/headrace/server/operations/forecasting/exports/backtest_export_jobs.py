"""Exports of predictors' backtests: created, described, listed and deleted."""

from __future__ import annotations

from typing import Any, Unpack

from headrace.server.context import Context
from headrace.server.operations.forecasting import finding, states
from headrace.server.operations.forecasting.describing import describe, summaries
from headrace.server.operations.forecasting.exports.starting import Exporting, start_export
from headrace.server.operations.forecasting.kinds import PREDICTOR, PREDICTOR_BACKTEST_EXPORT_JOB
from headrace.server.operations.forecasting.listing import PARENT, STATUS, Listed, page


def create_predictor_backtest_export_job(
    context: Context,
    *,
    predictor_backtest_export_job_name: str,
    predictor_arn: str,
    **asked: Unpack[Exporting],
) -> dict[str, Any]:
    """Write backtests into S3, with the errors. AWS page: CreatePredictorBacktestExportJob.

    Raises InvalidInput on a role that can't be assumed, AlreadyExists on a name that is taken, InUse (ResourceInUse)
    on what is not ACTIVE yet.
    """
    owner = finding.get_active(context, predictor_arn, PREDICTOR)
    record = {"predictor_backtest_export_job_name": predictor_backtest_export_job_name, "predictor_arn": predictor_arn}
    stored = start_export(
        context, PREDICTOR_BACKTEST_EXPORT_JOB, predictor_backtest_export_job_name, owner, record, asked
    )
    return {"predictor_backtest_export_job_arn": stored.arn}


def describe_predictor_backtest_export_job(
    context: Context, *, predictor_backtest_export_job_arn: str
) -> dict[str, Any]:
    """Return what is known of an export (AWS page: Amazon Forecast API, DescribePredictorBacktestExportJob)."""
    return describe(
        context,
        predictor_backtest_export_job_arn,
        PREDICTOR_BACKTEST_EXPORT_JOB,
        "predictor_backtest_export_job_arn",
        timed=False,
    )


def list_predictor_backtest_export_jobs(context: Context, **listed: Unpack[Listed]) -> dict[str, Any]:
    """Return summaries of exports (AWS page: Amazon Forecast API, ListPredictorBacktestExportJobs)."""
    return page(
        context,
        PREDICTOR_BACKTEST_EXPORT_JOB,
        "predictor_backtest_export_jobs",
        summaries(context, "predictor_backtest_export_job_arn", "predictor_backtest_export_job_name", "destination"),
        **listed,
        by={"PredictorArn": PARENT, **STATUS},
    )


def delete_predictor_backtest_export_job(context: Context, *, predictor_backtest_export_job_arn: str) -> None:
    """Forget an export that has ended; its files stay (AWS page: DeletePredictorBacktestExportJob)."""
    states.remove(context, finding.get(context, predictor_backtest_export_job_arn, PREDICTOR_BACKTEST_EXPORT_JOB))
