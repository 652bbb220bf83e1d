"""GetMetricData: many metrics and expressions of them at once; source: AWS, "GetMetricData"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headrace.server.clock import moment, stamp
from headrace.server.context import Context
from headrace.server.operations.metrics.expressions import Series, parse
from headrace.server.operations.metrics.expressions.grammar import Scope
from headrace.server.operations.metrics.expressions.values import Value, wrong
from headrace.server.operations.metrics.reading import check_period, rounded, summaries
from headrace.server.operations.metrics.summaries import Summary, statistic_of

IDENTIFIER = re.compile(r"[a-z][A-Za-z0-9_]*")
MOST_QUERIES, MOST_POINTS = 500, 100_800
DEEPEST = 30
"""Expressions that may refer to one another in a row."""


@dataclass
class Computation:
    """The queries of one request, computed on demand, each once."""

    context: Context
    queries: Mapping[str, Mapping[str, Any]]
    start: int
    end: int
    values: dict[str, Value] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)

    def value(self, name: str) -> Value:
        """Return the value of a query; raises InvalidInput on an unknown id or one that refers to itself."""
        if name in self.values:
            return self.values[name]
        if name not in self.queries:
            raise wrong(f"Invalid metric or expression id '{name}'; it is none of this request")
        if name in self.open or len(self.open) >= DEEPEST:
            raise wrong(f"The expression '{name}' refers to itself, or is more than {DEEPEST} deep")
        self.open.append(name)
        query = self.queries[name]
        computed = self.series(query) if query.get("metric_stat") else self.computed(query)
        self.open.pop()
        self.values[name] = computed
        return computed

    def series(self, query: Mapping[str, Any]) -> Series:
        """Return the series of a metric."""
        asked = query["metric_stat"]
        period = asked["period"]
        start = rounded(self.start, period, self.context.now)
        found = summaries(self.context, asked["metric"], period, start, self.end, asked.get("unit"))
        statistic = statistic_of(asked["stat"])
        merged: dict[int, list[Summary]] = {}
        for (begin, _), summary in found.items():
            merged.setdefault(begin, []).append(summary)
        points = {begin: statistic(_merged(each)) for begin, each in merged.items()}
        label = query.get("label") or asked["metric"].get("metric_name", "")
        return Series({begin: value for begin, value in points.items() if value is not None}, period, label)

    def computed(self, query: Mapping[str, Any]) -> Value:
        """Return the value of an expression."""
        metrics = [
            (name, value)
            for name, each in self.queries.items()
            if each.get("metric_stat") and isinstance(value := self.value(name), Series)
        ]
        period = query.get("period") or max((series.period for _, series in metrics), default=60)
        start = rounded(self.start, period, self.context.now)
        if (self.end - start) // (period * 1000) > MOST_POINTS:
            raise wrong("The request asks for too many points; shorten its time range or lengthen the period")
        times = range(start, self.end, period * 1000)
        return parse(query["expression"]).compute(Scope(self.value, metrics, times, period))


def get_metric_data(
    context: Context,
    *,
    metric_data_queries: Sequence[Mapping[str, Any]],
    start_time: datetime,
    end_time: datetime,
    next_token: str | None = None,
    scan_by: str = "TimestampDescending",
    max_datapoints: int = MOST_POINTS,
    label_options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return series of metrics and of expressions on them, `max_datapoints` at a time; raises InvalidInput."""
    del label_options
    start, end = stamp(start_time), stamp(end_time)
    if start >= end:
        raise wrong("The parameter EndTime must be greater than StartTime.")
    if not 1 <= max_datapoints <= MOST_POINTS:
        raise wrong(f"The parameter MaxDatapoints must be 1 to {MOST_POINTS}, not {max_datapoints}.")
    queries = _checked(metric_data_queries)
    computation = Computation(context, queries, start, end)
    found = [
        (name, query, series)
        for name, query in queries.items()
        if query.get("return_data", True)
        for series in _shown(name, computation.value(name))
    ]
    question = f"get_metric_data/{start}/{end}/{scan_by}/{','.join(queries)}"
    position = context.position(next_token, of=question)
    skip = int(position[0]) if position else 0
    results, taken = _page(found, skip, max_datapoints, descending=scan_by == "TimestampDescending")
    more = [skip + taken] if skip + taken < sum(len(series.points) for _, _, series in found) else None
    return {"metric_data_results": results, "messages": [], "next_token": context.token(more, of=question)}


def _checked(queries: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    if not 1 <= len(queries) <= MOST_QUERIES:
        raise wrong(f"MetricDataQueries has {len(queries)} members; give 1 to {MOST_QUERIES}")
    found: dict[str, Mapping[str, Any]] = {}
    for query in queries:
        name = query["id"]
        if not IDENTIFIER.fullmatch(name):
            raise wrong(f"The value '{name}' for parameter Id is not valid; use letters, digits, _, lower case first")
        if name in found:
            raise wrong(f"The values for parameter id in MetricDataQueries are not unique ('{name}').")
        if bool(query.get("metric_stat")) == bool(query.get("expression")):
            raise wrong(f"The query '{name}' needs either MetricStat or Expression, one of the two")
        if query.get("metric_stat"):
            _check_metric(name, query["metric_stat"])
        elif query.get("period"):
            check_period(query["period"])
        found[name] = query
    return found


def _check_metric(name: str, asked: Mapping[str, Any]) -> None:
    check_period(asked["period"])
    statistic_of(asked["stat"])
    if not asked["metric"].get("namespace") or not asked["metric"].get("metric_name"):
        raise wrong(f"The metric of the query '{name}' needs Namespace and MetricName")


def _shown(name: str, value: Value) -> list[Series]:
    if isinstance(value, float):
        raise wrong(f"The expression '{name}' comes to a number; expressions that return data must come to series")
    return value if isinstance(value, list) else [value]


def _page(
    found: Sequence[tuple[str, Mapping[str, Any], Series]], skip: int, most: int, *, descending: bool
) -> tuple[list[dict[str, Any]], int]:
    results = []
    taken = 0
    for name, query, series in found:
        times = sorted(series.points, reverse=descending)
        here = times[skip : skip + most - taken]
        left = len(times) - skip - len(here)
        if here or (not times and skip == 0):
            results.append(
                {
                    "id": name,
                    "label": query.get("label") or series.label or name,
                    "timestamps": [moment(time) for time in here],
                    "values": [series.points[time] for time in here],
                    "status_code": "PartialData" if left > 0 else "Complete",
                }
            )
        skip = max(0, skip - len(times))
        taken += len(here)
    return results, taken


def _merged(summaries_of_units: Sequence[Summary]) -> Summary:
    if len(summaries_of_units) == 1:
        return summaries_of_units[0]
    whole = Summary()
    for each in summaries_of_units:
        whole.join(each)
    return whole
