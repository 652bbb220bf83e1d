"""AWS's fourth flow through boto3, in batches: a transform with filters and a join, and asynchronous inference."""

from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, WaiterError

pytestmark = pytest.mark.clients

SOON = {"Delay": 1, "MaxAttempts": 200}


def test_a_transform_keeps_the_rows_and_adds_the_predictions(
    aws: Any, abalone: ModuleType, bucket: str, upload: Any, models: list[str], create_model: Any
) -> None:
    sagemaker, name = aws("sagemaker"), f"batch-{uuid4().hex[:8]}"
    rows = abalone.rows(500, 4)
    table = "".join(f"id{at}," + ",".join(map(str, features)) + "\n" for at, (_, features) in enumerate(rows))
    source = upload(f"{name}/abalones.csv", table.encode())
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=create_model(models[1]),
        MaxConcurrentTransforms=2,
        MaxPayloadInMB=6,
        BatchStrategy="MultiRecord",
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": source}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{bucket}/{name}-out", "Accept": "text/csv", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
    )
    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName=name, WaiterConfig=SOON)
    assert sagemaker.describe_transform_job(TransformJobName=name)["TransformJobStatus"] == "Completed"
    out = aws("s3").get_object(Bucket=bucket, Key=f"{name}-out/abalones.csv.out")["Body"].read().decode()
    found = [line.split(",") for line in out.splitlines()]
    assert [each[0] for each in found] == [f"id{at}" for at in range(500)]
    misses = [abs(float(each[1]) - rings) for each, (rings, _) in zip(found, rows, strict=True)]
    assert sum(misses) / 500 < 1.5


def test_a_request_in_s3_is_answered_in_s3(
    aws: Any, bucket: str, upload: Any, models: list[str], create_model: Any, deploy: Any, row: str
) -> None:
    name = deploy(
        {"ModelName": create_model(models[1]), "VariantName": "all"},
        AsyncInferenceConfig={
            "OutputConfig": {
                "S3OutputPath": f"s3://{bucket}/later/out",
                "S3FailurePath": f"s3://{bucket}/later/failed",
            },
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
        },
    )
    runtime, s3 = aws("sagemaker-runtime"), aws("s3")

    def later(content: bytes) -> tuple[str, dict[str, Any]]:
        uri = upload(f"later/in/{uuid4().hex}.csv", content)
        return uri, runtime.invoke_endpoint_async(EndpointName=name, InputLocation=uri, ContentType="text/csv")

    def key_of(uri: str) -> str:
        return str(uri).removeprefix(f"s3://{bucket}/")

    _, accepted = later(row.encode())
    assert accepted["InferenceId"]
    s3.get_waiter("object_exists").wait(Bucket=bucket, Key=key_of(accepted["OutputLocation"]), WaiterConfig=SOON)
    answer = s3.get_object(Bucket=bucket, Key=key_of(accepted["OutputLocation"]))["Body"].read()
    assert 1 < float(answer) < 30
    _, refused = later(b"one,two\n")
    s3.get_waiter("object_exists").wait(Bucket=bucket, Key=key_of(refused["FailureLocation"]), WaiterConfig=SOON)
    with pytest.raises(ClientError, match="sync"):
        runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=row)
    with pytest.raises(WaiterError):
        s3.get_waiter("object_exists").wait(
            Bucket=bucket, Key=key_of(refused["OutputLocation"]), WaiterConfig={"Delay": 1, "MaxAttempts": 1}
        )
