"""QueryForecast through boto3: series go into `headrace serve` by S3, a predictor is trained, and its forecast is asked for."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

import numpy as np
from benchmarks.forecasting.many import series
from benchmarks.server.rows import say, work_folder
from benchmarks.server.servers import Server, running

ITEMS, HORIZON = 1_000, 12
WARM, REQUESTS = 100, 1_000
BUCKET = "benchmark-forecast"
SERVICE = {"Effect": "Allow", "Principal": {"Service": "forecast.amazonaws.com"}, "Action": "sts:AssumeRole"}
SCHEMA = [("timestamp", "timestamp"), ("item_id", "string"), ("demand", "float")]


def measured() -> dict[str, Any]:
    """Return the milliseconds of a request, p50 and p99, with its client at one connection; and of making the forecast."""
    with work_folder() as folder, running("headrace", folder) as server:
        begin = time.perf_counter()
        forecast, items = prepared(server)
        made = time.perf_counter() - begin
        client = server.client("forecastquery")
        asked = np.random.default_rng(0).choice(items, WARM + REQUESTS)
        seconds = []
        cpu = 0.0
        for number, item in enumerate(asked):
            if number == WARM:
                cpu = server.cpu_seconds()
            begin = time.perf_counter()
            answer = client.query_forecast(ForecastArn=forecast, Filters={"item_id": str(item)})
            seconds.append(time.perf_counter() - begin)
        if len(answer["Forecast"]["Predictions"]["p50"]) != HORIZON:
            raise SystemExit(f"QueryForecast answered {answer['Forecast']}")
        facts = {
            "items": len(items), "made_seconds": made, "p50_ms": 1e3 * median(seconds[WARM:]),
            "p99_ms": 1e3 * quantiles(seconds[WARM:], n=100)[98], "server_cpu_ms": 1e3 * (server.cpu_seconds() - cpu) / REQUESTS,
            "load": os.getloadavg()[0],
        }  # fmt: skip
    say(", ".join(f"{name} {value:.2f}" for name, value in facts.items()))
    return facts


def prepared(server: Server) -> tuple[str, list[str]]:
    """Bring the series in, train, and forecast; return the forecast's ARN and the items."""
    s3, iam, forecast = server.client("s3"), server.client("iam"), server.client("forecast")
    s3.create_bucket(Bucket=BUCKET)
    trust = json.dumps({"Version": "2012-10-17", "Statement": SERVICE})
    role = iam.create_role(RoleName="forecaster", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    allowed = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    iam.put_role_policy(RoleName="forecaster", PolicyName="s3", PolicyDocument=json.dumps(allowed))
    frame = series(ITEMS).select("time", "item", "target")
    content = frame.write_csv(include_header=False, datetime_format="%Y-%m-%d %H:%M:%S")
    s3.put_object(Bucket=BUCKET, Key="sales.csv", Body=content.encode())
    attributes = [{"AttributeName": name, "AttributeType": kind} for name, kind in SCHEMA]
    data = forecast.create_dataset(
        DatasetName="sales", Domain="RETAIL", DatasetType="TARGET_TIME_SERIES", DataFrequency="M", Schema={"Attributes": attributes},
    )["DatasetArn"]  # fmt: skip
    group = forecast.create_dataset_group(DatasetGroupName="sales", Domain="RETAIL", DatasetArns=[data])[
        "DatasetGroupArn"
    ]
    source = {"S3Config": {"Path": f"s3://{BUCKET}/sales.csv", "RoleArn": role}}
    job = forecast.create_dataset_import_job(
        DatasetImportJobName="sales", DatasetArn=data, DataSource=source, TimestampFormat="yyyy-MM-dd HH:mm:ss"
    )["DatasetImportJobArn"]
    active(lambda: forecast.describe_dataset_import_job(DatasetImportJobArn=job))
    predictor = forecast.create_predictor(
        PredictorName="sales", AlgorithmArn="arn:aws:forecast:::algorithm/ETS", ForecastHorizon=HORIZON, FeaturizationConfig={"ForecastFrequency": "M"},
        InputDataConfig={"DatasetGroupArn": group},
    )["PredictorArn"]  # fmt: skip
    active(lambda: forecast.describe_predictor(PredictorArn=predictor))
    arn = forecast.create_forecast(ForecastName="sales", PredictorArn=predictor)["ForecastArn"]
    active(lambda: forecast.describe_forecast(ForecastArn=arn))
    return arn, frame["item"].unique().sort().to_list()


def active(describe: Callable[[], dict[str, Any]], seconds: float = 1800) -> None:
    """Wait until a resource is ACTIVE; end the benchmark with its message where it fails."""
    deadline = time.monotonic() + seconds
    while (found := describe())["Status"] != "ACTIVE":
        if found["Status"].endswith("FAILED") or time.monotonic() > deadline:
            raise SystemExit(f"{found['Status']}: {found.get('Message')}")
        time.sleep(0.5)
