"""Transform jobs through boto3, on a model of Headrace's own and on XGBoost's."""

import json
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tarfile import TarFile, TarInfo
from typing import Any

import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ENDED = ("Completed", "Failed", "Stopped")


@pytest.fixture(scope="module")
def booster() -> Any:
    """Return a small XGBoost model of three features."""
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 3)).astype(np.float32)
    matrix = xgboost.DMatrix(features, features @ np.array([1.0, -2.0, 0.5], np.float32))
    return xgboost.train({"max_depth": 3, "nthread": 1}, matrix, 10)


@pytest.fixture
def archive(booster: Any, tmp_path: Path) -> bytes:
    """Return the model as a model.tar.gz."""
    path = tmp_path / "model.json"
    booster.save_model(path)
    content, packed = path.read_bytes(), BytesIO()
    with TarFile.open(fileobj=packed, mode="w:gz") as tar:
        member = TarInfo("xgboost-model")
        member.size = len(content)
        tar.addfile(member, BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def make_model(
    client: Callable[..., Any], role: str, unique: Callable[[str], str], upload: Callable[..., str], archive: bytes
) -> Callable[..., str]:
    """Return what creates a model of the booster and returns its name."""

    def make(role_arn: str = role) -> str:
        name = unique("model")
        container = {"Image": IMAGE, "ModelDataUrl": upload("model/model.tar.gz", archive)}
        client("sagemaker").create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role_arn)
        return name

    return make


@pytest.fixture
def transform(
    client: Callable[..., Any], bucket: str, unique: Callable[[str], str], make_model: Callable[..., str], wait: Any
) -> Callable[..., dict[str, Any]]:
    """Return what runs a transform job over the bucket's `in/` and returns its description when it has ended."""

    def run(model: str = "", *, until: tuple[str, ...] = ENDED, seconds: float = 60, **given: Any) -> dict[str, Any]:
        sagemaker, name = client("sagemaker"), given.pop("name", None) or unique("transform")
        source = {"S3DataType": given.pop("data_type", "S3Prefix"), "S3Uri": given.pop("uri", f"s3://{bucket}/in/")}
        reading = {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"}
        writing = {"S3OutputPath": f"s3://{bucket}/out", "Accept": "text/csv", "AssembleWith": "Line"}
        request = {
            "TransformJobName": name,
            "ModelName": model or make_model(),
            "TransformInput": reading | given.pop("reading", {}),
            "TransformOutput": writing | given.pop("writing", {}),
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        }
        assert sagemaker.create_transform_job(**request | given)["TransformJobArn"].endswith(f"transform-job/{name}")
        return wait(
            lambda: sagemaker.describe_transform_job(TransformJobName=name),
            lambda answer: answer["TransformJobStatus"] in until,
            seconds,
        )

    return run


@pytest.fixture
def output(client: Callable[..., Any], bucket: str) -> Callable[[str], bytes]:
    """Return what reads an object of the bucket."""
    return lambda key: client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


def rows(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 3)).round(4).astype(np.float32)


def csv(values: np.ndarray) -> bytes:
    return "".join(",".join(f"{value:.4f}" for value in row) + "\n" for row in values).encode()


def predicted(booster: Any, values: np.ndarray) -> np.ndarray:
    return booster.predict(xgboost.DMatrix(values))


def test_every_record_is_answered_in_its_order(
    transform: Any, upload: Any, output: Any, booster: Any, client: Any
) -> None:
    values = rows(500)
    upload("in/a.csv", csv(values))
    upload("in/deeper/b.csv", csv(values[::-1]))
    done = transform(MaxConcurrentTransforms=4, BatchStrategy="SingleRecord", MaxPayloadInMB=1)
    assert done["TransformJobStatus"] == "Completed", done
    found = np.array(output("out/a.csv.out").split(), np.float32)
    np.testing.assert_allclose(found, predicted(booster, values), rtol=1e-5)
    np.testing.assert_array_equal(np.array(output("out/deeper/b.csv.out").split(), np.float32), found[::-1])
    assert done["CreationTime"] <= done["TransformStartTime"] <= done["TransformEndTime"]
    assert done["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
