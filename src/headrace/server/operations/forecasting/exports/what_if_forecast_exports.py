"""Exports of what-if forecasts: created, described, listed and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

from headrace.server.context import Context
from headrace.server.operations.forecasting import finding, states
from headrace.server.operations.forecasting.describing import describe, summaries
from headrace.server.operations.forecasting.exports.starting import Exporting, start_export
from headrace.server.operations.forecasting.kinds import WHAT_IF_FORECAST, WHAT_IF_FORECAST_EXPORT
from headrace.server.operations.forecasting.listing import ARN, STATUS, Listed, page


def create_what_if_forecast_export(
    context: Context,
    *,
    what_if_forecast_export_name: str,
    what_if_forecast_arns: Sequence[str],
    **asked: Unpack[Exporting],
) -> dict[str, Any]:
    """Write what-if forecasts into S3, one table of all of them. AWS page: CreateWhatIfForecastExport.

    Raises InvalidInput on a role that can't be assumed, AlreadyExists on a name that is taken, InUse (ResourceInUse)
    on what is not ACTIVE yet.
    """
    owner, *_ = [finding.get_active(context, arn, WHAT_IF_FORECAST) for arn in what_if_forecast_arns]
    record = {
        "what_if_forecast_export_name": what_if_forecast_export_name,
        "what_if_forecast_arns": what_if_forecast_arns,
    }
    stored = start_export(context, WHAT_IF_FORECAST_EXPORT, what_if_forecast_export_name, owner, record, asked)
    return {"what_if_forecast_export_arn": stored.arn}


def describe_what_if_forecast_export(context: Context, *, what_if_forecast_export_arn: str) -> dict[str, Any]:
    """Return what is known of an export (AWS page: Amazon Forecast API, DescribeWhatIfForecastExport)."""
    return describe(context, what_if_forecast_export_arn, WHAT_IF_FORECAST_EXPORT, "what_if_forecast_export_arn")


def list_what_if_forecast_exports(context: Context, **listed: Unpack[Listed]) -> dict[str, Any]:
    """Return summaries of exports (AWS page: Amazon Forecast API, ListWhatIfForecastExports)."""
    return page(
        context,
        WHAT_IF_FORECAST_EXPORT,
        "what_if_forecast_exports",
        summaries(
            context,
            "what_if_forecast_export_arn",
            "what_if_forecast_export_name",
            "destination",
            "what_if_forecast_arns",
        ),
        **listed,
        by={"WhatIfForecastExportArn": ARN, **STATUS},
    )


def delete_what_if_forecast_export(context: Context, *, what_if_forecast_export_arn: str) -> None:
    """Forget an export that has ended; its files stay (AWS page: DeleteWhatIfForecastExport)."""
    states.remove(context, finding.get(context, what_if_forecast_export_arn, WHAT_IF_FORECAST_EXPORT))
