"""`kill -9` of a server while Amazon Forecast's jobs work: they end as they should, and nothing is done by halves."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "forecast.amazonaws.com"}, "Action": "sts:AssumeRole"},
}
S3 = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
SCHEMA = {
    "Attributes": [
        {"AttributeName": "item_id", "AttributeType": "string"},
        {"AttributeName": "timestamp", "AttributeType": "timestamp"},
        {"AttributeName": "target_value", "AttributeType": "float"},
    ]
}
ROWS = 300_000


def test_an_import_that_was_cut_short_is_done_once(start: Callable[..., Any], tmp_path: Path) -> None:
    running = start(tmp_path / "data")
    try:
        iam, s3, forecast = (running.client(name) for name in ("iam", "s3", "forecast"))
        role = iam.create_role(RoleName="forecaster", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        iam.put_role_policy(RoleName="forecaster", PolicyName="s3", PolicyDocument=json.dumps(S3))
        s3.create_bucket(Bucket="sales")
        rows = "".join(f"item{number % 500},2024-01-{1 + number % 28:02},{number}\n" for number in range(ROWS))
        s3.put_object(Bucket="sales", Key="sales.csv", Body=rows.encode())
        dataset = forecast.create_dataset(
            DatasetName="sales", Domain="CUSTOM", DatasetType="TARGET_TIME_SERIES", Schema=SCHEMA
        )["DatasetArn"]
        arn = forecast.create_dataset_import_job(
            DatasetImportJobName="first",
            DatasetArn=dataset,
            DataSource={"S3Config": {"Path": "s3://sales/sales.csv", "RoleArn": role}},
            TimestampFormat="yyyy-MM-dd",
        )["DatasetImportJobArn"]
        described(running, arn, "CREATE_IN_PROGRESS", "ACTIVE")
        running.process.send_signal(signal.SIGKILL)
        running.process.communicate()
        running = start(tmp_path / "data")
        done = described(running, arn, "ACTIVE", "CREATE_FAILED")
        assert done["Status"] == "ACTIVE", done
        assert done["FieldStatistics"]["target_value"]["Count"] == ROWS
        forecast = running.client("forecast")
        assert forecast.describe_dataset(DatasetArn=dataset)["Status"] == "ACTIVE"
        forecast.delete_resource_tree(ResourceArn=dataset)
        kept = [path for path in (tmp_path / "data/objects").rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in kept) <= 2 * len(rows)
    finally:
        running.process.terminate()
        running.process.communicate(timeout=40)


def described(running: Any, arn: str, *states: str) -> Any:
    forecast, deadline = running.client("forecast"), time.monotonic() + 120
    while (answer := forecast.describe_dataset_import_job(DatasetImportJobArn=arn))["Status"] not in states:
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer
