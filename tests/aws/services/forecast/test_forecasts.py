"""Forecasts of Amazon Forecast through boto3: made of some or all items, and exported."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.mark.slow
def test_a_forecast_of_chosen_items_and_its_exports(
    forecast: Any,
    client: Callable[..., Any],
    shop: Any,
    named: Callable[[str], str],
    upload: Callable[..., str],
    tables: Callable[..., Any],
    until_active: Callable[..., Any],
) -> None:
    """The forecast has the types asked for; its exports are a CSV and a Parquet file with the same values."""
    chosen = upload("chosen.csv", b"tea\nnothing\nbread\n")
    selector = {
        "DataSource": {"S3Config": {"Path": chosen, "RoleArn": shop.role}},
        "Schema": {"Attributes": [{"AttributeName": "item_id", "AttributeType": "string"}]},
        "Format": "CSV",
    }
    arn = forecast.create_forecast(
        ForecastName=named("some"),
        PredictorArn=shop.predictor,
        ForecastTypes=["mean", "0.05", ".95"],
        TimeSeriesSelector={"TimeSeriesIdentifiers": selector},
    )["ForecastArn"]
    with pytest.raises(ClientError, match="ResourceInUse"):
        client("forecastquery").query_forecast(ForecastArn=arn, Filters={"item_id": "tea"})
    found = until_active(forecast.describe_forecast, ForecastArn=arn)
    assert found["TimeSeriesSelector"] == {"TimeSeriesIdentifiers": selector}
    assert (found["PredictorArn"], found["DatasetGroupArn"]) == (shop.predictor, shop.group)
    exports = []
    for kind in ("CSV", "PARQUET"):
        path = f"{shop.files}/{found['ForecastName']}/{kind}"
        job = forecast.create_forecast_export_job(
            ForecastExportJobName=f"as_{kind}",
            ForecastArn=arn,
            Destination={"S3Config": {"Path": path, "RoleArn": shop.role}},
            Format=kind,
        )["ForecastExportJobArn"]
        assert job.split(":", 5)[5] == f"forecast-export-job/{found['ForecastName']}/as_{kind}"
        until_active(forecast.describe_forecast_export_job, ForecastExportJobArn=job)
        ((key, table),) = tables(path).items()
        assert key.startswith(f"as_{kind}_2") and key.endswith(f"Z_part0.{kind.lower()}")
        exports.append(table)
    csv, parquet = exports
    assert csv.columns == ["item_id", "date", "mean", "p5", "p95"]
    assert csv.rows() == parquet.rows()
    assert csv["item_id"].unique(maintain_order=True).to_list() == ["bread", "tea"]
    assert csv["date"][:2].to_list() == ["2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z"]
    assert (csv["p5"] < csv["p95"]).all()
    asked = client("forecastquery").query_forecast(ForecastArn=arn, Filters={"item_id": "tea"})["Forecast"][
        "Predictions"
    ]
    assert list(asked) == ["mean", "p5", "p95"]
    assert [each["Value"] for each in asked["p5"]] == csv.filter(csv["item_id"] == "tea")["p5"].to_list()
    with pytest.raises(ClientError, match=r"ResourceInUse.*still has resources that belong to it"):
        forecast.delete_forecast(ForecastArn=arn)
    listed = forecast.list_forecasts(Filters=[{"Key": "PredictorArn", "Value": shop.predictor, "Condition": "IS"}])
    assert arn in [each["ForecastArn"] for each in listed["Forecasts"]]
    forecast.delete_resource_tree(ResourceArn=arn)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        client("forecastquery").query_forecast(ForecastArn=arn, Filters={"item_id": "tea"})


def test_an_export_that_the_role_may_not_write(
    forecast: Any,
    shop: Any,
    named: Callable[[str], str],
    make_role: Callable[..., str],
    tables: Callable[..., Any],
    until_ended: Callable[..., Any],
) -> None:
    """It fails with a sentence, and leaves nothing; a role that does not trust Forecast is refused at once."""
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow", "Principal": {"Service": "forecast.amazonaws.com"}, "Action": "sts:AssumeRole",
        },
    }  # fmt: skip
    path, name = f"{shop.files}/denied", named("denied")
    destination = {"S3Config": {"Path": path, "RoleArn": make_role(None, trust)}}
    job = forecast.create_predictor_backtest_export_job(
        PredictorBacktestExportJobName=name, PredictorArn=shop.predictor, Destination=destination
    )["PredictorBacktestExportJobArn"]
    found = until_ended(forecast.describe_predictor_backtest_export_job, PredictorBacktestExportJobArn=job)
    assert found["Status"] == "CREATE_FAILED"
    assert f"could not write to {path}" in found["Message"]
    assert not tables(path)
    forecast.delete_predictor_backtest_export_job(PredictorBacktestExportJobArn=job)
    destination["S3Config"]["RoleArn"] = make_role()
    with pytest.raises(ClientError, match=r"InvalidInput.*Could not assume role"):
        forecast.create_forecast_export_job(
            ForecastExportJobName=name, ForecastArn=shop.forecast, Destination=destination
        )


def test_forecasts_that_are_refused(forecast: Any, shop: Any, named: Callable[[str], str]) -> None:
    for changes, sentence in (
        ({"PredictorArn": shop.predictor.replace("predictor/", "predictor/no_")}, "No resource found"),
        ({"ForecastTypes": ["0.1", "0.10"]}, "has one of them twice"),
        ({"ForecastName": shop.forecast.rpartition("/")[2]}, "already exists with the arn"),
        ({"TimeSeriesSelector": {"TimeSeriesIdentifiers": {"Format": "CSV"}}}, "needs a DataSource and a Schema"),
    ):
        with pytest.raises(ClientError, match=sentence):
            forecast.create_forecast(**{"ForecastName": named("no"), "PredictorArn": shop.predictor} | changes)
