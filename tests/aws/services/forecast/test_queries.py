"""Queries of a forecast: one item, all of it or between dates."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_one_item_between_dates(client: Callable[..., Any], shop: Any) -> None:
    query = client("forecastquery")
    found = query.query_forecast(ForecastArn=shop.forecast, Filters={"item_id": "tea"})["Forecast"]["Predictions"]
    assert list(found) == ["p10", "p50", "p90", "mean"]
    days = [each["Timestamp"] for each in found["p50"]]
    assert days == [f"2024-03-0{day}T00:00:00" for day in range(1, 8)]
    for low, middle, high in zip(found["p10"], found["p50"], found["p90"], strict=True):
        assert low["Value"] <= middle["Value"] <= high["Value"]
    part = query.query_forecast(
        ForecastArn=shop.forecast,
        Filters={"item_id": "tea"},
        StartDate="2024-03-02T00:00:00",
        EndDate="2024-03-03T23:00:00",
    )["Forecast"]["Predictions"]
    assert part == {name: values[1:3] for name, values in found.items()}


@pytest.mark.parametrize(
    ("request_", "code", "sentence"),
    [
        ({"Filters": {"item_id": "coffee"}}, "ResourceNotFoundException", "no item with item_id 'coffee'"),
        ({"Filters": {"store": "x"}}, "InvalidInputException", "'store' is none of item_id"),
        ({"StartDate": "2024-03-02"}, "InvalidInputException", "StartDate '2024-03-02' is no date"),
        (
            {"StartDate": "2024-03-03T00:00:00", "EndDate": "2024-03-02T00:00:00"},
            "InvalidInputException", "is after EndDate",
        ),
        (
            {"StartDate": "2025-01-01T00:00:00"}, "InvalidInputException",
            "it goes from 2024-03-01T00:00:00 to 2024-03-07T00:00:00",
        ),
        ({"NextToken": "x"}, "InvalidNextTokenException", "leave NextToken out"),
        ({"ForecastArn": "arn:aws:forecast:us-east-1:1:forecast/no"}, "ResourceNotFoundException", "No resource found"),
    ],
)  # fmt: skip
def test_queries_that_are_refused(
    client: Callable[..., Any], shop: Any, request_: dict[str, Any], code: str, sentence: str
) -> None:
    with pytest.raises(ClientError, match=sentence) as refused:
        client("forecastquery").query_forecast(
            **{"ForecastArn": shop.forecast, "Filters": {"item_id": "tea"}} | request_
        )
    assert refused.value.response["Error"]["Code"] == code
