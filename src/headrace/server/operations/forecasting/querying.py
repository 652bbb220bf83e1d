"""Forecasts asked for one item: the two operations of Amazon Forecast Query."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import InvalidInput, NotFound
from headrace.server.operations.forecasting import finding
from headrace.server.operations.forecasting.forecasts import keeping
from headrace.server.operations.forecasting.forecasts.keeping import Index
from headrace.server.operations.forecasting.kinds import FORECAST, WHAT_IF_FORECAST
from headrace.server.resources import Resource


def query_forecast(
    context: Context,
    *,
    forecast_arn: str,
    filters: Mapping[str, str],
    start_date: str | None = None,
    end_date: str | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """Return a forecast of one item (AWS page: Amazon Forecast API, QueryForecast).

    Raises InvalidInput, NotFound on an item that was not forecast, InUse (ResourceInUse) on a forecast in the making.
    """
    return _answer(context, forecast_arn, FORECAST, filters, start_date, end_date, next_token)


def query_what_if_forecast(
    context: Context,
    *,
    what_if_forecast_arn: str,
    filters: Mapping[str, str],
    start_date: str | None = None,
    end_date: str | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """Return a what-if forecast of one item (AWS page: Amazon Forecast API, QueryWhatIfForecast)."""
    return _answer(context, what_if_forecast_arn, WHAT_IF_FORECAST, filters, start_date, end_date, next_token)


def _answer(
    context: Context,
    arn: str,
    kind: Resource,
    filters: Mapping[str, str],
    start: str | None,
    end: str | None,
    token: str | None,
) -> dict[str, Any]:
    if token:
        raise InvalidInput(
            "This answer is never cut off, so there is no token for its rest; leave NextToken out",
            code="InvalidNextTokenException",
        )
    first, last = _moment(start, "StartDate"), _moment(end, "EndDate")
    if first and last and first > last:
        raise InvalidInput(f"StartDate {start} is after EndDate {end}; exchange them")
    stored = finding.get_active(context, arn, kind)
    index = keeping.index_of(context.connection, context.platform, stored.arn)
    row = _row(index, filters)
    times = index.times(row)
    shown = [at for at, time in enumerate(times) if (not first or time >= first) and (not last or time <= last)]
    if not shown:
        raise InvalidInput(
            f"There is no forecast from {start or times[0]} to {end or times[-1]}; it goes from {times[0]} to "
            f"{times[-1]}"
        )
    values = keeping.values_of(context.connection, context.platform, stored.arn, index, row)[0].tolist()
    predictions = {
        name: [{"timestamp": times[at], "value": series[at]} for at in shown if math.isfinite(series[at])]
        for name, series in zip(index.types, values, strict=True)
    }
    return {"forecast": {"predictions": predictions}}


def _row(index: Index, filters: Mapping[str, str]) -> int:
    unknown = next((name for name in filters if name not in index.dimensions), None)
    if unknown is not None:
        raise InvalidInput(f"The filter '{unknown}' is none of {', '.join(index.dimensions)}; filter by these")
    missing = next((name for name in index.dimensions if name not in filters), None)
    if missing is not None:
        raise InvalidInput(f"The filters name no '{missing}', and one item is that of {', '.join(index.dimensions)}")
    row = index.rows.get(tuple(filters[name] for name in index.dimensions))
    if row is None:
        said = ", ".join(f"{name} '{value}'" for name, value in filters.items())
        raise NotFound(f"The forecast has no item with {said}", status=400)
    return row


def _moment(text: str | None, name: str) -> str:
    """Return a date and time as index.times writes them, "" where none is given."""
    if not text:
        return ""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").isoformat()
    except ValueError:
        raise InvalidInput(f"{name} {text!r} is no date; write it as 2015-01-01T08:00:00") from None
