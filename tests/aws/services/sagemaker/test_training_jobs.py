"""Training jobs of built-in algorithms, through boto3."""

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.exceptions import ClientError

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ENDED = ("Completed", "Failed", "Stopped")
Request = Callable[..., dict[str, Any]]
Train = Callable[..., dict[str, Any]]


def abalone(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rings of molluscs that never lived, and what was measured of them."""
    random = np.random.default_rng(seed)
    features = random.gamma(2.0, 0.3, (rows, 8)).round(4)
    rings = 3 + 8 * features[:, 0] + 5 * np.sin(4 * features[:, 1]) + random.normal(0, 0.5, rows)
    return features, rings.round().clip(1, 29)


def libsvm(features: np.ndarray, labels: np.ndarray) -> bytes:
    lines = (
        " ".join([f"{label:g}", *(f"{index}:{value:g}" for index, value in enumerate(row))])
        for row, label in zip(features, labels, strict=True)
    )
    return "\n".join(lines).encode() + b"\n"


def channel(name: str, uri: str, content_type: str = "text/libsvm", **more: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, "ContentType": content_type, **more}


@pytest.fixture
def request_of(role: str, bucket: str, unique: Callable[[str], str]) -> Request:
    """Return what makes the parameters of CreateTrainingJob from channels and hyperparameters."""

    def make(channels: list[dict[str, Any]], hyperparameters: dict[str, str], **more: Any) -> dict[str, Any]:
        return {
            "TrainingJobName": unique("job"),
            "AlgorithmSpecification": {"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
            "RoleArn": role,
            "InputDataConfig": channels,
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
            "HyperParameters": hyperparameters,
        } | more

    return make


@pytest.fixture
def train(client: Callable[..., Any], wait: Callable[..., dict[str, Any]]) -> Train:
    """Return what creates a training job, waits for its end and describes it."""

    def until_ended(request: dict[str, Any]) -> dict[str, Any]:
        sagemaker = client("sagemaker")
        sagemaker.create_training_job(**request)
        return wait(
            lambda: sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"]),
            lambda job: job["TrainingJobStatus"] in ENDED,
        )

    return until_ended


def test_xgboost_trains_as_the_library_does(
    client: Callable[..., Any], upload: Callable[[str, bytes], str], request_of: Request, train: Train, bucket: str
) -> None:
    """CreateTrainingJob ends with the very error on validation that the package gives, and a model that it loads."""
    import xgboost

    features, rings = abalone(800, 1)
    others, theirs = abalone(200, 2)
    given = {"objective": "reg:squarederror", "eta": "0.2", "max_depth": "5", "num_round": "50", "subsample": "0.7"}
    request = request_of(
        [
            channel("train", upload("train/part.libsvm", libsvm(features, rings))),
            channel("validation", upload("validation/part.libsvm", libsvm(others, theirs))),
        ],
        given,
    )
    job = train(request)
    assert job["TrainingJobStatus"] == "Completed", job
    print(json.dumps(job, default=str, indent=1))
