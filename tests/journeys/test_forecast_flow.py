"""A program of Amazon Forecast from dataset group to deletion, through a server that is killed while it trains."""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

FIELDS = (("timestamp", "timestamp"), ("item_id", "string"), ("target_value", "float"))
ENDED = ("ACTIVE", "CREATE_FAILED", "CREATE_STOPPED")


def demand(days: int = 40) -> bytes:
    """Return the demand of two items that repeat themselves every week, as CSV."""
    first = datetime(2024, 1, 1)
    rows = [
        f"{first + timedelta(day)},{item},{10 * number + day % 7 + day % 3 / 10}"
        for number, item in enumerate(("client_1", "client_2"), 1)
        for day in range(days)
    ]
    return "\n".join(rows).encode()


def done(describe: Callable[..., Any], **request: str) -> dict[str, Any]:
    """Wait until something is ACTIVE, as programs do: by asking again and again."""
    deadline = time.monotonic() + 200
    while (answer := describe(**request))["Status"] not in ENDED:
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
    assert answer["Status"] == "ACTIVE", answer
    return dict(answer)


@pytest.mark.slow
def test_from_a_dataset_group_to_a_forecast_though_the_server_is_killed(serve: Callable[..., Any]) -> None:
    """Every step of AWS's own walk is taken; after kill -9 in the middle of training the predictor is trained once."""
    running = serve()
    s3, iam, forecast = running.client("s3"), running.client("iam"), running.client("forecast")
    trust = {"Effect": "Allow", "Principal": {"Service": "forecast.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = iam.create_role(RoleName="forecaster", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.attach_role_policy(RoleName="forecaster", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    s3.create_bucket(Bucket="demand")
    s3.put_object(Bucket="demand", Key="demand.csv", Body=demand())

    group = forecast.create_dataset_group(DatasetGroupName="demand", Domain="CUSTOM")["DatasetGroupArn"]
    dataset = forecast.create_dataset(
        DatasetName="demand",
        Domain="CUSTOM",
        DatasetType="TARGET_TIME_SERIES",
        DataFrequency="D",
        Schema={"Attributes": [{"AttributeName": name, "AttributeType": kind} for name, kind in FIELDS]},
    )["DatasetArn"]
    forecast.update_dataset_group(DatasetGroupArn=group, DatasetArns=[dataset])
    job = forecast.create_dataset_import_job(
        DatasetImportJobName="demand",
        DatasetArn=dataset,
        DataSource={"S3Config": {"Path": "s3://demand/demand.csv", "RoleArn": role}},
        TimestampFormat="yyyy-MM-dd HH:mm:ss",
    )["DatasetImportJobArn"]
    done(forecast.describe_dataset_import_job, DatasetImportJobArn=job)
    predictor = forecast.create_predictor(
        PredictorName="demand",
        AlgorithmArn="arn:aws:forecast:::algorithm/NPTS",
        ForecastHorizon=7,
        PerformAutoML=False,
        PerformHPO=False,
        EvaluationParameters={"NumberOfBacktestWindows": 1, "BackTestWindowOffset": 7},
        InputDataConfig={"DatasetGroupArn": group},
        FeaturizationConfig={
            "ForecastFrequency": "D",
            "Featurizations": [
                {
                    "AttributeName": "target_value",
                    "FeaturizationPipeline": [
                        {
                            "FeaturizationMethodName": "filling",
                            "FeaturizationMethodParameters": {
                                "frontfill": "none",
                                "middlefill": "zero",
                                "backfill": "zero",
                            },
                        }
                    ],
                }
            ],
        },
    )["PredictorArn"]
    while forecast.describe_predictor(PredictorArn=predictor)["Status"] == "CREATE_PENDING":
        time.sleep(0.05)
    running.process.kill()
    running.process.wait()
    running = serve()
    forecast, query, s3 = running.client("forecast"), running.client("forecastquery"), running.client("s3")
    done(forecast.describe_predictor, PredictorArn=predictor)
    (result,) = forecast.get_accuracy_metrics(PredictorArn=predictor)["PredictorEvaluationResults"]
    assert [each["EvaluationType"] for each in result["TestWindows"]] == ["COMPUTED", "SUMMARY"]
    made = forecast.create_forecast(ForecastName="demand", PredictorArn=predictor)["ForecastArn"]
    done(forecast.describe_forecast, ForecastArn=made)
    found = query.query_forecast(ForecastArn=made, Filters={"item_id": "client_2"})["Forecast"]["Predictions"]
    assert list(found) == ["p10", "p50", "p90"]
    assert found["p50"][0]["Timestamp"] == "2024-02-10T00:00:00"
    assert all(20 <= each["Value"] <= 27 for each in found["p50"])
    export = forecast.create_forecast_export_job(
        ForecastExportJobName="demand",
        ForecastArn=made,
        Destination={"S3Config": {"Path": "s3://demand/exported", "RoleArn": role}},
    )["ForecastExportJobArn"]
    done(forecast.describe_forecast_export_job, ForecastExportJobArn=export)
    (key,) = (each["Key"] for each in s3.list_objects_v2(Bucket="demand", Prefix="exported/")["Contents"])
    table = pl.read_csv(s3.get_object(Bucket="demand", Key=key)["Body"].read())
    assert (table.columns, len(table)) == (["item_id", "date", "p10", "p50", "p90"], 14)
    forecast.delete_resource_tree(ResourceArn=group)
    forecast.delete_resource_tree(ResourceArn=dataset)
    assert not forecast.list_predictors()["Predictors"] + forecast.list_datasets()["Datasets"]
