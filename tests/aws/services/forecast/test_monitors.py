"""Monitors through boto3: the errors of a predictor on data that came later, and its retraining."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.mark.slow
def test_new_data_are_evaluated(
    forecast: Any,
    shop: Any,
    upload: Callable[..., str],
    sales_of: Callable[..., tuple[bytes, bytes]],
    until_active: Callable[..., Any],
    wait: Callable[..., Any],
) -> None:
    """A monitor compares sales of four days more, which an import brings, with what the predictor says of them."""
    monitor = forecast.describe_auto_predictor(PredictorArn=shop.predictor)["MonitorInfo"]["MonitorArn"]
    assert "LastEvaluationTime" not in forecast.describe_monitor(MonitorArn=monitor)

    def bring(days: int) -> str:
        path = upload(f"{days}.csv", sales_of(days)[0])
        job: str = forecast.create_dataset_import_job(
            DatasetImportJobName=f"days_{days}",
            DatasetArn=shop.datasets["TARGET_TIME_SERIES"],
            DataSource={"S3Config": {"Path": path, "RoleArn": shop.role}},
        )["DatasetImportJobArn"]
        until_active(forecast.describe_dataset_import_job, DatasetImportJobArn=job)
        return job

    job = bring(64)
    found = wait(
        lambda: forecast.describe_monitor(MonitorArn=monitor), lambda answer: "LastEvaluationState" in answer, 120
    )
    assert (found["LastEvaluationState"], found["ResourceArn"]) == ("SUCCESS", shop.predictor)
    names = ["AverageWeightedQuantileLoss", "RMSE", "WAPE", "MAPE", "MASE"]
    assert [each["Name"] for each in found["Baseline"]["PredictorBaseline"]["BaselineMetrics"]] == names
    by = [{"Key": "EvaluationState", "Value": "SUCCESS", "Condition": "IS"}]
    (evaluation,) = forecast.list_monitor_evaluations(MonitorArn=monitor, Filters=by)["PredictorMonitorEvaluations"]
    assert evaluation["MonitorDataSource"] == {"DatasetImportJobArn": job, "PredictorArn": shop.predictor}
    assert (evaluation["WindowEndDatetime"] - evaluation["WindowStartDatetime"]).days == 3
    assert evaluation["NumItemsEvaluated"] == 3
    metrics = {each["MetricName"]: each["MetricValue"] for each in evaluation["MetricResults"]}
    assert set(metrics) == set(names)
    assert 0 < metrics["WAPE"] < 0.5
    bring(60)


def test_monitors_that_are_refused(forecast: Any, shop: Any, named: Callable[[str], str]) -> None:
    with pytest.raises(ClientError, match="ResourceAlreadyExists"):
        forecast.create_monitor(MonitorName=named("second"), ResourceArn=shop.predictor)
    with pytest.raises(ClientError, match="not the ARN of a predictor"):
        forecast.create_monitor(MonitorName=named("other"), ResourceArn=shop.forecast)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        forecast.describe_monitor(MonitorArn=shop.predictor.replace(":predictor/", ":monitor/no_"))
    assert forecast.list_monitors(MaxResults=1)["Monitors"]
