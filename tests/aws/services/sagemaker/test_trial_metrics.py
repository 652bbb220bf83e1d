"""Metrics that programs log for trial components, through boto3."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import pstdev
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def sagemaker(client: Make) -> Any:
    return client("sagemaker")


@pytest.fixture
def metrics(client: Make) -> Any:
    return client("sagemaker-metrics")


@pytest.fixture
def component(sagemaker: Any, unique: Make) -> tuple[str, str]:
    """Return name and ARN of a new trial component."""
    name = unique("measured")
    return name, sagemaker.create_trial_component(TrialComponentName=name)["TrialComponentArn"]


def datum(name: str, value: float, *, step: int | None = None, ago: float = 0) -> dict[str, Any]:
    given = {"MetricName": name, "Value": value, "Timestamp": NOW - timedelta(seconds=ago)}
    return given if step is None else given | {"Step": step}


def test_values_are_summed_up_in_the_component(sagemaker: Any, metrics: Any, component: tuple[str, str]) -> None:
    name, arn = component
    values = [0.9, 0.5, 0.25, 0.75]
    for step, value in enumerate(values):
        answer = metrics.batch_put_metrics(
            TrialComponentName=name, MetricData=[datum("loss", value, step=step, ago=9 - step), datum("rate", 1e-3)]
        )
        assert "Errors" not in answer
    late = [datum("loss", 0.1, step=9, ago=60)]
    assert "Errors" not in metrics.batch_put_metrics(TrialComponentName=name, MetricData=late)
    described = sagemaker.describe_trial_component(TrialComponentName=name)
    loss = next(each for each in described["Metrics"] if each["MetricName"] == "loss")
    assert (loss["Count"], loss["Min"], loss["Max"], loss["Last"]) == (5, 0.1, 0.9, 0.75)
    assert loss["Avg"] == pytest.approx(0.5)
    assert loss["StdDev"] == pytest.approx(pstdev([*values, 0.1]))
    assert loss["TimeStamp"] == NOW - timedelta(seconds=6)
    assert loss["SourceArn"] == arn
    found = sagemaker.search(
        Resource="ExperimentTrialComponent",
        SearchExpression={
            "Filters": [
                {"Name": "TrialComponentName", "Operator": "Equals", "Value": name},
                {"Name": "Metrics.loss.Min", "Operator": "LessThan", "Value": "0.2"},
                {"Name": "Metrics.loss", "Operator": "Equals", "Value": "0.75"},
            ]
        },
        SortBy="metrics.loss.min",
    )
    assert [each["TrialComponent"]["TrialComponentName"] for each in found["Results"]] == [name]


def test_series_are_read_by_step_and_by_time(metrics: Any, component: tuple[str, str]) -> None:
    name, arn = component
    data = [datum("loss", value, step=step, ago=120 * (3 - step)) for step in range(4) for value in (step, step + 0.5)]
    metrics.batch_put_metrics(TrialComponentName=name, MetricData=data)

    def ask(statistic: str, period: str, axis: str, **more: Any) -> dict[str, Any]:
        query = {"MetricName": "loss", "ResourceArn": arn, "MetricStat": statistic, "Period": period} | more
        found: dict[str, Any] = metrics.batch_get_metrics(MetricQueries=[query | {"XAxisType": axis}])
        return found["MetricQueryResults"][0]

    steps = ask("Max", "IterationNumber", "IterationNumber")
    assert (steps["Status"], steps["XAxisValues"]) == ("Complete", [0, 1, 2, 3])
    assert steps["MetricValues"] == [0.5, 1.5, 2.5, 3.5]
    assert ask("Avg", "IterationNumber", "IterationNumber", Start=1, End=2)["MetricValues"] == [1.25, 2.25]
    assert ask("Count", "IterationNumber", "IterationNumber", Start=3)["MetricValues"] == [2]
    assert ask("StdDev", "IterationNumber", "IterationNumber", Start=3)["MetricValues"] == [0.25]
    minutes = ask("Last", "OneMinute", "Timestamp")
    newest = int(NOW.timestamp()) // 60 * 60_000
    assert minutes["XAxisValues"] == [newest - 120_000 * (3 - step) for step in range(4)]
    assert minutes["MetricValues"] == [0.5, 1.5, 2.5, 3.5]
    assert sum(ask("Count", "OneHour", "Timestamp")["MetricValues"]) == 8
    assert ask("Min", "OneMinute", "IterationNumber")["Status"] == "ValidationError"
    assert "does not exist" in ask("Min", "OneHour", "Timestamp", ResourceArn=f"{arn}-none")["Message"]


def test_what_no_metric_can_be_is_told_by_its_index(metrics: Any, component: tuple[str, str]) -> None:
    data = [
        datum("fine", 1),
        datum("old", 1, ago=15 * 86_400),
        datum("new", 1, ago=-10_800),
        datum("none", float("nan")),
        datum("endless", float("inf")),
        datum("huge", 1e300),
    ]
    answer = metrics.batch_put_metrics(TrialComponentName=component[0], MetricData=data)
    assert answer["Errors"] == [{"Code": "VALIDATION_ERROR", "MetricIndex": index} for index in (1, 2, 3, 4, 5)]


def test_a_component_has_so_many_metrics(sagemaker: Any, metrics: Any, component: tuple[str, str]) -> None:
    for start in range(0, 300, 10):
        data = [datum(f"metric {start + number}", 1) for number in range(10)]
        assert "Errors" not in metrics.batch_put_metrics(TrialComponentName=component[0], MetricData=data)
    answer = metrics.batch_put_metrics(
        TrialComponentName=component[0], MetricData=[datum("metric 7", 2), datum("one more", 1)]
    )
    assert answer["Errors"] == [{"Code": "METRIC_LIMIT_EXCEEDED", "MetricIndex": 1}]
    assert len(sagemaker.describe_trial_component(TrialComponentName=component[0])["Metrics"]) == 300


def test_a_component_takes_its_metrics_with_it(sagemaker: Any, metrics: Any, component: tuple[str, str]) -> None:
    name, arn = component
    metrics.batch_put_metrics(TrialComponentName=name, MetricData=[datum("loss", 1, step=1)])
    sagemaker.delete_trial_component(TrialComponentName=name)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        metrics.batch_put_metrics(TrialComponentName=name, MetricData=[datum("loss", 1)])
    sagemaker.create_trial_component(TrialComponentName=name)
    query = {"MetricName": "loss", "ResourceArn": arn, "MetricStat": "Min", "Period": "IterationNumber"}
    answer = metrics.batch_get_metrics(MetricQueries=[query | {"XAxisType": "IterationNumber"}])
    assert answer["MetricQueryResults"][0]["MetricValues"] == []


def test_metrics_need_leave_for_their_component(
    client: Make, unique: Make, sagemaker: Any, component: tuple[str, str]
) -> None:
    iam, user = client("iam"), unique("user")
    iam.create_user(UserName=user)
    statement = {"Effect": "Allow", "Action": "sagemaker:Batch*Metrics", "Resource": component[1]}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    own = client("sagemaker-metrics", **keys)
    other = sagemaker.create_trial_component(TrialComponentName=unique("other"))["TrialComponentArn"]
    assert "Errors" not in own.batch_put_metrics(TrialComponentName=component[0], MetricData=[datum("loss", 1)])
    with pytest.raises(ClientError, match=r"AccessDenied.*sagemaker:BatchPutMetrics"):
        own.batch_put_metrics(TrialComponentName=other.rpartition("/")[2], MetricData=[datum("loss", 1)])
    query = {"MetricName": "loss", "MetricStat": "Min", "Period": "OneHour", "XAxisType": "Timestamp"}
    assert own.batch_get_metrics(MetricQueries=[query | {"ResourceArn": component[1]}])["MetricQueryResults"]
    with pytest.raises(ClientError, match=r"AccessDenied.*sagemaker:BatchGetMetrics"):
        own.batch_get_metrics(MetricQueries=[query | {"ResourceArn": arn} for arn in (component[1], other)])
