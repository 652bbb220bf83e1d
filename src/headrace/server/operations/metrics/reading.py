"""Reads the points of one metric, period by period."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations.metrics.storing import DAY, written
from headrace.server.operations.metrics.summaries import Summary
from headrace.server.stores.metadata.tables.metrics import METRIC_POINTS, METRICS


def check_period(period: int) -> None:
    """Raise InvalidInput unless a period is 1, 5, 10, 20, 30 or a multiple of 60 seconds."""
    if period not in (1, 5, 10, 20, 30) and period % 60:
        raise InvalidInput(
            f"The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60, not {period}.",
            code="InvalidParameterValue",
        )


def rounded(start: int, period: int, now: int) -> int:
    """Return where the first period begins: at a whole period under a minute, else minute, five or sixty by age."""
    step = period if period < 60 else 60 if start >= now - 15 * DAY else 300 if start >= now - 63 * DAY else 3600
    return start // (step * 1000) * step * 1000


def summaries(
    context: Context, metric: Mapping[str, Any], period: int, start: int, end: int, unit: str | None
) -> dict[tuple[int, str], Summary]:
    """Return what each (begin of a period, unit) comes to from `start` up to and without `end` (ms)."""
    number = _number(context, metric)
    found: dict[tuple[int, str], Summary] = {}
    if number is None:
        return found
    points = METRIC_POINTS.c
    where = [points.metric == number, points.time >= start, points.time < end]
    if unit is not None:
        where.append(points.unit == unit)
    for row in context.connection.execute(select(METRIC_POINTS).where(*where)):
        begin = start + (row.time - start) // (period * 1000) * period * 1000
        found.setdefault((begin, row.unit), Summary()).add(row)
    return found


def values(context: Context, metric: Mapping[str, Any]) -> Iterator[tuple[int, float]]:
    """Yield (begin of its period, value) of all known values of a metric, in the order in which they came."""
    points = METRIC_POINTS.c
    chosen = select(points.time, points.distribution).where(points.metric == _number(context, metric))
    for time, distribution in context.connection.execute(chosen.order_by(points.time, points.id)):
        for value, count in json.loads(distribution or "[]"):
            yield from ((time, value) for _ in range(int(count)))


def named(dimensions: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return dimensions by name."""
    return {each["name"]: each.get("value", "") for each in dimensions}


def _number(context: Context, metric: Mapping[str, Any]) -> int | None:
    columns = METRICS.c
    digest = hashlib.sha256(written(named(metric.get("dimensions") or ())).encode()).hexdigest()
    return context.connection.scalar(
        select(columns.id).where(
            columns.account == context.place.account, columns.region == context.place.region,
            columns.namespace == metric["namespace"], columns.name == metric["metric_name"], columns.digest == digest,
        )
    )  # fmt: skip
