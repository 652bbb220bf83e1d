"""What tests of services share: a role, a bucket, an archive, endpoints of small models, and waiting for a state."""

import io
import json
import tarfile
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"}}


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Return what makes a name that no other test has."""
    return lambda prefix: f"{prefix}-{uuid4().hex[:12]}"


@pytest.fixture
def make_role(client: Callable[..., Any], unique: Callable[[str], str]) -> Callable[..., str]:
    """Return what makes a role that trusts SageMaker, with an inline policy (S3 and logs unless given)."""

    def make(policy: dict[str, Any] | None = EVERYTHING, trust: dict[str, Any] = TRUST) -> str:
        iam, name = client("iam"), unique("role")
        arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        if policy is not None:
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(policy))
        return arn

    return make


@pytest.fixture
def role(make_role: Callable[..., str]) -> str:
    """Return the ARN of a role that trusts SageMaker and may use S3 and logs."""
    return make_role()


@pytest.fixture
def bucket(client: Callable[..., Any], unique: Callable[[str], str]) -> str:
    """Return the name of a new bucket."""
    name = unique("bucket")
    client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def upload(client: Callable[..., Any], bucket: str) -> Callable[[str, bytes], str]:
    """Return what puts bytes into the bucket under a key and returns their S3 URI."""

    def put(key: str, content: bytes) -> str:
        client("s3").put_object(Bucket=bucket, Key=key, Body=content)
        return f"s3://{bucket}/{key}"

    return put


@pytest.fixture
def wait() -> Callable[..., dict[str, Any]]:
    """Return what repeats a describe call until its answer satisfies a condition, and returns that answer."""

    def until(
        describe: Callable[[], dict[str, Any]], done: Callable[[dict[str, Any]], bool], seconds: float = 60
    ) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while not done(answer := describe()):
            assert time.monotonic() < deadline, answer
            time.sleep(0.1)
        return answer

    return until


@pytest.fixture
def archive() -> Callable[[dict[str, bytes]], bytes]:
    """Return what packs files, by name, as a model.tar.gz."""

    def pack(files: dict[str, bytes]) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return buffer.getvalue()

    return pack


@pytest.fixture
def slope_model(archive: Callable[..., bytes]) -> Callable[[float], bytes]:
    """Return what makes the model.tar.gz of an XGBoost model of one feature x that answers about slope * x in [0, 1]."""
    import numpy as np
    import xgboost

    def make(slope: float = 1.0) -> bytes:
        x = np.arange(64, dtype=np.float32).reshape(-1, 1) / 64
        trained = xgboost.train({"max_depth": 4, "nthread": 1}, xgboost.DMatrix(x, label=slope * x[:, 0]), 12)
        return archive({"xgboost-model": bytes(trained.save_raw("json"))})

    return make


@pytest.fixture
def configure(
    client: Callable[..., Any],
    role: str,
    upload: Callable[..., str],
    unique: Callable[[str], str],
    slope_model: Callable[..., bytes],
) -> Callable[..., str]:
    """Return what makes a model of a model.tar.gz and a configuration with one variant of it: the name of both.

    Further members of the variant are given as keywords; by default it is one instance of a model with `slope`.
    """

    def make(content: bytes | None = None, *, image: str = XGBOOST, slope: float = 1.0, **variant: Any) -> str:
        name, sagemaker = unique("served"), client("sagemaker")
        uri = upload(f"{name}/model.tar.gz", slope_model(slope) if content is None else content)
        container = {"Image": image, "ModelDataUrl": uri}
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
        given = {} if "ServerlessConfig" in variant else {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        variants = [{"VariantName": "AllTraffic", "ModelName": name, **given, **variant}]
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
        return name

    return make


@pytest.fixture
def settle(client: Callable[..., Any], wait: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return what waits until an endpoint changes no longer, and returns its description."""

    def until(name: str, seconds: float = 60) -> dict[str, Any]:
        changing = ("Creating", "Updating", "RollingBack", "Deleting")
        sagemaker = client("sagemaker")
        return wait(
            lambda: sagemaker.describe_endpoint(EndpointName=name),
            lambda answer: answer["EndpointStatus"] not in changing,
            seconds,
        )

    return until


@pytest.fixture
def endpoint(
    client: Callable[..., Any], settle: Callable[..., dict[str, Any]], unique: Callable[[str], str]
) -> Callable[[str], str]:
    """Return what makes an endpoint of a configuration and waits until it is in service; returns its name."""

    def make(configuration: str) -> str:
        name = unique("Endpoint")
        client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=configuration)
        found = settle(name)
        assert found["EndpointStatus"] == "InService", found
        return name

    return make


@pytest.fixture
def ask(client: Callable[..., Any]) -> Callable[..., float]:
    """Return what invokes an endpoint with one number as CSV and returns the number that it answers."""
    runtime = client("sagemaker-runtime")

    def invoke(name: str, x: float = 0.5, **more: Any) -> float:
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=str(x).encode(), **more)
        return float(answer["Body"].read())

    return invoke
