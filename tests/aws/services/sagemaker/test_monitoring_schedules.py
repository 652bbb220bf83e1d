"""Monitoring schedules through boto3: of batch transforms, changed, stopped, started, and what can't be monitored."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

ANALYZER = "159807026194.dkr.ecr.us-west-2.amazonaws.com/sagemaker-model-monitor-analyzer"
ENDED = ("Completed", "Failed", "Stopped")
ONCE = {"ScheduleExpression": "NOW", "DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "-PT0H"}
BATCH = {
    "DataCapturedDestinationS3Uri": "s3://b/c",
    "DatasetFormat": {"Csv": {"Header": False}},
    "LocalPath": "/opt/ml/processing/i",
}


def test_the_data_of_batch_transforms_is_analysed(
    client: Callable[..., Any],
    configure: Callable[..., str],
    bucket: str,
    upload: Callable[[str, bytes], str],
    definition: Callable[..., dict[str, Any]],
    executed: Callable[[str], dict[str, Any]],
    unique: Callable[[str], str],
    wait: Callable[..., dict[str, Any]],
) -> None:
    sagemaker, s3, name = client("sagemaker"), client("s3"), unique("batch")
    uri = upload("batch/rows.csv", b"0.25\n0.5\n0.75\n")
    for number in range(2):
        sagemaker.create_transform_job(
            TransformJobName=f"{name}-{number}",
            ModelName=configure(),
            TransformInput={
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            TransformOutput={"S3OutputPath": f"s3://{bucket}/answers"},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
            DataCaptureConfig={"DestinationS3Uri": f"s3://{bucket}/batches"},
        )
    for number in range(2):
        wait(
            lambda job=f"{name}-{number}": sagemaker.describe_transform_job(TransformJobName=job),
            lambda answer: answer["TransformJobStatus"] in ENDED,
        )
    captured = {**BATCH, "DataCapturedDestinationS3Uri": f"s3://{bucket}/batches"}
    job = definition(MonitoringInputs=[{"BatchTransformInput": captured}], BaselineConfig={})
    config = {"ScheduleConfig": ONCE, "MonitoringJobDefinition": job}
    sagemaker.create_monitoring_schedule(MonitoringScheduleName=name, MonitoringScheduleConfig=config)
    done = executed(name)
    assert done["MonitoringExecutionStatus"] == "Completed", done.get("FailureReason")
    assert "EndpointName" not in done
    job = sagemaker.describe_processing_job(ProcessingJobName=done["ProcessingJobArn"].rpartition("/")[2])
    uri = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    assert uri.startswith(f"s3://{bucket}/reports/{name}/")
    key = f"{uri.partition(bucket)[2].lstrip('/')}/statistics.json"
    statistics = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert statistics["dataset"]["item_count"] == 6
    assert statistics["features"][0]["numerical_statistics"]["sum"] == 3
    listed = client("cloudwatch").list_metrics(
        Namespace="aws/sagemaker/ModelMonitoring/data-metrics",
        Dimensions=[{"Name": "MonitoringSchedule", "Value": name}],
    )
    assert {each["MetricName"] for each in listed["Metrics"]} == {"feature_data__c0", "feature_non_null__c0"}


def test_an_hourly_schedule_is_changed_stopped_and_started(
    client: Callable[..., Any], definition: Callable[..., dict[str, Any]], unique: Callable[[str], str]
) -> None:
    sagemaker, name = client("sagemaker"), unique("schedule")

    def config(expression: str) -> dict[str, Any]:
        return {"ScheduleConfig": {"ScheduleExpression": expression}, "MonitoringJobDefinition": definition()}

    def told() -> dict[str, Any]:
        return dict(sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name))

    hourly, daily = config("cron(0 * ? * * *)"), config("cron(0 12 ? * * *)")
    sagemaker.create_monitoring_schedule(MonitoringScheduleName=name, MonitoringScheduleConfig=hourly)
    assert told()["MonitoringScheduleStatus"] == "Scheduled"
    assert told()["MonitoringScheduleConfig"] == hourly
    assert "LastMonitoringExecutionSummary" not in told()
    sagemaker.update_monitoring_schedule(MonitoringScheduleName=name, MonitoringScheduleConfig=daily)
    assert told()["MonitoringScheduleConfig"] == daily
    for _ in range(2):
        sagemaker.stop_monitoring_schedule(MonitoringScheduleName=name)
        assert told()["MonitoringScheduleStatus"] == "Stopped"
    sagemaker.start_monitoring_schedule(MonitoringScheduleName=name)
    assert told()["MonitoringScheduleStatus"] == "Scheduled"
    with pytest.raises(ClientError, match="exists already") as taken:
        sagemaker.create_monitoring_schedule(MonitoringScheduleName=name, MonitoringScheduleConfig=daily)
    assert taken.value.response["Error"]["Code"] == "ResourceInUse"


def endpoint_input(name: str, path: str = "/opt/ml/processing/input") -> dict[str, Any]:
    return {"MonitoringInputs": [{"EndpointInput": {"EndpointName": name, "LocalPath": path}}]}


SCRIPT = {"ImageUri": ANALYZER, "RecordPreprocessorSourceUri": "s3://b/script.py"}
REFUSED: list[tuple[dict[str, Any], str]] = [
    (endpoint_input("no-such-endpoint"), 'Could not find endpoint "arn:aws:sagemaker:us-east-1:'),
    ({"MonitoringInputs": [{}]}, "MonitoringInputs needs one of EndpointInput and BatchTransformInput"),
    (
        {"MonitoringInputs": [{"BatchTransformInput": {**BATCH, "DatasetFormat": {}}}]},
        "DatasetFormat needs one of Csv, J",
    ),
    (
        {"MonitoringAppSpecification": SCRIPT},
        "RecordPreprocessorSourceUri is set, and the model monitor runs no scripts",
    ),
    (
        {"MonitoringAppSpecification": {"ImageUri": "own/monitor:1"}},
        "The image own/monitor:1 is not the model monitor's",
    ),
    ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Could not assume role"),
    ({"BaselineConfig": {"BaseliningJobName": "never-run"}}, "Could not find the baselining job 'never-run'"),
    ({"BaselineConfig": {"ConstraintsResource": {"S3Uri": "https://b/c"}}}, "is no S3 URI"),
]


def test_what_can_not_be_monitored_is_refused(
    client: Callable[..., Any],
    captured: str,
    definition: Callable[..., dict[str, Any]],
    endpoint: Callable[[str], str],
    configure: Callable[..., str],
    unique: Callable[[str], str],
) -> None:
    sagemaker = client("sagemaker")

    def refusal(job: dict[str, Any] | None, expression: str = "cron(0 * ? * * *)", **more: Any) -> str:
        config = {"ScheduleConfig": {"ScheduleExpression": expression}, **more}
        if job is not None:
            config["MonitoringJobDefinition"] = job
        with pytest.raises(ClientError) as refused:
            sagemaker.create_monitoring_schedule(MonitoringScheduleName=unique("s"), MonitoringScheduleConfig=config)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
        return str(refused.value)

    for changes, sentence in REFUSED:
        assert sentence in refusal(definition(**changes))
    quiet = endpoint(configure())
    assert f"The endpoint {quiet} captures no data" in refusal(definition(**endpoint_input(quiet)))
    assert "which is not below /opt/ml/processing" in refusal(definition(**endpoint_input(captured, "/tmp/x")))
    assert "Invalid schedule expression 'rate(1 hour)'" in refusal(definition(), "rate(1 hour)")
    assert "NOW needs DataAnalysisStartTime and DataAnalysisEndTime" in refusal(definition(), "NOW")
    assert "needs one of MonitoringJobDefinition and" in refusal(None)
    assert "Could not find the data quality job definition 'x'" in refusal(None, MonitoringJobDefinitionName="x")
    assert "The MonitoringType ModelBias is not built here" in refusal(definition(), MonitoringType="ModelBias")
