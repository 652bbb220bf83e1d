"""Models of several containers, and models whose data lie in S3 in other ways than one archive, as they answer."""

import io
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.fixture
def deploy(client: Make, role: str, unique: Make, endpoint: Make) -> Make:
    """Return what makes a model, and an endpoint with one variant of it; returns the endpoint's name."""

    def make(**model: Any) -> str:
        sagemaker, name = client("sagemaker"), unique("model")
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, **model)
        variant = {"VariantName": "a", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        made: str = endpoint(name)
        return made

    return make


@pytest.fixture
def containers(upload: Make, slope_model: Make) -> list[dict[str, Any]]:
    """Return two containers, of which the first triples what it is given and the second halves it, up to 3."""
    return [
        {"ContainerHostname": name, "Image": IMAGE, "ModelDataUrl": upload(f"{name}.tar.gz", slope_model(slope))}
        for name, slope in (("halved", 0.5), ("again", 0.5))
    ]


def test_a_pipeline_hands_on_what_each_container_answers(
    deploy: Make, containers: Any, client: Make, ask: Make
) -> None:
    name = deploy(Containers=containers)
    assert ask(name, 0.8) == pytest.approx(0.2, abs=0.05)
    runtime = client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Accept="application/json", Body=b"0.8")
    assert answer["ContentType"] == "application/json"
    with pytest.raises(ClientError, match="takes no TargetContainerHostname"):
        ask(name, TargetContainerHostname="again")
    with pytest.raises(ClientError, match=r"Received client error \(415\) from halved with message") as raised:
        runtime.invoke_endpoint(EndpointName=name, ContentType="image/png", Body=b"0.8")
    assert raised.value.response["OriginalStatusCode"] == 415


def test_the_container_that_fails_is_named(
    deploy: Make, containers: Any, ask: Make, upload: Make, archive: Make
) -> None:
    import numpy as np
    import xgboost

    wide = xgboost.train({"nthread": 1}, xgboost.DMatrix(np.eye(3), label=[1, 2, 3]), 1)
    second = {"Image": IMAGE, "ModelDataUrl": upload("wide.tar.gz", archive({"xgboost-model": wide.save_raw("json")}))}
    first = {key: value for key, value in containers[0].items() if key != "ContainerHostname"}
    with pytest.raises(ClientError, match=r"\(400\) from container-2 with message .Feature size of the request 1"):
        ask(deploy(Containers=[first, second]))


def test_containers_that_are_asked_by_name(
    deploy: Make, containers: Any, ask: Make, upload: Make, slope_model: Make
) -> None:
    containers[1]["ModelDataUrl"] = upload("tripled.tar.gz", slope_model(3.0))
    name = deploy(Containers=containers, InferenceExecutionConfig={"Mode": "Direct"})
    assert ask(name, TargetContainerHostname="halved") == pytest.approx(0.25, abs=0.05)
    assert ask(name, TargetContainerHostname="again") == pytest.approx(1.5, abs=0.15)
    for given, said in (
        ({}, "is invoked directly"),
        ({"TargetContainerHostname": "other"}, "has no container 'other'"),
    ):
        with pytest.raises(ClientError, match=said) as raised:
            ask(name, **given)
        assert raised.value.response["Error"]["Code"] == "ValidationError"


@pytest.mark.parametrize("kind", ["S3Prefix", "S3Object"])
def test_data_that_are_not_packed(
    deploy: Make, upload: Make, slope_model: Make, ask: Make, bucket: str, kind: str
) -> None:
    with tarfile.open(fileobj=io.BytesIO(slope_model())) as tar:
        member = tar.extractfile("xgboost-model")
        assert member is not None
        uri = upload("unpacked/xgboost-model", member.read())
    upload("unpacked/notes/readme.txt", b"of no use to it")
    source = {
        "S3Uri": f"s3://{bucket}/unpacked/" if kind == "S3Prefix" else uri, "S3DataType": kind,
        "CompressionType": "None",
    }  # fmt: skip
    name = deploy(PrimaryContainer={"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}})
    assert ask(name) == pytest.approx(0.5, abs=0.05)
