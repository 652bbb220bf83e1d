"""Forecasts: created, described, listed and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from headrace.server.context import Context
from headrace.server.operations.forecasting import finding, states
from headrace.server.operations.forecasting.describing import describe, summaries
from headrace.server.operations.forecasting.forecasts.selection import check_selector
from headrace.server.operations.forecasting.kinds import FORECAST, PREDICTOR
from headrace.server.operations.forecasting.listing import PARENT, STATUS, Listed, page
from headrace.server.operations.forecasting.predictors.requests import forecast_types
from headrace.server.resources import Stored, member


def create_forecast(
    context: Context,
    *,
    forecast_name: str,
    predictor_arn: str,
    tags: Sequence[Mapping[str, str]] = (),
    **request: Any,
) -> dict[str, Any]:
    """Forecast every item, or those selected (AWS page: Amazon Forecast API, CreateForecast).

    Raises InvalidInput, AlreadyExists on a name that is taken, InUse (ResourceInUse) while the predictor is trained.
    """
    predictor = finding.get_active(context, predictor_arn, PREDICTOR)
    selector = request.get("time_series_selector")
    check_selector(context, selector)
    record = {
        "forecast_name": forecast_name,
        "predictor_arn": predictor.arn,
        "dataset_group_arn": predictor.parent,
        "forecast_types": forecast_types(request.get("forecast_types"), predictor.record["forecast_types"]),
        "time_series_selector": selector,
        "_auto": predictor.record["_auto"],
    }
    stored = states.create(context, FORECAST, forecast_name, record, parent=predictor.arn, tags=tags)
    states.start(context, stored)
    return {"forecast_arn": stored.arn}


def describe_forecast(context: Context, *, forecast_arn: str) -> dict[str, Any]:
    """Return what is known of a forecast (AWS page: Amazon Forecast API, DescribeForecast)."""
    return describe(context, forecast_arn, FORECAST, "forecast_arn")


def list_forecasts(context: Context, **listed: Unpack[Listed]) -> dict[str, Any]:
    """Return summaries of forecasts (AWS page: Amazon Forecast API, ListForecasts)."""
    common = summaries(context, "forecast_arn", "forecast_name", "predictor_arn", "dataset_group_arn")

    def summary(stored: Stored) -> dict[str, Any]:
        return {**common(stored), "created_using_auto_predictor": stored.record["_auto"]}

    by = {"DatasetGroupArn": member("dataset_group_arn"), "PredictorArn": PARENT, **STATUS}
    return page(context, FORECAST, "forecasts", summary, by=by, **listed)


def delete_forecast(context: Context, *, forecast_arn: str) -> None:
    """Delete a forecast, which can't be queried any more (AWS page: Amazon Forecast API, DeleteForecast).

    Raises InUse (ResourceInUse) while it is made, or has exports or analyses.
    """
    states.remove(context, finding.get(context, forecast_arn, FORECAST))
