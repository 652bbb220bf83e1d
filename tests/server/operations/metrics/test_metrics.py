"""CloudWatch metrics through boto3, in each protocol that its clients speak."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=30)


@pytest.fixture
def metrics(client: Any) -> Any:
    return client("cloudwatch")


@pytest.fixture
def namespace() -> str:
    return f"Tests/{uuid4().hex}"


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


def put(metrics: Any, namespace: str, name: str, *values: float, **options: Any) -> None:
    data = [
        {"MetricName": name, "Timestamp": minute(number), "Value": value} | options
        for number, value in enumerate(values)
    ]
    metrics.put_metric_data(Namespace=namespace, MetricData=data)


def statistics(metrics: Any, namespace: str, name: str, period: int = 60, **options: Any) -> list[dict[str, Any]]:
    answer = metrics.get_metric_statistics(
        Namespace=namespace, MetricName=name, StartTime=START, EndTime=minute(40), Period=period, **options
    )
    return sorted(answer["Datapoints"], key=lambda each: each["Timestamp"])


def query(namespace: str, name: str, identifier: str, stat: str = "Sum", **options: Any) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": name}
    return {"Id": identifier, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}} | options


def data(metrics: Any, *queries: dict[str, Any], **options: Any) -> dict[str, Any]:
    given = {"StartTime": START, "EndTime": minute(10), "ScanBy": "TimestampAscending"} | options
    answer: dict[str, Any] = metrics.get_metric_data(MetricDataQueries=list(queries), **given)
    return answer


def code_of(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    code: str = caught.value.response["Error"]["Code"]
    return code


def test_values_sets_and_counts_come_to_the_same_statistics(metrics: Any, namespace: str) -> None:
    put(metrics, namespace, "plain", 1.0, 5.0, 5.0, Timestamp=minute(0))
    given = {
        "counted": {"Values": [1.0, 5.0], "Counts": [1.0, 2.0]},
        "set": {"StatisticValues": {"SampleCount": 3.0, "Sum": 11.0, "Minimum": 1.0, "Maximum": 5.0}},
    }
    for name, value in given.items():
        metrics.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": name, "Timestamp": minute(0)} | value])
    wanted = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"]
    for name in ("plain", *given):
        point = statistics(metrics, namespace, name, Statistics=wanted)[0]
        found = [point[each] for each in wanted]
        assert found == pytest.approx([3.0, 11.0, 11 / 3, 1.0, 5.0]), name
        assert point["Timestamp"] == START
        assert point["Unit"] == "None"
    extended = {"ExtendedStatistics": ["p50", "p99.9"]}
    assert statistics(metrics, namespace, "counted", **extended)[0]["ExtendedStatistics"] == {"p50": 5.0, "p99.9": 5.0}
    assert "ExtendedStatistics" not in statistics(metrics, namespace, "set", **extended)[0]


def test_periods_gather_minutes(metrics: Any, namespace: str) -> None:
    put(metrics, namespace, "m", *map(float, range(10)))
    found = statistics(metrics, namespace, "m", period=300, Statistics=["Sum"])
    assert [(each["Timestamp"], each["Sum"]) for each in found] == [(minute(0), 10.0), (minute(5), 35.0)]


def test_units_stay_apart_and_dimensions_are_other_metrics(metrics: Any, namespace: str) -> None:
    put(metrics, namespace, "m", 1.0, Unit="Seconds")
    put(metrics, namespace, "m", 2.0, Unit="Bytes")
    put(metrics, namespace, "m", 4.0, Dimensions=[{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}])
    found = statistics(metrics, namespace, "m", Statistics=["Sum"])
    assert {(each["Unit"], each["Sum"]) for each in found} == {("Seconds", 1.0), ("Bytes", 2.0)}
    assert [each["Sum"] for each in statistics(metrics, namespace, "m", Statistics=["Sum"], Unit="Bytes")] == [2.0]
    other = [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}]
    assert [each["Sum"] for each in statistics(metrics, namespace, "m", Statistics=["Sum"], Dimensions=other)] == [4.0]
    assert statistics(metrics, namespace, "m", Statistics=["Sum"], Dimensions=other[:1]) == []


def test_high_resolution_is_read_by_the_second(metrics: Any, namespace: str) -> None:
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60)
    data_of = [
        {"MetricName": "m", "Timestamp": begin + timedelta(seconds=number), "Value": 1.0, "StorageResolution": 1}
        for number in range(4)
    ]
    metrics.put_metric_data(Namespace=namespace, MetricData=data_of)
    found = metrics.get_metric_statistics(
        Namespace=namespace, MetricName="m", StartTime=begin, EndTime=begin + timedelta(seconds=10), Period=1,
        Statistics=["Sum"],
    )["Datapoints"]  # fmt: skip
    assert [each["Sum"] for each in found] == [1.0] * 4


def test_metrics_are_listed_by_namespace_name_and_dimensions(metrics: Any, namespace: str) -> None:
    put(metrics, namespace, "one", 1.0, Dimensions=[{"Name": 'a"x', "Value": "1"}, {"Name": "b", "Value": "2"}])
    put(metrics, namespace, "two", 1.0, Dimensions=[{"Name": "b", "Value": "3"}])

    def listed(**options: Any) -> list[str]:
        return [each["MetricName"] for each in metrics.list_metrics(Namespace=namespace, **options)["Metrics"]]

    assert listed() == ["one", "two"]
    assert listed(MetricName="two") == ["two"]
    assert listed(Dimensions=[{"Name": "b"}]) == ["one", "two"]
    assert listed(Dimensions=[{"Name": "b", "Value": "3"}]) == ["two"]
    assert listed(Dimensions=[{"Name": 'a"x', "Value": "1"}, {"Name": "b", "Value": "2"}]) == ["one"]
    assert listed(Dimensions=[{"Name": "x"}]) == []
    assert listed(RecentlyActive="PT3H") == ["one", "two"]
    assert code_of(metrics.list_metrics, NextToken="forged")


def test_metrics_are_listed_in_pages(metrics: Any, namespace: str) -> None:
    for part in range(2):
        names = [f"m{part}-{number}" for number in range(300)]
        metrics.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": name, "Value": 1.0} for name in names])
    pages = list(metrics.get_paginator("list_metrics").paginate(Namespace=namespace))
    assert [len(page["Metrics"]) for page in pages] == [500, 100]


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({}, "MissingParameter"),
        ({"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination"),
        ({"Values": [1.0], "Counts": [1.0, 2.0]}, "InvalidParameterValue"),
        ({"Values": [1.0] * 151}, "InvalidParameterValue"),
        ({"Values": [1.0], "Counts": [-1.0]}, "InvalidParameterValue"),
        ({"Value": 2.0**361}, "InvalidParameterValue"),
        ({"Value": 1.0, "StorageResolution": 5}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": datetime.now(UTC) - timedelta(days=15)}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": datetime.now(UTC) + timedelta(hours=3)}, "InvalidParameterValue"),
        ({"Value": 1.0, "Dimensions": [{"Name": "a", "Value": "1"}] * 2}, "InvalidParameterValue"),
        ({"Value": 1.0, "Dimensions": [{"Name": ":a", "Value": "1"}]}, "InvalidParameterValue"),
        ({"StatisticValues": {"SampleCount": 1.0, "Sum": 1.0, "Minimum": 2.0, "Maximum": 1.0}}, "InvalidParameterValue"),
    ],
)  # fmt: skip
def test_data_that_are_refused(metrics: Any, namespace: str, datum: dict[str, Any], code: str) -> None:
    good = {"MetricName": "good", "Value": 1.0}
    call = metrics.put_metric_data
    assert code_of(call, Namespace=namespace, MetricData=[good, {"MetricName": "m"} | datum]) == code
    assert metrics.list_metrics(Namespace=namespace)["Metrics"] == [], "nothing of the request stays"


def test_numbers_that_are_none(metrics: Any, namespace: str) -> None:
    for value in (math.nan, math.inf):
        code = code_of(metrics.put_metric_data, Namespace=namespace, MetricData=[{"MetricName": "m", "Value": value}])
        assert code == "InvalidParameterValue"
    assert code_of(metrics.put_metric_data, Namespace="AWS/EC2", MetricData=[{"MetricName": "m", "Value": 1.0}])
    assert code_of(metrics.put_metric_data, Namespace=namespace, MetricData=[])


@pytest.mark.parametrize(
    "changes",
    [
        {"Period": 7},
        {"Period": 90},
        {"EndTime": START - timedelta(hours=1)},
        {"StartTime": START - timedelta(days=2)},
        {"Statistics": []},
        {"ExtendedStatistics": ["p101"]},
        {"ExtendedStatistics": ["median"]},
    ],
)
def test_statistics_that_are_refused(metrics: Any, namespace: str, changes: dict[str, Any]) -> None:
    given = {
        "Namespace": namespace, "MetricName": "m", "StartTime": START, "EndTime": minute(5), "Period": 60, "Statistics": ["Sum"],
    } | changes  # fmt: skip
    given = {name: value for name, value in given.items() if value != []}
    assert code_of(metrics.get_metric_statistics, **given).startswith("InvalidParameter")


def test_data_of_metrics_and_expressions(metrics: Any, namespace: str) -> None:
    put(metrics, namespace, "errors", 1.0, 0.0, 3.0)
    put(metrics, namespace, "calls", 2.0, 0.0, 4.0, 9.0)
    answer = data(
        metrics,
        query(namespace, "errors", "e", ReturnData=False),
        query(namespace, "calls", "c", Label="all calls"),
        {"Id": "rate", "Expression": "100 * e / c", "Label": "percent"},
        {"Id": "twice", "Expression": "rate * 2"},
        {"Id": "total", "Expression": "SUM(METRICS())"},
    )
    results = {each["Id"]: each for each in answer["MetricDataResults"]}
    assert "e" not in results
    assert results["c"]["Label"] == "all calls"
    assert results["c"]["Timestamps"] == [minute(number) for number in range(4)]
    assert results["rate"]["Values"] == [50.0, 75.0], "a division by zero has no point"
    assert results["twice"]["Values"] == [100.0, 150.0]
    assert results["total"]["Values"] == [3.0, 0.0, 7.0, 9.0]
    assert {each["StatusCode"] for each in results.values()} == {"Complete"}


def test_data_come_newest_first_and_in_pages(metrics: Any, namespace: str) -> None:
    put(metrics, namespace, "a", 1.0, 2.0, 3.0)
    put(metrics, namespace, "b", 4.0, 5.0)
    queries = [query(namespace, "a", "a"), query(namespace, "b", "b")]
    whole = data(metrics, *queries, ScanBy="TimestampDescending")
    assert [each["Values"] for each in whole["MetricDataResults"]] == [[3.0, 2.0, 1.0], [5.0, 4.0]]
    seen: dict[str, list[float]] = {}
    options: dict[str, Any] = {}
    for page in range(9):
        part = data(metrics, *queries, MaxDatapoints=2, **options)
        for each in part["MetricDataResults"]:
            seen.setdefault(each["Id"], []).extend(each["Values"])
        if "NextToken" not in part:
            assert page == 2
            break
        options = {"NextToken": part["NextToken"]}
    assert seen == {"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0]}


@pytest.mark.parametrize(
    "queries",
    [
        [{"Id": "A", "Expression": "1"}],
        [{"Id": "a", "Expression": "1"}],
        [{"Id": "a"}],
        [{"Id": "a", "Expression": "b"}],
        [{"Id": "a", "Expression": "a"}],
        [{"Id": "a", "Expression": "b"}, {"Id": "b", "Expression": "a"}],
        [{"Id": "a", "Expression": "METRICS("}],
        [{"Id": "a", "Expression": "__import__('os')"}],
        [{"Id": "a", "Expression": "METRICS() + METRICS()"}],
        [query("N", "m", "a"), query("N", "m", "a")],
        [query("N", "m", "a", "p999")],
        [query("N", "m", "a", Expression="1")],
    ],
)
def test_data_that_can_not_be_had(metrics: Any, queries: list[dict[str, Any]]) -> None:
    given = {"MetricDataQueries": queries, "StartTime": START, "EndTime": minute(5)}
    assert code_of(metrics.get_metric_data, **given) in ("ValidationError", "InvalidParameterValue")


def test_a_metric_that_is_not_there_has_no_points(metrics: Any, namespace: str) -> None:
    answer = data(metrics, query(namespace, "none", "a"))
    assert answer["MetricDataResults"][0]["Values"] == []
    assert answer["MetricDataResults"][0]["StatusCode"] == "Complete"
