"""Predictors of Amazon Forecast through boto3: trained, measured, trained anew, refused and stopped."""

from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
from botocore.exceptions import ClientError

ALGORITHM = "arn:aws:forecast:::algorithm/"


@pytest.fixture
def legacy(forecast: Any, named: Callable[[str], str], shop: Any) -> Callable[..., str]:
    """Return what creates a legacy predictor of the shop, by ETS unless told otherwise, and returns its ARN."""

    def make(**changes: Any) -> str:
        given = {
            "PredictorName": named("legacy"),
            "AlgorithmArn": f"{ALGORITHM}ETS",
            "ForecastHorizon": 7,
            "InputDataConfig": {"DatasetGroupArn": shop.group},
            "FeaturizationConfig": {"ForecastFrequency": "D"},
        } | changes
        arn: str = forecast.create_predictor(**{name: value for name, value in given.items() if value is not None})[
            "PredictorArn"
        ]
        return arn

    return make


def refusal(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**request)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_an_auto_predictor_tells_its_settings_and_what_came_of_them(forecast: Any, shop: Any) -> None:
    found = forecast.describe_auto_predictor(PredictorArn=shop.predictor)
    assert found["PredictorArn"].split(":", 5)[5].startswith(f"predictor/{found['PredictorName']}_01")
    assert (found["ForecastHorizon"], found["ForecastFrequency"], found["Status"]) == (7, "D", "ACTIVE")
    assert found["DataConfig"] == {"DatasetGroupArn": shop.group}
    assert len(found["DatasetImportJobArns"]) == 3
    assert found["MonitorInfo"]["Status"] == "ACTIVE"
    assert "EstimatedTimeRemainingInMinutes" not in found
    listed = forecast.list_predictors(Filters=[{"Key": "DatasetGroupArn", "Value": shop.group, "Condition": "IS"}])
    own = next(each for each in listed["Predictors"] if each["PredictorArn"] == shop.predictor)
    assert (own["IsAutoPredictor"], own["DatasetGroupArn"], own["Status"]) == (True, shop.group, "ACTIVE")
    code, message = refusal(forecast.describe_predictor, PredictorArn=shop.predictor)
    assert (code, "use DescribeAutoPredictor" in message) == ("InvalidInputException", True)


def test_the_accuracy_of_each_window_and_the_average(forecast: Any, shop: Any) -> None:
    found = forecast.get_accuracy_metrics(PredictorArn=shop.predictor)
    assert (found["IsAutoPredictor"], found["OptimizationMetric"]) == (True, "AverageWeightedQuantileLoss")
    (result,) = found["PredictorEvaluationResults"]
    *windows, summary = result["TestWindows"]
    assert [each["EvaluationType"] for each in result["TestWindows"]] == ["COMPUTED"] * len(windows) + ["SUMMARY"]
    assert all(
        each["ItemCount"] == 3 and (each["TestWindowEnd"] - each["TestWindowStart"]).days == 6 for each in windows
    )
    for each in result["TestWindows"]:
        metrics = each["Metrics"]
        losses = [loss["LossValue"] for loss in metrics["WeightedQuantileLosses"]]
        assert [loss["Quantile"] for loss in metrics["WeightedQuantileLosses"]] == [0.1, 0.5, 0.9]
        assert metrics["AverageWeightedQuantileLoss"] == pytest.approx(sum(losses) / 3)
        errors = {error["ForecastType"]: error for error in metrics["ErrorMetrics"]}
        assert set(errors) == {"0.10", "0.5", "0.9", "mean"}
        assert 0 < errors["0.5"]["WAPE"] < 0.2
        assert metrics["RMSE"] == errors["mean"]["RMSE"]
    mean = sum(each["Metrics"]["RMSE"] for each in windows) / len(windows)
    assert summary["Metrics"]["RMSE"] == pytest.approx(mean)


