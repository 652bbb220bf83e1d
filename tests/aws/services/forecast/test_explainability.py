"""Explainability through boto3: impact scores of a predictor and of some items of a forecast, and their export."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

ALL = {"TimeSeriesGranularity": "ALL", "TimePointGranularity": "ALL"}


@pytest.mark.slow
def test_what_moves_the_forecasts_of_some_items(
    forecast: Any,
    shop: Any,
    named: Callable[[str], str],
    upload: Callable[..., str],
    tables: Callable[..., Any],
    until_active: Callable[..., Any],
) -> None:
    own = forecast.describe_auto_predictor(PredictorArn=shop.predictor)["ExplainabilityInfo"]["ExplainabilityArn"]
    assert until_active(forecast.describe_explainability, ExplainabilityArn=own)["ExplainabilityConfig"] == ALL
    arn = forecast.create_explainability(
        ExplainabilityName=named("why"),
        ResourceArn=shop.forecast,
        ExplainabilityConfig={"TimeSeriesGranularity": "SPECIFIC", "TimePointGranularity": "SPECIFIC"},
        DataSource={"S3Config": {"Path": upload("why.csv", b"item_id\nmilk\n"), "RoleArn": shop.role}},
        Schema={"Attributes": [{"AttributeName": "item_id", "AttributeType": "string"}]},
        StartDateTime="2024-03-02T00:00:00",
        EndDateTime="2024-03-03T12:00:00",
    )["ExplainabilityArn"]
    assert (
        until_active(forecast.describe_explainability, ExplainabilityArn=arn)["StartDateTime"] == "2024-03-02T00:00:00"
    )
    path = f"{shop.files}/why"
    job = forecast.create_explainability_export(
        ExplainabilityExportName="why",
        ExplainabilityArn=arn,
        Destination={"S3Config": {"Path": path, "RoleArn": shop.role}},
    )["ExplainabilityExportArn"]
    until_active(forecast.describe_explainability_export, ExplainabilityExportArn=job)
    (table,) = tables(path).values()
    assert table.rows()[0][:2] == ("Aggregate", "Aggregate")
    assert table["timestamp"].to_list()[1:] == ["Aggregate", "2024-03-02T00:00:00", "2024-03-03T00:00:00"]
    assert {"price-RawImpactScore", "price-NormalizedImpactScore", "kind-NormalizedImpactScore"} <= set(table.columns)
    assert table.select("price-NormalizedImpactScore").to_series().abs().max() <= 1
    listed = forecast.list_explainabilities(Filters=[{"Key": "ResourceArn", "Value": shop.forecast, "Condition": "IS"}])
    assert [each["ExplainabilityArn"] for each in listed["Explainabilities"]] == [arn]


def test_explanations_that_are_refused(forecast: Any, shop: Any, named: Callable[[str], str]) -> None:
    some = {"TimeSeriesGranularity": "SPECIFIC", "TimePointGranularity": "ALL"}
    times = {"TimeSeriesGranularity": "ALL", "TimePointGranularity": "SPECIFIC"}
    for changes, sentence in (
        ({"ResourceArn": shop.predictor}, "already exists with the arn"),
        ({"ResourceArn": shop.predictor, "ExplainabilityConfig": some}, "both granularities must be ALL"),
        ({"ExplainabilityConfig": some}, "DataSource names the time series"),
        ({"ExplainabilityConfig": times}, "StartDateTime and EndDateTime are given"),
        ({"StartDateTime": "2024-03-02T00:00:00"}, "StartDateTime and EndDateTime are given"),
        (
            {
                "ExplainabilityConfig": times,
                "StartDateTime": "2024-03-02T00:00:00",
                "EndDateTime": "2024-03-01T00:00:00",
            },
            "StartDateTime is after EndDateTime",
        ),
    ):
        with pytest.raises(ClientError, match=sentence):
            forecast.create_explainability(
                **{"ExplainabilityName": named("no"), "ResourceArn": shop.forecast, "ExplainabilityConfig": ALL}
                | changes
            )
