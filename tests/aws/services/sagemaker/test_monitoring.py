"""Monitoring schedules through boto3: captured data of an endpoint against a baseline, and what can't be monitored."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

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


def test_a_definition_is_run_by_schedules(
    client: Callable[..., Any],
    captured: str,
    definition: Callable[..., dict[str, Any]],
    executed: Callable[[str], dict[str, Any]],
    unique: Callable[[str], str],
) -> None:
    sagemaker, name, schedule = client("sagemaker"), unique("quality"), unique("schedule")
    job = definition()
    given = {
        "DataQualityAppSpecification": {**job["MonitoringAppSpecification"], "Environment": {"A": "b"}},
        "DataQualityJobInput": job["MonitoringInputs"][0],
        "DataQualityJobOutputConfig": job["MonitoringOutputConfig"],
        "JobResources": CLUSTER,
        "RoleArn": job["RoleArn"],
    }
    made = sagemaker.create_data_quality_job_definition(JobDefinitionName=name, **given)
    with pytest.raises(ClientError, match="exists already") as taken:
        sagemaker.create_data_quality_job_definition(JobDefinitionName=name, **given)
    assert taken.value.response["Error"]["Code"] == "ResourceInUse"
    told = sagemaker.describe_data_quality_job_definition(JobDefinitionName=name)
    assert {key: told[key] for key in given} == given
    (listed,) = sagemaker.list_data_quality_job_definitions(EndpointName=captured)["JobDefinitionSummaries"]
    assert listed["MonitoringJobDefinitionArn"] == made["JobDefinitionArn"]
    config = {"MonitoringJobDefinitionName": name, "MonitoringType": "DataQuality", "ScheduleConfig": ONCE}
    sagemaker.create_monitoring_schedule(MonitoringScheduleName=schedule, MonitoringScheduleConfig=config)
    (summary,) = sagemaker.list_monitoring_schedules(MonitoringJobDefinitionName=name)["MonitoringScheduleSummaries"]
    assert (summary["MonitoringScheduleName"], summary["EndpointName"]) == (schedule, captured)
    done = executed(schedule)
    assert (done["MonitoringExecutionStatus"], done["FailureReason"]) == (
        "Failed",
        "Job inputs had no data",
    )
    job = sagemaker.describe_processing_job(ProcessingJobName=done["ProcessingJobArn"].rpartition("/")[2])
    assert (job["Environment"]["A"], job["Environment"]["sagemaker_endpoint_name"]) == ("b", captured)
    listing = sagemaker.list_monitoring_executions(MonitoringJobDefinitionName=name, StatusEquals="Failed")
    assert len(listing["MonitoringExecutionSummaries"]) == 1
    sagemaker.delete_data_quality_job_definition(JobDefinitionName=name)
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName=schedule)
    for gone in (
        lambda: sagemaker.describe_data_quality_job_definition(JobDefinitionName=name),
        lambda: sagemaker.describe_monitoring_schedule(MonitoringScheduleName=schedule),
    ):
        with pytest.raises(ClientError, match="Requested resource not found") as missing:
            gone()
        assert missing.value.response["Error"]["Code"] == "ResourceNotFound"


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


BATCH = {
    "BatchTransformInput": {
        "DataCapturedDestinationS3Uri": "s3://b/c", "DatasetFormat": {"Csv": {"Header": True}}, "LocalPath": "/opt/ml/processing/i",
    }
}  # fmt: skip
SCRIPT = {"ImageUri": ANALYZER, "RecordPreprocessorSourceUri": "s3://b/script.py"}
REFUSED: list[tuple[dict[str, Any], str]] = [
    (endpoint_input("no-such-endpoint"), 'Could not find endpoint "arn:aws:sagemaker:us-east-1:'),
    ({"MonitoringInputs": [BATCH]}, "BatchTransformInput is not monitored here"),
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
