"""AWS's fourth flow through boto3: captured requests, a baseline of the training table, a schedule, and its violations."""

import json
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest

pytestmark = pytest.mark.clients

ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}}
COLUMNS = ["rings", "sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell"]
INPUT, OUTPUT = "/opt/ml/processing/input/endpoint", "/opt/ml/processing/output"


def test_what_an_endpoint_is_asked_is_compared_with_a_baseline(
    aws: Any, abalone: ModuleType, bucket: str, role: str, upload: Any, models: list[str], create_model: Any,
    deploy: Any, appears: Any,
) -> None:  # fmt: skip
    sagemaker, s3, folder = aws("sagemaker"), aws("s3"), f"monitor-{uuid4().hex[:8]}"

    def read(key: str) -> Any:
        return json.loads(s3.get_object(Bucket=bucket, Key=f"{folder}/{key}")["Body"].read())

    name = deploy(
        {"ModelName": create_model(models[1]), "VariantName": "AllTraffic"},
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{bucket}/{folder}/captured",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
    )
    table = "".join(f"{rings}," + ",".join(map(str, features)) + "\n" for rings, features in abalone.rows(1500, 1))
    source = upload(f"{folder}/table/abalone.csv", (",".join(COLUMNS) + "\n" + table).encode())
    sagemaker.create_processing_job(
        ProcessingJobName=folder,
        RoleArn=role,
        AppSpecification={"ImageUri": ANALYZER},
        ProcessingResources=CLUSTER,
        Environment={
            "dataset_format": json.dumps({"csv": {"header": True, "output_columns_position": "START"}}),
            "dataset_source": "/opt/ml/processing/input/baseline_dataset_input",
            "output_path": OUTPUT,
            "publish_cloudwatch_metrics": "Disabled",
        },
        ProcessingInputs=[
            {
                "InputName": "baseline_dataset_input",
                "S3Input": {
                    "S3Uri": source,
                    "LocalPath": "/opt/ml/processing/input/baseline_dataset_input",
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
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        StoppingCondition={"MaxRuntimeInSeconds": 1800},
    )
    sagemaker.get_waiter("processing_job_completed_or_stopped").wait(
        ProcessingJobName=folder, WaiterConfig={"Delay": 1, "MaxAttempts": 200}
    )
    assert read("baseline/statistics.json")["dataset"]["item_count"] == 1500
    assert [each["name"] for each in read("baseline/constraints.json")["features"]] == COLUMNS

    for _, features in abalone.rows(40, 2):
        body = ",".join(map(str, [features[0], *(3 * value for value in features[1:])]))
        aws("sagemaker-runtime").invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=body)
    appears(s3, "ListObjectsV2", "KeyCount > `0`", Bucket=bucket, Prefix=f"{folder}/captured/{name}/AllTraffic/")
    sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=folder,
        MonitoringScheduleConfig={
            "ScheduleConfig": {
                "ScheduleExpression": "NOW",
                "DataAnalysisStartTime": "-PT1H",
                "DataAnalysisEndTime": "-PT0H",
            },
            "MonitoringJobDefinition": {
                "BaselineConfig": {
                    "StatisticsResource": {"S3Uri": f"s3://{bucket}/{folder}/baseline/statistics.json"},
                    "ConstraintsResource": {"S3Uri": f"s3://{bucket}/{folder}/baseline/constraints.json"},
                },
                "MonitoringInputs": [{"EndpointInput": {"EndpointName": name, "LocalPath": INPUT}}],
                "MonitoringOutputConfig": {
                    "MonitoringOutputs": [
                        {"S3Output": {"S3Uri": f"s3://{bucket}/{folder}/reports", "LocalPath": OUTPUT}}
                    ]
                },
                "MonitoringResources": CLUSTER,
                "MonitoringAppSpecification": {"ImageUri": ANALYZER},
                "RoleArn": role,
            },
        },
    )
    ended = "contains(['Completed', 'CompletedWithViolations', 'Failed', 'Stopped'], LastMonitoringExecutionSummary.MonitoringExecutionStatus)"
    appears(sagemaker, "DescribeMonitoringSchedule", ended, MonitoringScheduleName=folder)
    executions = sagemaker.list_monitoring_executions(MonitoringScheduleName=folder)["MonitoringExecutionSummaries"]
    assert executions[0]["MonitoringExecutionStatus"] == "CompletedWithViolations", executions
    job = sagemaker.describe_processing_job(ProcessingJobName=executions[0]["ProcessingJobArn"].rpartition("/")[2])
    reports = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    found = read(f"{reports.removeprefix(f's3://{bucket}/{folder}/')}/constraint_violations.json")["violations"]
    drifted = {each["feature_name"] for each in found if each["constraint_check_type"] == "baseline_drift_check"}
    assert {"length", "diameter", "height"} <= drifted
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName=folder)
