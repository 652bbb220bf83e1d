"""Monitoring schedules through boto3: captured data of an endpoint against a baseline, and what can't be monitored."""

import json
from collections.abc import Callable
from typing import Any

import pytest

ANALYZER = "159807026194.dkr.ecr.us-west-2.amazonaws.com/sagemaker-model-monitor-analyzer"
ENDED = ("Completed", "CompletedWithViolations", "Failed", "Stopped")
CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}}
ONCE = {"ScheduleExpression": "NOW", "DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "-PT0H"}
ROWS = 60


@pytest.fixture
def captured(
    client: Callable[..., Any],
    endpoint: Callable[[str], str],
    configure: Callable[..., str],
    bucket: str,
    unique: Callable[[str], str],
) -> str:
    """Return the name of an endpoint that captures what it is asked and answers."""
    sagemaker, name, model = client("sagemaker"), unique("captured"), configure()
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=model)["ProductionVariants"]
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=variants,
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{bucket}/captured",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
    )
    return endpoint(name)


@pytest.fixture
def definition(bucket: str, role: str, captured: str) -> Callable[..., dict[str, Any]]:
    """Return what makes a MonitoringJobDefinition for the endpoint."""

    def make(**changes: Any) -> dict[str, Any]:
        local = "/opt/ml/processing/input/endpoint"
        output = {"S3Uri": f"s3://{bucket}/reports", "LocalPath": "/opt/ml/processing/output"}
        return {
            "BaselineConfig": {
                "ConstraintsResource": {"S3Uri": f"s3://{bucket}/baseline/constraints.json"},
                "StatisticsResource": {"S3Uri": f"s3://{bucket}/baseline/statistics.json"},
            },
            "MonitoringInputs": [{"EndpointInput": {"EndpointName": captured, "LocalPath": local}}],
            "MonitoringOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
            "MonitoringResources": CLUSTER,
            "MonitoringAppSpecification": {"ImageUri": ANALYZER},
            "RoleArn": role,
            **changes,
        }

    return make


@pytest.fixture
def make_baseline(
    client: Callable[..., Any],
    bucket: str,
    role: str,
    upload: Callable[[str, bytes], str],
    unique: Callable[[str], str],
    wait: Callable[..., dict[str, Any]],
) -> Callable[[], None]:
    """Return what makes the baseline of answers and questions in [0, 1)."""

    def make() -> None:
        sagemaker, name, local = client("sagemaker"), unique("baseline"), "/opt/ml/processing/input/baseline"
        rows = [f"{number / 200},{number / 200}" for number in range(1, 200)]
        uri = upload("training/train.csv", "\n".join(["answer,x", *rows]).encode())
        data = {"S3Uri": uri, "LocalPath": local, "S3DataType": "S3Prefix"}
        output = {
            "S3Uri": f"s3://{bucket}/baseline",
            "LocalPath": "/opt/ml/processing/output",
            "S3UploadMode": "EndOfJob",
        }
        sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=role,
            AppSpecification={"ImageUri": ANALYZER},
            ProcessingInputs=[{"InputName": "baseline_dataset_input", "S3Input": data}],
            ProcessingOutputConfig={"Outputs": [{"OutputName": "monitoring_output", "S3Output": output}]},
            ProcessingResources=CLUSTER,
            Environment={
                "dataset_format": json.dumps({"csv": {"header": True}}),
                "dataset_source": local,
                "output_path": "/opt/ml/processing/output",
            },
        )
        done = wait(
            lambda: sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda answer: answer["ProcessingJobStatus"] in ENDED,
        )
        assert done["ProcessingJobStatus"] == "Completed", done

    return make


@pytest.fixture
def executed(client: Callable[..., Any], wait: Callable[..., dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    """Return what waits for the last execution of a schedule and returns its summary."""
    sagemaker = client("sagemaker")

    def until(schedule: str) -> dict[str, Any]:
        answer = wait(
            lambda: sagemaker.describe_monitoring_schedule(MonitoringScheduleName=schedule),
            lambda found: found["LastMonitoringExecutionSummary"]["MonitoringExecutionStatus"] in ENDED,
        )
        return dict(answer["LastMonitoringExecutionSummary"])

    return until


@pytest.fixture
def ask_much(
    client: Callable[..., Any], captured: str, bucket: str, ask: Callable[..., float], wait: Callable[..., Any]
) -> Callable[[list[str]], None]:
    """Return what asks the endpoint and waits until all of it lies in S3."""

    def run(questions: list[str]) -> None:
        s3, runtime = client("s3"), client("sagemaker-runtime")
        for each in questions:
            runtime.invoke_endpoint(EndpointName=captured, ContentType="text/csv", Body=each.encode())

        def lines() -> int:
            found = s3.list_objects_v2(Bucket=bucket, Prefix=f"captured/{captured}/").get("Contents", ())
            bodies = [s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in found]
            return sum(len(body.splitlines()) for body in bodies)

        wait(lambda: {"lines": lines()}, lambda answer: answer["lines"] >= len(questions))

    return run


def test_a_schedule_finds_what_is_not_as_in_the_baseline(
    client: Callable[..., Any],
    bucket: str,
    captured: str,
    make_baseline: Callable[[], None],
    definition: Callable[..., dict[str, Any]],
    ask_much: Callable[[list[str]], None],
    executed: Callable[[str], dict[str, Any]],
    unique: Callable[[str], str],
) -> None:
    sagemaker, s3, schedule = client("sagemaker"), client("s3"), unique("schedule")
    make_baseline()
    ask_much([*(str(5 + number / ROWS) for number in range(ROWS - 1)), ""])
    made = sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=schedule,
        MonitoringScheduleConfig={"ScheduleConfig": ONCE, "MonitoringJobDefinition": definition()},
    )
    done = executed(schedule)
    assert done["MonitoringExecutionStatus"] == "CompletedWithViolations", done.get("FailureReason")
    job = sagemaker.describe_processing_job(ProcessingJobName=done["ProcessingJobArn"].rpartition("/")[2])
    assert job["MonitoringScheduleArn"] == made["MonitoringScheduleArn"]
    assert job["ExitMessage"] == "CompletedWithViolations: Job completed successfully with 2 violations."
    uri = job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    assert uri.startswith(f"s3://{bucket}/reports/{captured}/{schedule}/")
    key = f"{uri.partition(bucket)[2].lstrip('/')}/constraint_violations.json"
    found = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())["violations"]
    assert [each["feature_name"] for each in found] == ["answer", "x"]
    assert {each["constraint_check_type"] for each in found} == {"baseline_drift_check"}
    assert found[1]["description"].endswith("exceeds threshold: 0.1")
    listed = client("cloudwatch").list_metrics(
        Namespace="aws/sagemaker/Endpoints/data-metrics",
        Dimensions=[{"Name": "Endpoint", "Value": captured}, {"Name": "MonitoringSchedule", "Value": schedule}],
    )
    assert "feature_baseline_drift_x" in {each["MetricName"] for each in listed["Metrics"]}
    listing = sagemaker.list_monitoring_executions(MonitoringScheduleName=schedule)["MonitoringExecutionSummaries"]
    assert [each["ProcessingJobArn"] for each in listing] == [done["ProcessingJobArn"]]
