"""Stores points of metrics; source: AWS, "PutMetricData"."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from headrace.server.clock import stamp
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, TooLarge
from headrace.server.resources import Place
from headrace.server.stores.metadata.tables.metrics import METRIC_POINTS, METRICS

HOUR, DAY = 3_600_000, 86_400_000
OLDEST, NEWEST = 14 * DAY, 2 * HOUR
LARGEST = 2.0**360
MOST_DATA, MOST_VALUES, MOST_DIMENSIONS = 1_000, 150, 30
LARGEST_REQUEST = 1 << 20


@dataclass(frozen=True)
class Point:
    """What one datum adds to a metric; `distribution` are (value, count), None where only the sums are known."""

    time: int
    period: int
    unit: str
    count: float
    sum: float
    minimum: float
    maximum: float
    distribution: tuple[tuple[float, float], ...] | None


def put_metric_data(
    context: Context,
    *,
    namespace: str,
    metric_data: Sequence[Mapping[str, Any]] | None = None,
    entity_metric_data: Sequence[Mapping[str, Any]] | None = None,
    strict_entity_validation: bool = False,
) -> None:
    """Store values, values with counts, or statistic sets of metrics, which come to be with their first point.

    Raises InvalidInput naming the datum, counted from 1 as AWS does, TooLarge past 1,000 of them.
    """
    del strict_entity_validation
    data = [
        *(metric_data or ()),
        *(each for entity in entity_metric_data or () for each in entity.get("metric_data") or ()),
    ]
    if not data:
        raise InvalidInput(
            "Either MetricData or EntityMetricData must be provided.", code="MissingParameter"
        )  # fmt: skip
    if len(data) > MOST_DATA:
        raise TooLarge(f"{len(data)} data are given, more than the {MOST_DATA} of one request; split them")
    if namespace.startswith("AWS/"):
        raise InvalidInput("The value AWS/ for parameter Namespace is invalid.", code="InvalidParameterValue")
    points = [_point(datum, number, context.now) for number, datum in enumerate(data, 1)]
    for datum, point in zip(data, points, strict=True):
        dimensions = {each["name"]: each["value"] for each in datum.get("dimensions") or ()}
        number = metric_number(
            context.connection, context.place, namespace, datum["metric_name"], dimensions, context.now
        )
        add(context.connection, number, point)


def put_metric(
    connection: Connection,
    place: Place,
    namespace: str,
    name: str,
    value: float,
    dimensions: Mapping[str, str],
    now: int,
    *,
    time: int | None = None,
    unit: str = "None",
) -> None:
    """Store one value of a metric that the platform itself measures."""
    when = (now if time is None else time) // 60_000 * 60_000
    number = metric_number(connection, place, namespace, name, dimensions, now)
    add(connection, number, Point(when, 60, unit, 1.0, value, value, value, ((value, 1.0),)))


def metric_number(
    connection: Connection, place: Place, namespace: str, name: str, dimensions: Mapping[str, str], now: int
) -> int:
    """Return the number of a metric, creating it if need be; its newest point is now."""
    text = written(dimensions)
    digest = hashlib.sha256(text.encode()).hexdigest()
    columns = METRICS.c
    here = (
        columns.account == place.account, columns.region == place.region, columns.namespace == namespace,
        columns.name == name, columns.digest == digest,
    )  # fmt: skip
    row = connection.execute(select(columns.id, columns.newest).where(*here)).one_or_none()
    if row is None:
        values = {
            "account": place.account, "region": place.region, "namespace": namespace, "name": name, "dimensions": text,
            "digest": digest, "newest": now,
        }  # fmt: skip
        made = connection.execute(insert(METRICS).values(values)).inserted_primary_key
        assert made is not None
        return int(made[0])
    if now - row.newest > 60_000:
        connection.execute(update(METRICS).where(columns.id == row.id).values(newest=now))
    return int(row.id)


def add(connection: Connection, metric: int, point: Point, *, merged: bool = False) -> None:
    """Store a point; `merged` tells that it stands for all points alike until then."""
    known = point.distribution
    connection.execute(
        insert(METRIC_POINTS).values(
            metric=metric, time=point.time, period=point.period, unit=point.unit, count=point.count, sum=point.sum,
            minimum=point.minimum, maximum=point.maximum, merged=int(merged),
            distribution=None if known is None else json.dumps(known, separators=(",", ":")),
        )
    )  # fmt: skip


def written(dimensions: Mapping[str, str]) -> str:
    """Return dimensions as they are stored: JSON, ordered by name."""
    return json.dumps(sorted(dimensions.items()), separators=(",", ":"))


def _point(datum: Mapping[str, Any], number: int, now: int) -> Point:
    where = f"MetricData.member.{number}"
    resolution = datum.get("storage_resolution") or 60
    if resolution not in (1, 60):
        raise _invalid(f"The parameter {where}.StorageResolution must be 1 or 60, not {resolution}.")
    _check_dimensions(datum.get("dimensions") or (), where)
    given = datum.get("timestamp")
    time = stamp(given) if isinstance(given, datetime) else now
    if not now - OLDEST <= time <= now + NEWEST:
        raise _invalid(
            f"The parameter {where}.Timestamp must specify a time within the past two weeks or two hours ahead."
        )
    begin = time // (resolution * 1000) * resolution * 1000
    unit = datum.get("unit") or "None"
    ways = [name for name in ("value", "values", "statistic_values") if datum.get(name) is not None]
    if len(ways) != 1:
        raise InvalidInput(
            f"The parameters {where}.Value, {where}.Values and {where}.StatisticValues are mutually exclusive and "
            "you have specified none or more than one.",
            code="InvalidParameterCombination" if ways else "MissingParameter",
        )
    if ways == ["statistic_values"]:
        return _of_set(datum["statistic_values"], begin, resolution, unit, where)
    values = [float(each) for each in (datum["values"] if ways == ["values"] else [datum["value"]])]
    counts = [float(each) for each in datum.get("counts") or [1.0] * len(values)]
    if not values or len(values) > MOST_VALUES or len(values) != len(counts):
        raise _invalid(
            f"{where} has {len(values)} Values and {len(counts)} Counts; give 1 to {MOST_VALUES}, as many of both."
        )
    _check_numbers(values + counts, where)
    pairs = [(value, count) for value, count in zip(values, counts, strict=True) if count > 0]
    if any(count < 0 for count in counts) or not pairs:
        raise _invalid(f"The Counts of {where} must not be negative, and one must be above zero.")
    return Point(
        begin, resolution, unit, sum(count for _, count in pairs), sum(value * count for value, count in pairs),
        min(value for value, _ in pairs), max(value for value, _ in pairs), tuple(pairs),
    )  # fmt: skip


def _of_set(given: Mapping[str, float], begin: int, period: int, unit: str, where: str) -> Point:
    count, total = float(given["sample_count"]), float(given["sum"])
    low, high = float(given["minimum"]), float(given["maximum"])
    _check_numbers([count, total, low, high], where)
    if count <= 0 or low > high:
        raise _invalid(f"{where}.StatisticValues needs a SampleCount above zero and a Minimum not above its Maximum.")
    alike = low == high
    return Point(begin, period, unit, count, total, low, high, ((low, count),) if alike else None)


def _check_dimensions(dimensions: Sequence[Mapping[str, str]], where: str) -> None:
    names = [each["name"] for each in dimensions]
    if len(names) > MOST_DIMENSIONS or len(set(names)) != len(names):
        raise _invalid(f"{where}.Dimensions has {len(names)} names; give {MOST_DIMENSIONS} at most, each once.")
    for each in dimensions:
        if not each["value"].strip() or not each["name"].strip() or each["name"].startswith(":"):
            raise _invalid(f"{where}.Dimensions has a name or value that is blank or begins with a colon.")


def _check_numbers(values: Sequence[float], where: str) -> None:
    bad = next((value for value in values if not math.isfinite(value) or abs(value) > LARGEST), None)
    if bad is not None:
        raise _invalid(f"The value {bad} of {where} is not a number that metrics take; use -2^360 to 2^360.")


def _invalid(message: str) -> InvalidInput:
    return InvalidInput(message, code="InvalidParameterValue")
