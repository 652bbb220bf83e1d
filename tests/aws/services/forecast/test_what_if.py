"""What-if analyses through boto3: other prices, other forecasts."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def analysis(forecast: Any, shop: Any, named: Callable[[str], str]) -> str:
    """Return the ARN of an analysis of the shop's forecast."""
    made = forecast.create_what_if_analysis(WhatIfAnalysisName=named("prices"), ForecastArn=shop.forecast)
    arn: str = made["WhatIfAnalysisArn"]
    assert forecast.describe_what_if_analysis(WhatIfAnalysisArn=arn)["Status"] == "ACTIVE"
    return arn


@pytest.mark.slow
def test_other_prices_by_rule_and_by_table(
    forecast: Any,
    client: Callable[..., Any],
    shop: Any,
    analysis: str,
    upload: Callable[..., str],
    tables: Callable[..., Any],
    until_active: Callable[..., Any],
) -> None:
    """Only the items under the conditions change; a table's items are all that its forecast has."""
    rule = {
        "Action": {"AttributeName": "PRICE", "Operation": "MULTIPLY", "Value": 2.0},
        "TimeSeriesConditions": [{"AttributeName": "item_id", "AttributeValue": "milk", "Condition": "EQUALS"}],
    }
    dearer = forecast.create_what_if_forecast(
        WhatIfForecastName="dearer", WhatIfAnalysisArn=analysis, TimeSeriesTransformations=[rule]
    )["WhatIfForecastArn"]
    fields = (("timestamp", "timestamp"), ("item_id", "string"), ("price", "float"))
    replaced = forecast.create_what_if_forecast(
        WhatIfForecastName="replaced",
        WhatIfAnalysisArn=analysis,
        TimeSeriesReplacementsDataSource={
            "S3Config": {"Path": upload("prices.csv", b"2024-03-01 00:00:00,tea,9\n"), "RoleArn": shop.role},
            "Schema": {"Attributes": [{"AttributeName": name, "AttributeType": kind} for name, kind in fields]},
            "Format": "CSV",
            "TimestampFormat": "yyyy-MM-dd HH:mm:ss",
        },
    )["WhatIfForecastArn"]
    assert dearer.split(":", 5)[5] == f"what-if-forecast/{analysis.rpartition('/')[2]}/dearer"
    for arn in (dearer, replaced):
        until_active(forecast.describe_what_if_forecast, WhatIfForecastArn=arn)
    query = client("forecastquery")

    def values(item: str, arn: str = "") -> list[float]:
        filters = {"Filters": {"item_id": item}}
        found = (
            query.query_what_if_forecast(WhatIfForecastArn=arn, **filters)
            if arn
            else query.query_forecast(ForecastArn=shop.forecast, **filters)
        )
        return [each["Value"] for each in found["Forecast"]["Predictions"]["p50"]]

    assert values("bread", dearer) == values("bread")
    assert values("milk", dearer) != values("milk")
    assert values("tea", replaced)[0] != values("tea")[0]
    with pytest.raises(ClientError, match=r"ResourceNotFound.*no item with item_id 'milk'"):
        values("milk", replaced)
    path = f"{shop.files}/what-if"
    job = forecast.create_what_if_forecast_export(
        WhatIfForecastExportName="both",
        WhatIfForecastArns=[dearer, replaced],
        Destination={"S3Config": {"Path": path, "RoleArn": shop.role}},
    )["WhatIfForecastExportArn"]
    until_active(forecast.describe_what_if_forecast_export, WhatIfForecastExportArn=job)
    lengths = {table["whatif_id"][0]: len(table) for table in tables(path).values()}
    assert lengths == {"dearer": 21, "replaced": 7}
    listed = forecast.list_what_if_forecasts(Filters=[{"Key": "WhatIfForecastArn", "Value": dearer, "Condition": "IS"}])
    assert [each["WhatIfForecastName"] for each in listed["WhatIfForecasts"]] == ["dearer"]
    forecast.delete_resource_tree(ResourceArn=analysis)


def test_what_if_forecasts_that_are_refused(forecast: Any, shop: Any, analysis: str) -> None:
    action = {"AttributeName": "price", "Operation": "DIVIDE", "Value": 0}
    for given, sentence in (
        ({}, "Give either TimeSeriesTransformations or a TimeSeriesReplacementsDataSource"),
        ({"TimeSeriesTransformations": [{"TimeSeriesConditions": []}]}, "needs an Action"),
        ({"TimeSeriesTransformations": [{"Action": action}]}, "can't be divided by 0"),
        ({"TimeSeriesTransformations": [{"Action": {**action, "AttributeName": "size"}}]}, "use one of price"),
    ):
        with pytest.raises(ClientError, match=sentence):
            forecast.create_what_if_forecast(WhatIfForecastName="no", WhatIfAnalysisArn=analysis, **given)
    forecast.delete_what_if_analysis(WhatIfAnalysisArn=analysis)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        forecast.create_what_if_forecast(WhatIfForecastName="no", WhatIfAnalysisArn=analysis)
