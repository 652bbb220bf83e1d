"""Metrics that programs log for trial components: stored value by value, summed up, read as series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from headrace.server import resources
from headrace.server.clock import stamp
from headrace.server.context import Context
from headrace.server.operations.lineage.kinds import COMPONENT, component_named
from headrace.server.operations.lineage.measures import Measure
from headrace.server.operations.metrics import reading
from headrace.server.operations.metrics.storing import LARGEST, NEWEST, OLDEST
from headrace.server.operations.training.metrics import DIMENSION, NAMESPACE
from headrace.server.operations.training.statuses import TRAINING_JOB
from headrace.server.resources import Stored, by_arn
from headrace.server.stores.metadata.tables.trial_metrics import TRIAL_METRICS

MOST_METRICS = 300
"""Metrics of a trial component."""
MOST_POINTS = 10_000
"""Points of one answered series."""
LARGEST_STEP = 2**31 - 1
PERIODS = {"OneMinute": 60_000, "FiveMinute": 300_000, "OneHour": 3_600_000}


def batch_put_metrics(
    context: Context, *, trial_component_name: str, metric_data: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Store values of metrics of a trial component; those that can't be have an error each. AWS page: BatchPutMetrics.

    A value is -2^360 to 2^360, and its time within the past two weeks or two hours ahead.
    """
    component = component_named(context, trial_component_name)
    summaries: dict[str, Any] = dict(component.record.get("metrics", {}))
    errors, rows = [], []
    for index, datum in enumerate(metric_data):
        name, value, step = datum["metric_name"], float(datum["value"]), datum.get("step")
        time = stamp(datum["timestamp"]) if isinstance(datum["timestamp"], datetime) else context.now
        current = context.now - OLDEST <= time <= context.now + NEWEST
        if not (abs(value) <= LARGEST and current and (step or 0) <= LARGEST_STEP):
            errors.append({"code": "VALIDATION_ERROR", "metric_index": index})
            continue
        if name not in summaries and len(summaries) >= MOST_METRICS:
            errors.append({"code": "METRIC_LIMIT_EXCEEDED", "metric_index": index})
            continue
        measure = Measure.of_summary(summaries.get(name))
        measure.add(value, time)
        summaries[name] = {"metric_name": name, "source_arn": component.arn, **measure.summary()}
        rows.append({"component": component.arn, "name": name, "time": time, "step": step, "value": value})
    if rows:
        context.connection.execute(insert(TRIAL_METRICS), rows)
        record = {**component.record, "metrics": summaries}
        resources.change(context.connection, COMPONENT, component, now=context.now, record=record)
    return {"errors": errors} if errors else {}


def batch_get_metrics(context: Context, *, metric_queries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a series for each query, or why there is none. AWS page: BatchGetMetrics.

    The x axis has steps, or times in milliseconds since 1970, each the begin of a period; Start and End likewise. The
    values of a training job are counted as its steps.
    """
    return {"metric_query_results": [_series(context, query) for query in metric_queries]}


def forget_measurements(context: Context, component: Stored) -> None:
    """Delete what was logged for a component."""
    context.connection.execute(delete(TRIAL_METRICS).where(TRIAL_METRICS.c.component == component.arn))


def _series(context: Context, query: Mapping[str, Any]) -> dict[str, Any]:
    by_step = query["x_axis_type"] == "IterationNumber"
    if by_step != (query["period"] == "IterationNumber"):
        message = f"Period {query['period']} doesn't go with XAxisType {query['x_axis_type']}; choose one of its kind"
        return _refused(message)
    stored = by_arn(context.connection, query["resource_arn"].lower())
    if stored is None:
        return _refused(f"The resource {query['resource_arn']} does not exist; correct its ARN")
    start, end = query.get("start"), query.get("end")
    size = PERIODS.get(query["period"], 1)
    points: dict[int, Measure] = {}
    for step, time, value in _values(context, stored, query["metric_name"]):
        at = step if by_step else time
        if at is not None and (start is None or at >= start) and (end is None or at <= end):
            points.setdefault(at // size * size, Measure()).add(value, time)
    begins = sorted(points)[:MOST_POINTS]
    return {
        "status": "Complete" if len(begins) == len(points) else "Truncated",
        "x_axis_values": begins,
        "metric_values": [points[begin].statistic(query["metric_stat"]) for begin in begins],
    }


def _values(context: Context, stored: Stored, name: str) -> Iterator[tuple[int | None, int, float]]:
    """Yield (step, time, value) of a metric of a component, or of a training job, whose log has no other steps."""
    if stored.kind == TRAINING_JOB.kind:
        metric = {
            "namespace": NAMESPACE,
            "metric_name": name,
            "dimensions": [{"name": DIMENSION, "value": stored.name}],
        }
        yield from ((step, time, value) for step, (time, value) in enumerate(reading.values(context, metric)))
        return
    columns = TRIAL_METRICS.c
    chosen = select(columns.step, columns.time, columns.value)
    chosen = chosen.where(columns.component == stored.arn, columns.name == name).order_by(columns.id)
    yield from (tuple(row) for row in context.connection.execute(chosen))


def _refused(message: str) -> dict[str, Any]:
    return {"status": "ValidationError", "message": message, "x_axis_values": [], "metric_values": []}
