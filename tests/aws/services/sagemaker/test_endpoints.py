"""Endpoints as boto3 sees them: created, updated, scaled, deleted, and answering meanwhile."""

import io
import tarfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
Make = Callable[..., Any]


def archive(files: dict[str, bytes]) -> bytes:
    """Return a tar.gz of files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def booster(slope: float) -> bytes:
    """Return an XGBoost model that learnt y = slope * x."""
    x = np.arange(64, dtype=np.float32).reshape(-1, 1) / 64
    trained = xgboost.train({"max_depth": 4, "nthread": 1}, xgboost.DMatrix(x, label=slope * x[:, 0]), 8)
    return bytes(trained.save_raw("json"))


@pytest.fixture
def sagemaker(client: Make) -> Any:
    return client("sagemaker")


@pytest.fixture
def deploy(sagemaker: Any, role: str, upload: Make, unique: Make) -> Make:
    """Return what makes a model and a configuration of it, and returns their names."""

    def make(content: bytes | None = None, *, image: str = XGBOOST, slope: float = 1.0, **variant: Any) -> str:
        name = unique("config")
        uri = upload(f"{name}/model.tar.gz", archive({"xgboost-model": booster(slope)}) if content is None else content)
        sagemaker.create_model(
            ModelName=name, PrimaryContainer={"Image": image, "ModelDataUrl": uri}, ExecutionRoleArn=role
        )
        given = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1} | variant
        variants = [{"VariantName": "AllTraffic", "ModelName": name, **given}]
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
        return name

    return make


@pytest.fixture
def settle(sagemaker: Any, wait: Make) -> Make:
    """Return what waits until an endpoint changes no longer, and returns its description."""

    def until(name: str, seconds: float = 60) -> dict[str, Any]:
        changing = ("Creating", "Updating", "RollingBack", "Deleting")
        found: dict[str, Any] = wait(
            lambda: sagemaker.describe_endpoint(EndpointName=name),
            lambda answer: answer["EndpointStatus"] not in changing,
            seconds,
        )
        return found

    return until


def test_an_endpoint_comes_into_service_and_goes(
    sagemaker: Any, client: Make, deploy: Make, settle: Make, unique: Make, wait: Make
) -> None:
    config, name = deploy(), unique("Endpoint")
    began = time.monotonic()
    arn = sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)["EndpointArn"]
    assert arn.endswith(f":endpoint/{name.lower()}")
    found = settle(name)
    print("InService after", time.monotonic() - began)
    assert found["EndpointStatus"] == "InService", found
    assert found["EndpointConfigName"] == config
    (variant,) = found["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"] == 1
    assert variant["CurrentWeight"] == variant["DesiredWeight"] == 1.0
    assert variant["DeployedImages"][0]["SpecifiedImage"] == XGBOOST
    assert "PendingDeploymentSummary" not in found
    answer = client("sagemaker-runtime").invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=b"0.5")
    assert float(answer["Body"].read()) == pytest.approx(0.5, abs=0.1)

    sagemaker.delete_endpoint(EndpointName=name)
    with pytest.raises(ClientError, match=f'Could not find endpoint "{arn}"'):
        wait(lambda: sagemaker.describe_endpoint(EndpointName=name), lambda _: False)
