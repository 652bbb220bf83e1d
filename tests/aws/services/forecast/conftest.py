"""What Amazon Forecast's tests share: its role, datasets of the domains, and the import of a table."""

from collections.abc import Callable
from typing import Any

import pytest

TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "forecast.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
S3 = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
TARGET = (("timestamp", "timestamp"), ("item_id", "string"), ("target_value", "float"))


@pytest.fixture
def forecast(client: Callable[..., Any]) -> Any:
    """Return a client of Amazon Forecast."""
    return client("forecast")


@pytest.fixture
def named(unique: Callable[[str], str]) -> Callable[[str], str]:
    """Return what makes a name that no other test has, as Amazon Forecast takes them."""
    return lambda prefix: unique(prefix).replace("-", "_")


@pytest.fixture
def forecast_role(make_role: Callable[..., str]) -> str:
    """Return the ARN of a role that trusts Amazon Forecast and may use S3."""
    return make_role(S3, TRUST)


def schema_of(attributes: Any) -> dict[str, Any]:
    return {"Attributes": [{"AttributeName": name, "AttributeType": kind} for name, kind in attributes]}


@pytest.fixture
def make_dataset(forecast: Any, named: Callable[[str], str]) -> Callable[..., str]:
    """Return what makes a dataset and returns its ARN: a target of the CUSTOM domain unless told otherwise."""

    def make(attributes: Any = TARGET, **request: Any) -> str:
        given = {
            "DatasetName": named("dataset"), "Domain": "CUSTOM", "DatasetType": "TARGET_TIME_SERIES",
            "DataFrequency": "D", "Schema": schema_of(attributes), **request,
        }  # fmt: skip
        given = {name: value for name, value in given.items() if value is not None}
        arn: str = forecast.create_dataset(**given)["DatasetArn"]
        return arn

    return make