@pytest.mark.slow
def test_a_legacy_predictor_and_what_becomes_of_it(
    forecast: Any, legacy: Callable[..., str], named: Callable[[str], str], until_active: Callable[..., Any]
) -> None:
    """It is measured in the windows asked for, stops, and is trained anew as an auto predictor that keeps its settings."""
    arn = legacy(
        EvaluationParameters={"NumberOfBacktestWindows": 2, "BackTestWindowOffset": 10},
        ForecastTypes=[".25", "0.5"],
        OptimizationMetric="WAPE",
        Tags=[{"Key": "team", "Value": "bakery"}],
    )
    assert forecast.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "bakery"}]
    assert refusal(forecast.delete_predictor, PredictorArn=arn)[0] == "ResourceInUseException"
    assert refusal(forecast.get_accuracy_metrics, PredictorArn=arn)[0] == "ResourceInUseException"
    found = until_active(forecast.describe_predictor, PredictorArn=arn)
    assert (found["PerformAutoML"], found["PerformHPO"], found["IsAutoPredictor"]) == (False, False, False)
    (execution,) = found["PredictorExecutionDetails"]["PredictorExecutions"]
    assert execution["AlgorithmArn"] == f"{ALGORITHM}ETS"
    days = [str(window["TestWindowStart"].astimezone(UTC).date()) for window in execution["TestWindows"]]
    assert days == ["2024-02-13", "2024-02-20"]
    accuracy = forecast.get_accuracy_metrics(PredictorArn=arn)
    assert accuracy["PredictorEvaluationResults"][0]["AlgorithmArn"] == f"{ALGORITHM}ETS"
    assert (accuracy["OptimizationMetric"], accuracy["IsAutoPredictor"]) == ("WAPE", False)
    again = forecast.create_auto_predictor(PredictorName=named("again"), ReferencePredictorArn=arn)["PredictorArn"]
    taken = forecast.describe_auto_predictor(PredictorArn=again)
    assert (taken["ForecastTypes"], taken["OptimizationMetric"], taken["ForecastHorizon"]) == (
        [".25", "0.5"],
        "WAPE",
        7,
    )
    assert taken["ReferencePredictorSummary"] == {"Arn": arn, "State": "Active"}
    forecast.stop_resource(ResourceArn=again)
    forecast.delete_predictor(PredictorArn=arn)
    assert forecast.describe_auto_predictor(PredictorArn=again)["ReferencePredictorSummary"]["State"] == "Deleted"
    assert refusal(forecast.describe_predictor, PredictorArn=arn)[0] == "ResourceNotFoundException"


def test_a_horizon_beyond_a_third_of_the_history_fails_with_a_sentence(
    forecast: Any, legacy: Callable[..., str], until_ended: Callable[..., Any]
) -> None:
    found = until_ended(forecast.describe_predictor, PredictorArn=legacy(ForecastHorizon=21))
    assert found["Status"] == "CREATE_FAILED"
    assert (
        "the horizon of 21 periods (D) is longer than a third of the longest history, which has 60" in found["Message"]
    )
    forecast.delete_predictor(PredictorArn=found["PredictorArn"])


def test_requests_that_are_refused(
    forecast: Any, shop: Any, legacy: Callable[..., str], named: Callable[[str], str], make_dataset: Callable[..., str]
) -> None:
    name = forecast.describe_auto_predictor(PredictorArn=shop.predictor)["PredictorName"]
    config = {"DatasetGroupArn": shop.group}

    def auto(**changes: Any) -> tuple[str, str]:
        given = {"PredictorName": named("no"), "ForecastHorizon": 7, "ForecastFrequency": "D", "DataConfig": config}
        given = {name: value for name, value in (given | changes).items() if value is not None}
        return refusal(forecast.create_auto_predictor, **given)

    empty = forecast.create_dataset_group(DatasetGroupName=named("empty"), Domain="CUSTOM")["DatasetGroupArn"]
    unfilled = forecast.create_dataset_group(
        DatasetGroupName=named("unfilled"), Domain="CUSTOM", DatasetArns=[make_dataset()]
    )["DatasetGroupArn"]
    nowhere = shop.group.replace("dataset-group/", "dataset-group/no_")
    for (code, message), expected, sentence in (
        (auto(PredictorName=name), "ResourceAlreadyExistsException", "already exists with the arn"),
        (auto(DataConfig={"DatasetGroupArn": empty}), "InvalidInputException", "no dataset of the type TARGET"),
        (auto(DataConfig={"DatasetGroupArn": unfilled}), "InvalidInputException", "No data was imported"),
        (auto(DataConfig={"DatasetGroupArn": nowhere}), "ResourceNotFoundException", "No resource found"),
        (
            auto(DataConfig={"DatasetGroupArn": shop.predictor}),
            "InvalidInputException",
            "not the ARN of a dataset group",
        ),
        (auto(DataConfig=None), "InvalidInputException", "needs a DataConfig"),
        (auto(ReferencePredictorArn=shop.predictor), "InvalidInputException", "beside ReferencePredictorArn"),
        (auto(ForecastHorizon=501), "InvalidInputException", "out of range; use 1 to 500"),
    ):
        assert (code, sentence in message) == (expected, True), message
    with pytest.raises(ClientError, match="PerformHPO is not supported by ETS"):
        legacy(PerformHPO=True)
    with pytest.raises(ClientError, match="role"):
        legacy(
            EncryptionConfig={"RoleArn": "arn:aws:iam::123456789012:role/other", "KMSKeyArn": "arn:aws:kms:x:y:key/z"}
        )


def test_a_predictor_that_is_stopped(
    forecast: Any, legacy: Callable[..., str], until_ended: Callable[..., Any]
) -> None:
    arn = legacy(AlgorithmArn=None, PerformAutoML=True)
    forecast.stop_resource(ResourceArn=arn)
    found = until_ended(forecast.describe_predictor, PredictorArn=arn)
    assert found["Status"] in ("CREATE_STOPPED", "ACTIVE")
    forecast.delete_predictor(PredictorArn=arn)
