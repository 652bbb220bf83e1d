"""GetMetricStatistics and ListMetrics."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from headrace.server.clock import moment, stamp
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.metrics.reading import check_period, rounded, summaries
from headrace.server.operations.metrics.storing import DAY, HOUR
from headrace.server.operations.metrics.summaries import SIMPLE, statistic_of
from headrace.server.stores.metadata.tables.metrics import METRICS

MOST_POINTS = 1_440
PAGE = 500


def get_metric_statistics(
    context: Context,
    *,
    namespace: str,
    metric_name: str,
    start_time: datetime,
    end_time: datetime,
    period: int,
    dimensions: Sequence[Mapping[str, str]] | None = None,
    statistics: Sequence[str] | None = None,
    extended_statistics: Sequence[str] | None = None,
    unit: str | None = None,
) -> dict[str, Any]:
    """Return the statistics of a metric for each period that has points, and for each unit of its own.

    Raises InvalidInput on a period or time range that makes no sense, or would make more than 1,440 points.
    """
    check_period(period)
    start, end = rounded(stamp(start_time), period, context.now), stamp(end_time)
    if stamp(start_time) >= end:
        raise InvalidInput(
            "The parameter StartTime must be less than the parameter EndTime.", code="InvalidParameterCombination"
        )
    if not statistics and not extended_statistics:
        raise InvalidInput("Must specify either Statistics or ExtendedStatistics", code="InvalidParameterCombination")
    asked = -(-(end - start) // (period * 1000))
    if asked > MOST_POINTS:
        raise InvalidInput(
            f"You have requested up to {asked} datapoints, which exceeds the limit of 1,440. You may reduce the "
            "datapoints requested by increasing Period, or decreasing the time range.",
            code="InvalidParameterCombination",
        )
    further = {name: statistic_of(name) for name in extended_statistics or ()}
    metric = {"namespace": namespace, "metric_name": metric_name, "dimensions": dimensions}
    found = summaries(context, metric, period, start, end, unit)
    datapoints = []
    for (begin, unit_of), summary in sorted(found.items(), key=lambda item: item[0]):
        point: dict[str, Any] = {"timestamp": moment(begin), "unit": unit_of}
        point |= {_member(name): SIMPLE[name](summary) for name in statistics or ()}
        values = {name: value for name, each in further.items() if (value := each(summary)) is not None}
        datapoints.append(point | ({"extended_statistics": values} if values else {}))
    return {"label": metric_name, "datapoints": datapoints}


def list_metrics(
    context: Context,
    *,
    namespace: str | None = None,
    metric_name: str | None = None,
    dimensions: Sequence[Mapping[str, str]] | None = None,
    next_token: str | None = None,
    recently_active: str | None = None,
    include_linked_accounts: bool = False,
    owning_account: str | None = None,
) -> dict[str, Any]:
    """List the metrics that had points in the last two weeks, or three hours, up to 500 at a time."""
    del include_linked_accounts
    columns = METRICS.c
    since = context.now - (3 * HOUR if recently_active else 14 * DAY)
    where = [columns.account == context.place.account, columns.region == context.place.region, columns.newest >= since]
    if owning_account not in (None, context.place.account):
        return {"metrics": []}
    if namespace is not None:
        where.append(columns.namespace == namespace)
    if metric_name is not None:
        where.append(columns.name == metric_name)
    for each in dimensions or ():
        part = json.dumps([each["name"], each.get("value", "")], separators=(",", ":"))
        sought = part if each.get("value") else part.removesuffix('""]')
        where.append(columns.dimensions.contains(sought, autoescape=True))
    question = "list_metrics/" + json.dumps([namespace, metric_name, list(dimensions or ())], default=str)
    position = context.position(next_token, of=question)
    if position:
        where.append(columns.id > position[0])
    rows = context.connection.execute(select(METRICS).where(*where).order_by(columns.id).limit(PAGE + 1)).all()
    more = [rows[PAGE - 1].id] if len(rows) > PAGE else None
    metrics = [
        {
            "namespace": row.namespace,
            "metric_name": row.name,
            "dimensions": [{"name": name, "value": value} for name, value in json.loads(row.dimensions)],
        }
        for row in rows[:PAGE]
    ]
    return {"metrics": metrics, "next_token": context.token(more, of=question)}


def _member(statistic: str) -> str:
    return "sample_count" if statistic == "SampleCount" else statistic.lower()
