"""Merges points as they age, and removes the oldest; source: AWS, "Metrics retention".

Points of a second stay for three hours, of a minute for fifteen days, of five minutes for 63 days, of an hour for 455.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, delete, exists, select

from headrace.server.context import Platform
from headrace.server.operations.metrics.storing import DAY, HOUR, Point, add
from headrace.server.operations.metrics.summaries import Summary
from headrace.server.stores.metadata.tables.metrics import METRIC_POINTS, METRICS


@dataclass(frozen=True)
class Rule:
    """Points of a period (seconds) past an age (milliseconds) become one of a period that is as long or longer."""

    period: int
    age: int
    longer: int


RULES = (Rule(1, 3 * HOUR, 60), Rule(60, 3 * HOUR, 60), Rule(60, 15 * DAY, 300), Rule(300, 63 * DAY, 3600))
"""The second one merges points of the same minute, which came in one by one."""
KEPT = 455 * DAY
SWEPT_AT_ONCE = 10_000
MOST_VALUES = 1_000
"""Different values that a merged point keeps exactly; past it they are rounded to three digits."""


def sweep(platform: Platform, now: int) -> int:
    """Merge and remove what is due; return how many points were looked at. To be called every hour or so."""
    taken = sum(_repeat(platform, partial(_merge, rule=rule, now=now)) for rule in RULES)
    return taken + _repeat(platform, partial(_remove, before=now - KEPT))


def _repeat(platform: Platform, step: Callable[[Connection], int]) -> int:
    taken = 0
    while True:
        with platform.metadata.writing() as connection:
            part = step(connection)
        taken += part
        if part < SWEPT_AT_ONCE:
            return taken


def _merge(connection: Connection, rule: Rule, now: int) -> int:
    columns = METRIC_POINTS.c
    where = [columns.period == rule.period, columns.time < (now - rule.age) // 3_600_000 * 3_600_000]
    if rule.longer == rule.period:
        where.append(columns.merged == 0)
    query = select(METRIC_POINTS).where(*where).order_by(columns.time).limit(SWEPT_AT_ONCE)
    rows = connection.execute(query).all()
    merged: dict[tuple[int, int, str], Summary] = {}
    for row in rows:
        begin = row.time // (rule.longer * 1000) * rule.longer * 1000
        merged.setdefault((row.metric, begin, row.unit), Summary()).add(row)
    _forget(connection, [row.id for row in rows])
    for (metric, begin, unit), summary in merged.items():
        add(connection, metric, _point(begin, rule.longer, unit, summary), merged=True)
    return len(rows)


def _point(begin: int, period: int, unit: str, summary: Summary) -> Point:
    distribution = summary.distribution
    if len(distribution) > MOST_VALUES:
        rounded: dict[float, float] = {}
        for value, count in distribution.items():
            near = float(f"{value:.3g}")
            rounded[near] = rounded.get(near, 0.0) + count
        distribution = rounded
    known = tuple(sorted(distribution.items())) if summary.known and len(distribution) <= 2 * MOST_VALUES else None
    return Point(begin, period, unit, summary.count, summary.sum, summary.minimum, summary.maximum, known)


def _remove(connection: Connection, before: int) -> int:
    columns = METRIC_POINTS.c
    query = select(columns.id).where(columns.period == 3600, columns.time < before).limit(SWEPT_AT_ONCE)
    numbers = list(connection.scalars(query))
    _forget(connection, numbers)
    if len(numbers) < SWEPT_AT_ONCE:
        left = exists().where(columns.metric == METRICS.c.id)
        connection.execute(delete(METRICS).where(METRICS.c.newest < before, ~left))
    return len(numbers)


def _forget(connection: Connection, numbers: Sequence[int]) -> None:
    for start in range(0, len(numbers), 500):
        part = numbers[start : start + 500]
        connection.execute(delete(METRIC_POINTS).where(METRIC_POINTS.c.id.in_(part)))
