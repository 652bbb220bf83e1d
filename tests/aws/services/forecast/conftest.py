"""What Amazon Forecast's tests share: its role, datasets of the domains, and the import of a table."""

import io
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import polars as pl
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


@dataclass(frozen=True)
class Shop:
    """Three items of a shop that sells more on Saturdays and less at a high price; imported, learnt and forecast.

    `files` is the S3 path of the bucket, whose objects `role` may use.
    """

    group: str
    datasets: dict[str, str]
    predictor: str
    forecast: str
    role: str
    files: str


def sales(days: int, seed: int = 0) -> tuple[bytes, bytes]:
    """Return the shop's sales of so many days, and its prices of two weeks more, as CSV."""
    draw, first = random.Random(seed), datetime(2024, 1, 1)
    sold, prices = [], []
    for number, item in enumerate(("bread", "milk", "tea"), 1):
        for day in range(days + 14):
            when, price = f"{first + timedelta(day)}", 1 + draw.randrange(5) / 10
            prices.append(f"{when},{item},{price:.1f}")
            if day < days:
                amount = 10 * number + 5 * (day % 7 == 5) - 4 * price + draw.random()
                sold.append(f"{when},{item},{amount:.2f}")
    return "\n".join(sold).encode(), "\n".join(prices).encode()


@pytest.fixture(scope="session")
def shop(server: Any) -> Shop:
    """Return the shop: an auto predictor with an explanation and a monitor, and its forecast, made once for all."""
    forecast, iam, s3 = server.client("forecast"), server.client("iam"), server.client("s3")
    suffix = uuid4().hex[:8]
    role = iam.create_role(RoleName=f"shop-{suffix}", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=f"shop-{suffix}", PolicyName="inline", PolicyDocument=json.dumps(S3))
    bucket = f"shop-{suffix}"
    s3.create_bucket(Bucket=bucket)
    sold, prices = sales(60)
    datasets = {}
    for kind, content, fields in (
        ("TARGET_TIME_SERIES", sold, TARGET),
        ("RELATED_TIME_SERIES", prices, (*TARGET[:2], ("price", "float"))),
        ("ITEM_METADATA", b"bread,baked\nmilk,cooled\ntea,dry\n", (("item_id", "string"), ("kind", "string"))),
    ):
        given = {} if kind == "ITEM_METADATA" else {"DataFrequency": "D"}
        datasets[kind] = forecast.create_dataset(
            DatasetName=f"{kind.lower()}_{suffix}", Domain="CUSTOM", DatasetType=kind, Schema=schema_of(fields), **given
        )["DatasetArn"]
        s3.put_object(Bucket=bucket, Key=f"{kind}.csv", Body=content)
        forecast.create_dataset_import_job(
            DatasetImportJobName="first",
            DatasetArn=datasets[kind],
            DataSource={"S3Config": {"Path": f"s3://{bucket}/{kind}.csv", "RoleArn": role}},
        )
    for arn in datasets.values():
        job = arn.replace(":dataset/", ":dataset-import-job/") + "/first"
        active(forecast.describe_dataset_import_job, DatasetImportJobArn=job)
    group = forecast.create_dataset_group(
        DatasetGroupName=f"group_{suffix}", Domain="CUSTOM", DatasetArns=list(datasets.values())
    )["DatasetGroupArn"]
    predictor = forecast.create_auto_predictor(
        PredictorName=f"shop_{suffix}",
        ForecastHorizon=7,
        ForecastFrequency="D",
        ForecastTypes=["0.10", "0.5", "0.9", "mean"],
        DataConfig={"DatasetGroupArn": group},
        ExplainPredictor=True,
        MonitorConfig={"MonitorName": f"shop_{suffix}"},
    )["PredictorArn"]
    active(forecast.describe_auto_predictor, PredictorArn=predictor)
    made = forecast.create_forecast(ForecastName=f"forecast_{suffix}", PredictorArn=predictor)["ForecastArn"]
    active(forecast.describe_forecast, ForecastArn=made)
    return Shop(group, datasets, predictor, made, role, f"s3://{bucket}")


def ended(describe: Callable[..., Any], **request: str) -> dict[str, Any]:
    """Wait for the end of what is made and return its description."""
    deadline = time.monotonic() + 240
    while (answer := describe(**request))["Status"] not in ("ACTIVE", "CREATE_FAILED", "CREATE_STOPPED"):
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
    return dict(answer)


def active(describe: Callable[..., Any], **request: str) -> dict[str, Any]:
    answer = ended(describe, **request)
    assert answer["Status"] == "ACTIVE", answer
    return answer


@pytest.fixture
def until_active() -> Callable[..., dict[str, Any]]:
    """Return what waits until something is made, by its describe operation, and returns the description."""
    return active


@pytest.fixture
def until_ended() -> Callable[..., dict[str, Any]]:
    """Return what waits until the making of something has ended, however it did, and returns the description."""
    return ended


@pytest.fixture
def sales_of() -> Callable[..., tuple[bytes, bytes]]:
    """Return what makes the shop's sales and prices."""
    return sales


@pytest.fixture
def tables(client: Callable[..., Any]) -> Callable[[str], dict[str, pl.DataFrame]]:
    """Return what reads all tables below an S3 path, by their keys."""

    def read(path: str) -> dict[str, pl.DataFrame]:
        bucket, _, prefix = path.removeprefix("s3://").partition("/")
        s3 = client("s3")
        found = {}
        for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ()):
            content = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            reader = pl.read_parquet if each["Key"].endswith(".parquet") else pl.read_csv
            found[each["Key"].removeprefix(f"{prefix}/")] = reader(io.BytesIO(content))
        return found

    return read
