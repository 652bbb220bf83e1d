"""What-if forecasts: created, described, listed and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.forecasting import finding, states
from headrace.server.operations.forecasting.describing import describe, summaries
from headrace.server.operations.forecasting.kinds import FORECAST, WHAT_IF_ANALYSIS, WHAT_IF_FORECAST
from headrace.server.operations.forecasting.listing import ARN, PARENT, STATUS, Listed, page
from headrace.server.operations.forecasting.roles import check_place

Members = Mapping[str, Any]


def create_what_if_forecast(
    context: Context,
    *,
    what_if_forecast_name: str,
    what_if_analysis_arn: str,
    time_series_transformations: Sequence[Members] | None = None,
    time_series_replacements_data_source: Members | None = None,
    tags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Forecast as if related time series were others (AWS page: Amazon Forecast API, CreateWhatIfForecast).

    Raises InvalidInput unless there is either a list of transformations or a replacement, and on what is not related.
    """
    analysis = finding.get_active(context, what_if_analysis_arn, WHAT_IF_ANALYSIS)
    forecast = finding.get(context, analysis.parent, FORECAST)
    replaced = time_series_replacements_data_source
    if bool(time_series_transformations) == bool(replaced):
        raise InvalidInput("Give either TimeSeriesTransformations or a TimeSeriesReplacementsDataSource, one of them")
    if replaced:
        check_place(context, replaced)
    _check_transformations(time_series_transformations or (), forecast.record["_related"])
    record = {
        "what_if_forecast_name": what_if_forecast_name,
        "what_if_analysis_arn": analysis.arn,
        "time_series_transformations": time_series_transformations or None,
        "time_series_replacements_data_source": replaced,
        "forecast_types": forecast.record["forecast_types"],
    }
    stored = states.create(
        context,
        WHAT_IF_FORECAST,
        what_if_forecast_name,
        record,
        identifier=f"{analysis.name}/{what_if_forecast_name}",
        parent=analysis.arn,
        tags=tags,
    )
    states.start(context, stored)
    return {"what_if_forecast_arn": stored.arn}


def describe_what_if_forecast(context: Context, *, what_if_forecast_arn: str) -> dict[str, Any]:
    """Return what is known of a what-if forecast (AWS page: Amazon Forecast API, DescribeWhatIfForecast)."""
    return describe(context, what_if_forecast_arn, WHAT_IF_FORECAST, "what_if_forecast_arn")


def list_what_if_forecasts(context: Context, **listed: Unpack[Listed]) -> dict[str, Any]:
    """Return summaries of what-if forecasts (AWS page: Amazon Forecast API, ListWhatIfForecasts)."""
    return page(
        context,
        WHAT_IF_FORECAST,
        "what_if_forecasts",
        summaries(context, "what_if_forecast_arn", "what_if_forecast_name", "what_if_analysis_arn"),
        **listed,
        by={"WhatIfForecastArn": ARN, "WhatIfAnalysisArn": PARENT, **STATUS},
    )


def delete_what_if_forecast(context: Context, *, what_if_forecast_arn: str) -> None:
    """Delete a what-if forecast (AWS page: DeleteWhatIfForecast); raises InUse while it is made or has exports."""
    states.remove(context, finding.get(context, what_if_forecast_arn, WHAT_IF_FORECAST))


def _check_transformations(transformations: Sequence[Members], related: Sequence[str]) -> None:
    known = {name.lower() for name in related}
    for each in transformations:
        action = each.get("action")
        if not action:
            raise InvalidInput("A transformation needs an Action: an attribute, an operation and a value")
        if action["attribute_name"].lower() not in known:
            raise InvalidInput(
                f"'{action['attribute_name']}' is no attribute of the related time series; use one of "
                f"{', '.join(related)}"
            )
        if action["operation"] == "DIVIDE" and action["value"] == 0:
            raise InvalidInput(f"'{action['attribute_name']}' can't be divided by 0; give another Value")
