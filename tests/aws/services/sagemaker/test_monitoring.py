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
    ask_much([str(5 + number / ROWS) for number in range(ROWS)])
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
