"""What-if analyses: created, described, listed and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.forecasting import finding, states
from headrace.server.operations.forecasting.describing import describe, summaries
from headrace.server.operations.forecasting.forecasts.selection import check_selector
from headrace.server.operations.forecasting.kinds import ACTIVE, FORECAST, WHAT_IF_ANALYSIS
from headrace.server.operations.forecasting.listing import ARN, PARENT, STATUS, Listed, page


def create_what_if_analysis(
    context: Context,
    *,
    what_if_analysis_name: str,
    forecast_arn: str,
    time_series_selector: Mapping[str, Any] | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Begin an analysis, which holds what-if forecasts (AWS page: Amazon Forecast API, CreateWhatIfAnalysis).

    Raises InvalidInput on a forecast of a legacy predictor, or one without a related time series.
    """
    forecast = finding.get_active(context, forecast_arn, FORECAST)
    if not forecast.record["_auto"]:
        raise InvalidInput("What-if analyses are only of forecasts of auto predictors; retrain the predictor as such")
    if not forecast.record.get("_related"):
        raise InvalidInput(
            "The forecast was made without a related time series, so that there is nothing to change; import one"
        )
    check_selector(context, time_series_selector)
    record = {
        "what_if_analysis_name": what_if_analysis_name,
        "forecast_arn": forecast.arn,
        "time_series_selector": time_series_selector,
    }
    stored = states.create(context, WHAT_IF_ANALYSIS, what_if_analysis_name, record, parent=forecast.arn, tags=tags)
    stored = states.end(context.connection, stored, ACTIVE, now=context.now)
    return {"what_if_analysis_arn": stored.arn}


def describe_what_if_analysis(context: Context, *, what_if_analysis_arn: str) -> dict[str, Any]:
    """Return what is known of an analysis (AWS page: Amazon Forecast API, DescribeWhatIfAnalysis)."""
    return describe(context, what_if_analysis_arn, WHAT_IF_ANALYSIS, "what_if_analysis_arn")


def list_what_if_analyses(context: Context, **listed: Unpack[Listed]) -> dict[str, Any]:
    """Return summaries of analyses (AWS page: Amazon Forecast API, ListWhatIfAnalyses)."""
    return page(
        context,
        WHAT_IF_ANALYSIS,
        "what_if_analyses",
        summaries(context, "what_if_analysis_arn", "what_if_analysis_name", "forecast_arn"),
        **listed,
        by={"WhatIfAnalysisArn": ARN, "ForecastArn": PARENT, **STATUS},
    )


def delete_what_if_analysis(context: Context, *, what_if_analysis_arn: str) -> None:
    """Delete an analysis (AWS page: DeleteWhatIfAnalysis); raises InUse while it has what-if forecasts."""
    states.remove(context, finding.get(context, what_if_analysis_arn, WHAT_IF_ANALYSIS))
