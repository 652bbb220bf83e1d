"""Processing jobs through boto3: baselines of the model monitor, users' scripts, and what can't be processed."""

import json
from collections.abc import Callable
from typing import Any

import pytest

ANALYZER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
ENDED = ("Completed", "Failed", "Stopped")
INPUT = "/opt/ml/processing/input/baseline_dataset_input"
CLUSTER = {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}}
TABLE = b"label,age,plan\n" + b"".join(
    f"{number % 2},{20.5 + number % 40},{'basic' if number % 3 else 'gold'}\n".encode() for number in range(300)
)


def s3_input(name: str, uri: str, path: str) -> dict[str, Any]:
    return {
        "InputName": name,
        "S3Input": {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"},
    }


def s3_output(name: str, uri: str, path: str, mode: str = "EndOfJob") -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": mode}}


@pytest.fixture
def process(
    client: Callable[..., Any],
    role: str,
    bucket: str,
    unique: Callable[[str], str],
    wait: Callable[..., dict[str, Any]],
) -> Callable[..., dict[str, Any]]:
    """Return what runs a processing job to its end and returns its description."""

    def run(**request: Any) -> dict[str, Any]:
        sagemaker, name = client("sagemaker"), unique("process")
        outputs = [s3_output("out", f"s3://{bucket}/out", "/opt/ml/processing/output")]
        given = {"RoleArn": role, "ProcessingResources": CLUSTER, "ProcessingOutputConfig": {"Outputs": outputs}}
        sagemaker.create_processing_job(ProcessingJobName=name, **{**given, **request})
        return wait(
            lambda: sagemaker.describe_processing_job(ProcessingJobName=name),
            lambda answer: answer["ProcessingJobStatus"] in ENDED,
        )

    return run


@pytest.fixture
def baseline(process: Callable[..., dict[str, Any]], upload: Callable[..., str]) -> Callable[..., dict[str, Any]]:
    """Return what makes a baseline of a dataset as the SageMaker SDK asks for one."""

    def make(content: bytes = TABLE, form: str = '{"csv": {"header": true}}', **request: Any) -> dict[str, Any]:
        environment = {
            "dataset_format": form,
            "dataset_source": INPUT,
            "output_path": "/opt/ml/processing/output",
            "publish_cloudwatch_metrics": "Disabled",
        }
        uri = upload("baseline/train.csv", content)
        return process(
            AppSpecification={"ImageUri": ANALYZER},
            ProcessingInputs=[s3_input("baseline_dataset_input", uri, INPUT)],
            Environment={**environment, **request.pop("variables", {})},
            **request,
        )

    return make


@pytest.fixture
def read(client: Callable[..., Any], bucket: str) -> Callable[[str], Any]:
    """Return what reads a JSON document of the bucket."""
    return lambda key: json.loads(client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


def test_a_baseline_job_writes_statistics_and_constraints(
    baseline: Callable[..., dict[str, Any]], read: Callable[[str], Any]
) -> None:
    done = baseline()
    assert done["ProcessingJobStatus"] == "Completed", done
    assert done["ExitMessage"] == "Completed: Job completed successfully with no violations."
    statistics, constraints = read("out/statistics.json"), read("out/constraints.json")
    assert statistics["dataset"] == {"item_count": 300}
    label, age, plan = statistics["features"]
    assert (label["inferred_type"], age["inferred_type"], plan["inferred_type"]) == ("Integral", "Fractional", "String")
    numbers = age["numerical_statistics"]
    assert numbers["common"] == {"num_present": 300, "num_missing": 0}
    assert (numbers["min"], numbers["max"]) == (20.5, 59.5)
    assert sum(bucket["count"] for bucket in numbers["distribution"]["kll"]["buckets"]) == 300
    assert plan["string_statistics"]["distinct_count"] == 2
    assert constraints["features"][1]["num_constraints"] == {"is_non_negative": True}
    assert constraints["features"][2]["string_constraints"] == {"domains": ["basic", "gold"]}
    assert constraints["monitoring_config"]["distribution_constraints"]["comparison_method"] == "Robust"
