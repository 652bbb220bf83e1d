"""Variants through boto3: shares of the traffic by weight, shadows, and serverless ones with their limits."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]
GIVEN = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}


@pytest.fixture
def sagemaker(client: Make) -> Any:
    return client("sagemaker")


@pytest.fixture
def captured(client: Make, bucket: str, wait: Make) -> Make:
    """Return what waits for a number of captured lines of a variant, and returns them."""
    s3 = client("s3")

    def lines(endpoint: str, variant: str, count: int) -> list[dict[str, Any]]:
        def found() -> dict[str, Any]:
            keys = s3.list_objects_v2(Bucket=bucket, Prefix=f"captured/{endpoint}/{variant}/").get("Contents", ())
            bodies = [s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().decode() for each in keys]
            return {"lines": [json.loads(line) for body in bodies for line in body.splitlines()]}

        read: list[dict[str, Any]] = wait(found, lambda answer: len(answer["lines"]) >= count, 30)["lines"]
        return read

    return lines


def test_traffic_is_shared_by_weight(
    sagemaker: Any, client: Make, configure: Make, endpoint: Make, unique: Make
) -> None:
    one, two, name = configure(slope=1.0), configure(slope=3.0), unique("shared")
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {"VariantName": "one", "ModelName": one, "InitialVariantWeight": 3, **GIVEN},
            {"VariantName": "two", "ModelName": two, "InitialVariantWeight": 1, **GIVEN},
        ],
    )
    name, runtime = endpoint(name), client("sagemaker-runtime")
    chosen: Counter[str] = Counter()
    for _ in range(200):
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=b"0.5")
        variant = answer["InvokedProductionVariant"]
        chosen[variant] += 1
        assert float(answer["Body"].read()) == pytest.approx({"one": 0.5, "two": 1.5}[variant], abs=0.15)
    assert 115 <= chosen["one"] <= 185
    answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=b"0.5", TargetVariant="two")
    assert answer["InvokedProductionVariant"] == "two"


def test_a_shadow_gets_copies_and_answers_nobody(
    sagemaker: Any, configure: Make, endpoint: Make, unique: Make, ask: Make, bucket: str, captured: Make
) -> None:
    one, two, name = configure(slope=1.0), configure(slope=3.0), unique("shadowed")
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[{"VariantName": "live", "ModelName": one, **GIVEN}],
        ShadowProductionVariants=[{"VariantName": "shadow", "ModelName": two, "InitialVariantWeight": 1, **GIVEN}],
        DataCaptureConfig={
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{bucket}/captured",
            "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
    )
    name = endpoint(name)
    found = sagemaker.describe_endpoint(EndpointName=name)
    assert [each["VariantName"] for each in found["ShadowProductionVariants"]] == ["shadow"]
    assert [ask(name) for _ in range(3)] == pytest.approx([0.5] * 3, abs=0.05)
    with pytest.raises(ClientError, match="Variant shadow not found"):
        ask(name, TargetVariant="shadow")
    for variant, answer in (("live", 0.5), ("shadow", 1.5)):
        lines = captured(name, variant, 3)
        outputs = [float(each["captureData"]["endpointOutput"]["data"]) for each in lines]
        assert outputs == pytest.approx([answer] * 3, abs=0.15)


def test_what_is_captured_and_how_it_is_encoded(
    sagemaker: Any, client: Make, configure: Make, endpoint: Make, unique: Make, bucket: str, captured: Make
) -> None:
    model, runtime = configure(), client("sagemaker-runtime")

    def capturing(**more: Any) -> str:
        name = unique("capturing")
        config = {
            "InitialSamplingPercentage": 100, "DestinationS3Uri": f"s3://{bucket}/captured",
            "CaptureOptions": [{"CaptureMode": "Input"}], "KmsKeyId": "alias/mine",
        }  # fmt: skip
        sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[{"VariantName": "a", "ModelName": model, **GIVEN}],
            DataCaptureConfig=config | more,
        )
        made: str = endpoint(name)
        return made

    both = [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}]
    header = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}
    plain, typed, never = (
        capturing(),
        capturing(CaptureOptions=both, CaptureContentTypeHeader=header),
        capturing(InitialSamplingPercentage=0),
    )
    for name in (never, plain, typed):
        runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Accept="application/json", Body=b"0.5")
    (line,) = captured(typed, "a", 1)
    assert set(line) == {"captureData", "eventMetadata", "eventVersion"}
    data = line["captureData"]
    assert data["endpointInput"] == {
        "observedContentType": "text/csv", "mode": "INPUT", "data": "0.5", "encoding": "CSV",
    }  # fmt: skip
    assert data["endpointOutput"]["observedContentType"] == "application/json"
    assert data["endpointOutput"]["encoding"] == "JSON"
    assert "score" in json.loads(data["endpointOutput"]["data"])["predictions"][0]
    assert set(line["eventMetadata"]) == {"eventId", "inferenceTime"}
    (line,) = captured(plain, "a", 1)
    assert line["captureData"] == {
        "endpointInput": {
            "observedContentType": "text/csv", "mode": "INPUT", "data": "MC41", "encoding": "BASE64",
        }
    }  # fmt: skip
    assert captured(never, "a", 0) == []
    assert sagemaker.describe_endpoint(EndpointName=plain)["DataCaptureConfig"] == {
        "EnableCapture": True, "CaptureStatus": "Started", "CurrentSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{bucket}/captured", "KmsKeyId": "alias/mine",
    }  # fmt: skip


def test_a_serverless_variant_has_limits(
    sagemaker: Any, client: Make, configure: Make, endpoint: Make, settle: Make, ask: Make
) -> None:
    limits = {"MemorySizeInMB": 1024, "MaxConcurrency": 2}
    name, runtime = endpoint(configure(ServerlessConfig=limits)), client("sagemaker-runtime")
    (variant,) = sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == variant["DesiredServerlessConfig"] == limits
    assert variant["CurrentInstanceCount"] == 0
    assert ask(name) == pytest.approx(0.5, abs=0.05)
    whole = b"0.5\n" * (1 << 20)
    for call in (runtime.invoke_endpoint, runtime.invoke_endpoint_with_response_stream):
        with pytest.raises(ClientError, match="Member must have length less than or equal to 4194304") as raised:
            call(EndpointName=name, ContentType="text/csv", Body=whole + b"1")
        assert raised.value.response["Error"]["Code"] == "ValidationError"
    answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=whole)["Body"].read()
    assert len(answer.splitlines()) == 1 << 20
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "ServerlessUpdateConfig": {"MaxConcurrency": 7}}],
    )
    assert settle(name)["ProductionVariants"][0]["CurrentServerlessConfig"] == limits | {"MaxConcurrency": 7}


def test_a_serverless_variant_answers_no_more_at_once_than_it_may(
    client: Make, configure: Make, endpoint: Make, ask: Make
) -> None:
    name = endpoint(configure(ServerlessConfig={"MemorySizeInMB": 1024, "MaxConcurrency": 1}))
    runtime = client("sagemaker-runtime")

    def invoke(_: int) -> str:
        try:
            answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=b"0.5\n" * (1 << 18))
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return f"{len(answer['Body'].read().splitlines())} lines"

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(invoke, range(8))) == {f"{1 << 18} lines", "ThrottlingException"}
    assert ask(name) == pytest.approx(0.5, abs=0.05)
