"""How points of metrics age."""

from types import SimpleNamespace
from typing import Any, cast

from headrace.server.context import Platform
from headrace.server.operations.metrics import retention
from headrace.server.operations.metrics.storing import metric_number, put_metric
from headrace.server.resources import Place
from headrace.server.stores.metadata import MetadataStore

PLACE = Place("123456789012", "eu-west-1")
HOUR, DAY = 3_600_000, 86_400_000
NOON = 1_700_000_000_000 // DAY * DAY + 12 * HOUR


def platform(metadata: MetadataStore) -> Platform:
    return cast(Platform, SimpleNamespace(metadata=metadata))


def points(metadata: MetadataStore) -> list[Any]:
    with metadata.reading() as connection:
        query = "SELECT time, period, count, sum, minimum, maximum, distribution FROM metric_points ORDER BY time"
        return list(connection.exec_driver_sql(query))


def fill(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        for number in range(120):
            value = float(number % 10)
            put_metric(connection, PLACE, "N", "m", value, {"a": "b"}, NOON, time=NOON + number * 30_000)


def test_points_are_merged_as_they_age_and_sums_stay(metadata: MetadataStore) -> None:
    fill(metadata)
    whole = platform(metadata)
    for age, period, left in ((HOUR, 60, 120), (5 * HOUR, 60, 60), (16 * DAY, 300, 12), (64 * DAY, 3600, 1)):
        retention.sweep(whole, NOON + age)
        found = points(metadata)
        assert {row.period for row in found} == {period}, age
        assert len(found) == left
        assert sum(row.count for row in found) == 120
        assert sum(row.sum for row in found) == 540.0
        assert (min(row.minimum for row in found), max(row.maximum for row in found)) == (0.0, 9.0)
        assert all(row.distribution for row in found), "percentiles stay possible"
    retention.sweep(whole, NOON + 456 * DAY)
    assert points(metadata) == []
    with metadata.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM metrics").scalar_one() == 0


def test_a_sweep_twice_changes_nothing(metadata: MetadataStore) -> None:
    fill(metadata)
    retention.sweep(platform(metadata), NOON + 5 * HOUR)
    before = points(metadata)
    retention.sweep(platform(metadata), NOON + 5 * HOUR)
    assert points(metadata) == before


def test_the_same_dimensions_are_the_same_metric(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        first = metric_number(connection, PLACE, "N", "m", {"a": "1", "b": "2"}, NOON)
        assert metric_number(connection, PLACE, "N", "m", {"b": "2", "a": "1"}, NOON) == first
        assert metric_number(connection, PLACE, "N", "m", {"a": "1"}, NOON) != first
