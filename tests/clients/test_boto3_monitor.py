"""AWS's fourth flow through boto3: captured data, a baseline, a schedule, and what it finds."""

import json
from collections.abc import Callable
from datetime import UTC
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from botocore.waiter import WaiterModel, create_waiter_with_client

pytestmark = pytest.mark.clients
SOON = {"Delay": 1, "MaxAttempts": 200}
ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
TABLE, OUTPUT = "/opt/ml/processing/input/baseline_dataset_input", "/opt/ml/processing/output"
CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}}


def appears(client: Any, operation: str, path: str, **arguments: Any) -> None:
    """Wait until a JMESPath of an operation's answer is true, as a waiter of a user's own does."""
    until = [{"matcher": "path", "argument": path, "expected": True, "state": "success"}]
    waiter = {"operation": operation, "delay": 1, "maxAttempts": 120, "acceptors": until}
    model = WaiterModel({"version": 2, "waiters": {"Appears": waiter}})
    create_waiter_with_client("Appears", model, client).wait(**arguments)


def test_a_schedule_finds_how_requests_differ_from_the_baseline(
    aws: Callable[[str], Any],
    abalone: ModuleType,
    bucket: str,
    role: str,
    upload: Any,
    models: list[str],
    create_model: Any,
    deploy: Any,
) -> None:
    sagemaker, s3, folder = aws("sagemaker"), aws("s3"), f"monitored-{uuid4().hex[:8]}"
    endpoint = deploy(
        {"ModelName": create_model(models[0]), "VariantName": "AllTraffic"},
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{bucket}/{folder}/captured",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
        },
    )
    rows = [[float(rings), *features] for rings, features in abalone.rows(1000, 5)]
    names = ["rings", "sex", "length", "diameter", "height", "weight", "shucked", "viscera", "shell"]
    text = "".join(",".join(map(str, row)) + "\n" for row in [names, *rows])
    uri = upload(f"{folder}/training.csv", text.encode())
    sagemaker.create_processing_job(
        ProcessingJobName=folder,
        RoleArn=role,
        AppSpecification={"ImageUri": ANALYZER},
        ProcessingResources=CLUSTER,
        Environment={
            "dataset_format": json.dumps({"csv": {"header": True, "output_columns_position": "START"}}),
            "dataset_source": TABLE,
            "output_path": OUTPUT,
            "publish_cloudwatch_metrics": "Disabled",
        },
        ProcessingInputs=[
            {
                "InputName": "baseline_dataset_input",
                "S3Input": {
                    "S3Uri": uri,
                    "LocalPath": TABLE,
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                    "S3DataDistributionType": "FullyReplicated",
                    "S3CompressionType": "None",
                },
            }
        ],
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": "monitoring_output",
                    "S3Output": {
                        "S3Uri": f"s3://{bucket}/{folder}/baseline",
                        "LocalPath": OUTPUT,
                        "S3UploadMode": "Continuous",
                    },
                }
            ]
        },
    )
    sagemaker.get_waiter("processing_job_completed_or_stopped").wait(ProcessingJobName=folder, WaiterConfig=SOON)
    runtime = aws("sagemaker-runtime")
    for _, (sex, length, *others) in abalone.rows(50, 6):
        body = ",".join(map(str, [sex, 3 * length, *others]))
        runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=body)
    captured = {"Bucket": bucket, "Prefix": f"{folder}/captured/{endpoint}/AllTraffic/"}
    appears(s3, "ListObjectsV2", "KeyCount > `0`", **captured)
    sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=folder,
        MonitoringScheduleConfig={
            "ScheduleConfig": {
                "ScheduleExpression": "NOW", "DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "-PT0H",
            },
            "MonitoringJobDefinition": {
                "BaselineConfig": {"BaseliningJobName": folder},
                "MonitoringInputs": [
                    {"EndpointInput": {"EndpointName": endpoint, "LocalPath": "/opt/ml/processing/input/endpoint"}}
                ],
                "MonitoringOutputConfig": {
                    "MonitoringOutputs": [
                        {
                            "S3Output": {
                                "S3Uri": f"s3://{bucket}/{folder}/reports",
                                "LocalPath": OUTPUT,
                                "S3UploadMode": "EndOfJob",
                            }
                        }
                    ]
                },
                "MonitoringResources": CLUSTER,
                "MonitoringAppSpecification": {"ImageUri": ANALYZER},
                "StoppingCondition": {"MaxRuntimeInSeconds": 600},
                "RoleArn": role,
            },
        },
    )  # fmt: skip
    over = "MonitoringExecutionSummaries[0].MonitoringExecutionStatus == 'CompletedWithViolations'"
    appears(sagemaker, "ListMonitoringExecutions", over, MonitoringScheduleName=folder)
    (execution,) = sagemaker.list_monitoring_executions(MonitoringScheduleName=folder)["MonitoringExecutionSummaries"]
    place = f"{folder}/reports/{endpoint}/{folder}/{execution['ScheduledTime'].astimezone(UTC):%Y/%m/%d/%H}/"
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=place)["Contents"]
    reports = {each["Key"].removeprefix(place): each["Key"] for each in listed}
    assert set(reports) == {"statistics.json", "constraints.json", "constraint_violations.json"}
    found = json.loads(s3.get_object(Bucket=bucket, Key=reports["constraint_violations.json"])["Body"].read())
    kinds = {(each["feature_name"], each["constraint_check_type"]) for each in found["violations"]}
    assert ("length", "baseline_drift_check") in kinds
    assert ("shell", "baseline_drift_check") not in kinds
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName=folder)
