"""AWS's fourth flow through boto3, while an endpoint serves: two variants by weight, and what is captured of them."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

pytestmark = pytest.mark.clients

SOON = {"Delay": 1, "MaxAttempts": 200}


@pytest.fixture
def ask(aws: Any, row: str) -> Callable[..., Any]:
    runtime = aws("sagemaker-runtime")

    def invoke(name: str, **more: Any) -> tuple[str, float]:
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="text/csv", Body=row, **more)
        return answer["InvokedProductionVariant"], float(answer["Body"].read())

    return invoke


def test_variants_share_requests_by_their_weights(
    aws: Any, models: list[str], create_model: Any, deploy: Any, ask: Any, appears: Any
) -> None:
    sagemaker = aws("sagemaker")
    variants = [
        {"ModelName": create_model(uri), "VariantName": f"Variant{at}", "InitialVariantWeight": 1}
        for at, uri in enumerate(models, 1)
    ]
    name = deploy(*variants)
    asked = Counter(ask(name)[0] for _ in range(60))
    assert min(asked["Variant1"], asked["Variant2"]) > 10
    assert ask(name, TargetVariant="Variant1")[1] != ask(name, TargetVariant="Variant2")[1]

    now = datetime.now(UTC)
    dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "Variant2"}]
    counted = {
        "Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Statistics": ["Sum"], "Dimensions": dimensions, "Period": 3600,
        "StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1),
    }  # fmt: skip
    appears(aws("cloudwatch"), "GetMetricStatistics", f"sum(Datapoints[].Sum) == `{asked['Variant2'] + 1}`", **counted)

    def weigh(*weights: float) -> dict[str, Any]:
        desired = [{"VariantName": f"Variant{at}", "DesiredWeight": weight} for at, weight in enumerate(weights, 1)]
        sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=desired)
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=SOON)
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
        assert [each["CurrentWeight"] for each in found["ProductionVariants"]] == list(weights)
        return found

    weigh(25, 75)
    asked = Counter(ask(name)[0] for _ in range(80))
    assert asked["Variant2"] > asked["Variant1"] > 0
    weigh(0, 1)
    assert {ask(name)[0] for _ in range(20)} == {"Variant2"}

    capacity = [{"VariantName": "Variant2", "DesiredInstanceCount": 2}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=capacity)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=SOON)
    found = sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    assert {each["VariantName"]: each["CurrentInstanceCount"] for each in found} == {"Variant1": 1, "Variant2": 2}


def test_requests_and_answers_are_captured(
    aws: Any, bucket: str, models: list[str], create_model: Any, deploy: Any, ask: Any, row: str, appears: Any
) -> None:
    s3, folder = aws("s3"), f"captured-{uuid4().hex[:8]}"
    name = deploy(
        {"ModelName": create_model(models[0]), "VariantName": "AllTraffic"},
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{bucket}/{folder}",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
        },
    )
    described = aws("sagemaker").describe_endpoint(EndpointName=name)["DataCaptureConfig"]
    assert described["CaptureStatus"] == "Started"
    _, answer = ask(name, InferenceId="first")
    appears(s3, "ListObjectsV2", "KeyCount > `0`", Bucket=bucket, Prefix=f"{folder}/{name}/AllTraffic/")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=folder)["Contents"]]
    record = json.loads(s3.get_object(Bucket=bucket, Key=keys[0])["Body"].read().splitlines()[0])
    assert keys[0].endswith(".jsonl")
    assert record["eventMetadata"]["inferenceId"] == "first"
    sent, answered = record["captureData"]["endpointInput"], record["captureData"]["endpointOutput"]
    assert (sent["mode"], sent["observedContentType"], answered["mode"]) == ("INPUT", "text/csv", "OUTPUT")
    texts = [
        base64.b64decode(each["data"]).decode() if each["encoding"] == "BASE64" else each["data"]
        for each in (sent, answered)
    ]
    assert (texts[0], float(texts[1])) == (row, answer)
