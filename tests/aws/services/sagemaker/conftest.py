"""What SageMaker's tests share: training jobs with data that they can learn from."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pytest

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class Abalone:
    """Rings of molluscs that never lived, and what was measured of them."""

    features: Any
    rings: Any

    @classmethod
    def made(cls, rows: int, seed: int) -> "Abalone":
        """Return some."""
        random = np.random.default_rng(seed)
        features = random.gamma(2.0, 0.3, (rows, 8)).round(4)
        rings = 3 + 8 * features[:, 0] + 5 * np.sin(4 * features[:, 1]) + random.normal(0, 0.5, rows)
        return cls(features, rings.round().clip(1, 29))

    @property
    def libsvm(self) -> bytes:
        """The rows as libsvm."""
        lines = (
            " ".join([f"{label:g}", *(f"{index}:{value:g}" for index, value in enumerate(row))])
            for row, label in zip(self.features, self.rings, strict=True)
        )
        return "\n".join(lines).encode() + b"\n"

    @property
    def csv(self) -> bytes:
        """The rows as CSV, the label first."""
        lines = (
            ",".join(f"{value:g}" for value in (label, *row))
            for row, label in zip(self.features, self.rings, strict=True)
        )
        return "\n".join(lines).encode() + b"\n"


@pytest.fixture
def abalone() -> Callable[[int, int], Abalone]:
    """Return what makes rows from a number of them and a seed."""
    return Abalone.made


@pytest.fixture
def channel() -> Callable[..., dict[str, Any]]:
    """Return what makes a channel of an S3 prefix."""

    def make(
        name: str, uri: str, content_type: str = "text/csv", kind: str = "S3Prefix", **more: Any
    ) -> dict[str, Any]:
        names = {"AttributeNames": more.pop("AttributeNames")} if "AttributeNames" in more else {}
        source = {"S3DataType": kind, "S3Uri": uri, **names}
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": content_type, **more}

    return make


@pytest.fixture
def request_of(role: str, bucket: str, unique: Callable[[str], str]) -> Callable[..., dict[str, Any]]:
    """Return what makes the parameters of CreateTrainingJob from channels and hyperparameters."""

    def make(
        channels: list[dict[str, Any]],
        hyperparameters: dict[str, str] | None = None,
        *,
        image: str = XGBOOST,
        mode: str = "File",
        algorithm: dict[str, Any] | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        made = {
            "TrainingJobName": unique("job"),
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": mode, **(algorithm or {})},
            "RoleArn": role,
            "InputDataConfig": channels,
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "HyperParameters": {"num_round": "5"} if hyperparameters is None else hyperparameters,
        } | more
        return {name: value for name, value in made.items() if value is not None}

    return make


@pytest.fixture
def until(client: Callable[..., Any], wait: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return what describes a training job until a condition holds, or it has ended."""

    def described(name: str, done: Callable[[dict[str, Any]], bool] = lambda _: False, seconds: float = 90) -> Any:
        sagemaker = client("sagemaker")
        return wait(
            lambda: sagemaker.describe_training_job(TrainingJobName=name),
            lambda job: job["TrainingJobStatus"] in ENDED or done(job),
            seconds,
        )

    return described


@pytest.fixture
def train(client: Callable[..., Any], until: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return what creates a training job, waits for its end and describes it."""

    def ended(request: dict[str, Any]) -> dict[str, Any]:
        client("sagemaker").create_training_job(**request)
        return until(request["TrainingJobName"])

    return ended


@pytest.fixture
def logged(client: Callable[..., Any], wait: Callable[..., Any]) -> Callable[..., list[str]]:
    """Return what reads the log of a training job, until it has a text in it."""

    def lines(name: str, text: str = "") -> list[str]:
        logs, group = client("logs"), "/aws/sagemaker/TrainingJobs"

        def found() -> list[str]:
            if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
                return []
            streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
            if not streams:
                return []
            events = logs.get_log_events(
                logGroupName=group, logStreamName=streams[0]["logStreamName"], startFromHead=True
            )["events"]
            return [event["message"] for event in events]

        return wait(found, lambda found: any(text in line for line in found), 20)  # type: ignore[no-any-return]

    return lines


@pytest.fixture
def sklearn_image() -> str:
    """Return the scikit-learn image of the release that is here, whose environment needs no package index."""
    minor = ".".join(version("scikit-learn").split(".")[:2])
    return f"683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:{minor}-1-cpu-py3"


@pytest.fixture
def job(
    upload: Callable[[str, bytes], str],
    archive: Callable[..., bytes],
    request_of: Callable[..., dict[str, Any]],
    channel: Callable[..., dict[str, Any]],
    sklearn_image: str,
) -> Callable[..., dict[str, Any]]:
    """Return what makes the request of a job that runs `train.py` of these sources."""

    def make(
        files: dict[str, str] | bytes, hyperparameters: dict[str, str] | None = None, **members: Any
    ) -> dict[str, Any]:
        content = files if isinstance(files, bytes) else archive({name: text.encode() for name, text in files.items()})
        uri = upload("source/sourcedir.tar.gz", content)
        given = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": json.dumps(uri)}
        rows = upload("data/train/rows.csv", b"4,1,1\n5,2,1\n8,1,3\n3,0,1\n2,1,0\n").rpartition("/")[0]
        return request_of(
            [channel("train", rows)],
            given | (hyperparameters or {}),
            image=members.pop("image", sklearn_image),
            **members,
        )

    return make


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
            "MonitoringResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
            },
            "MonitoringAppSpecification": {
                "ImageUri": "159807026194.dkr.ecr.us-west-2.amazonaws.com/sagemaker-model-monitor-analyzer"
            },
            "RoleArn": role,
            **changes,
        }

    return make


@pytest.fixture
def executed(client: Callable[..., Any], wait: Callable[..., dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    """Return what waits for the last execution of a schedule and returns its summary."""
    sagemaker = client("sagemaker")

    def until(schedule: str) -> dict[str, Any]:
        answer = wait(
            lambda: sagemaker.describe_monitoring_schedule(MonitoringScheduleName=schedule),
            lambda found: (
                found["LastMonitoringExecutionSummary"]["MonitoringExecutionStatus"]
                not in ("Pending", "InProgress", "Stopping")
            ),
        )
        return dict(answer["LastMonitoringExecutionSummary"])

    return until
