"""Invocations through boto3: what goes in and comes out, and how it is refused."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]


@pytest.fixture
def runtime(client: Client) -> Any:
    return client("sagemaker-runtime")


def refused(call: Callable[[], Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as raised:
        call()
    response: dict[str, Any] = raised.value.response
    return response


@pytest.fixture
def served(configure: Callable[..., str], endpoint: Callable[[str], str]) -> str:
    return endpoint(configure())


def test_an_answer_names_its_type_and_its_variant(runtime: Any, served: str) -> None:
    answer = runtime.invoke_endpoint(EndpointName=served, ContentType="text/csv", Body=b"0.5\n0.25")
    assert answer["ContentType"].startswith("text/csv")
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    values = [float(each) for each in answer["Body"].read().splitlines()]
    assert values == pytest.approx([0.5, 0.25], abs=0.1)
    assert "CustomAttributes" not in answer


def test_what_a_container_refuses_is_a_model_error(runtime: Any, served: str) -> None:
    wrong = refused(lambda: runtime.invoke_endpoint(EndpointName=served, ContentType="image/png", Body=b"\x89PNG"))
    assert wrong["Error"]["Code"] == "ModelError"
    assert wrong["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert wrong["OriginalStatusCode"] == 415
    assert wrong["OriginalMessage"]
    assert wrong["LogStreamArn"].endswith(f":log-group:/aws/sagemaker/Endpoints/{served}")
    assert 'Received client error (415) from primary with message "' in wrong["Error"]["Message"]
    width = refused(lambda: runtime.invoke_endpoint(EndpointName=served, ContentType="text/csv", Body=b"1,2,3"))
    assert (width["Error"]["Code"], width["OriginalStatusCode"]) == ("ModelError", 400)
    text = refused(lambda: runtime.invoke_endpoint(EndpointName=served, ContentType="text/csv", Body=b"a"))
    assert (text["Error"]["Code"], text["OriginalStatusCode"]) == ("ModelError", 400)


def test_an_unknown_endpoint_in_awss_words(runtime: Any, client: Client) -> None:
    account = client("sts").get_caller_identity()["Account"]
    error = refused(lambda: runtime.invoke_endpoint(EndpointName="nothing", Body=b"1"))
    assert error["Error"] == {"Code": "ValidationError", "Message": f"Endpoint nothing of account {account} not found."}
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_endpoint_that_is_deleted_answers_no_longer(
    runtime: Any, client: Client, served: str, wait: Callable[..., Any]
) -> None:
    client("sagemaker").delete_endpoint(EndpointName=served)
    error = refused(lambda: runtime.invoke_endpoint(EndpointName=served, ContentType="text/csv", Body=b"1"))
    assert error["Error"]["Code"] == "ValidationError"
    assert "not found" in error["Error"]["Message"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"TargetVariant": "Other"}, "Variant Other not found for Request"),
        ({"TargetModel": "a.tar.gz"}, "leave out TargetModel"),
        ({"TargetContainerHostname": "first"}, "takes no TargetContainerHostname"),
        ({"EnableExplanations": "`true`"}, "leave out EnableExplanations"),
        ({"InferenceComponentName": "part"}, "leave out InferenceComponentName"),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else "",
)
def test_what_does_not_fit_the_endpoint_is_refused(runtime: Any, served: str, given: dict[str, str], said: str) -> None:
    error = refused(lambda: runtime.invoke_endpoint(EndpointName=served, ContentType="text/csv", Body=b"1", **given))
    assert error["Error"]["Code"] == "ValidationError"
    assert said in error["Error"]["Message"]


def test_a_body_beyond_the_limit_is_refused(runtime: Any, served: str) -> None:
    error = refused(lambda: runtime.invoke_endpoint(EndpointName=served, ContentType="text/csv", Body=b"1" * 6_291_457))
    assert error["ResponseMetadata"]["HTTPStatusCode"] in (400, 413)
    assert error["Error"]["Code"] in ("ValidationException", "ValidationError")


def test_a_stream_of_payload_parts(runtime: Any, served: str) -> None:
    answer = runtime.invoke_endpoint_with_response_stream(EndpointName=served, ContentType="text/csv", Body=b"0.5")
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["ContentType"].startswith("text/csv")
    parts = [event["PayloadPart"]["Bytes"] for event in answer["Body"]]
    assert float(b"".join(parts)) == pytest.approx(0.5, abs=0.1)
    error = refused(
        lambda: runtime.invoke_endpoint_with_response_stream(EndpointName=served, ContentType="image/png", Body=b"1")
    )
    assert (error["Error"]["Code"], error["OriginalStatusCode"]) == ("ModelError", 415)


@pytest.fixture
def a_user(client: Client, unique: Callable[[str], str]) -> Callable[[], tuple[str, Any]]:
    """Return what makes a user without rights: the name, and a client of sagemaker-runtime with a key of the user."""

    def make() -> tuple[str, Any]:
        iam, name = client("iam"), unique("user")
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        words = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        return name, client("sagemaker-runtime", **words)

    return make


def test_a_user_needs_the_permission_on_that_endpoint(
    client: Client, served: str, a_user: Callable[[], tuple[str, Any]]
) -> None:
    iam, (name, mine) = client("iam"), a_user()
    arn = client("sagemaker").describe_endpoint(EndpointName=served)["EndpointArn"]

    def invoke() -> Any:
        return mine.invoke_endpoint(EndpointName=served, ContentType="text/csv", Body=b"0.5")

    assert refused(invoke)["Error"]["Code"] == "AccessDeniedException"
    allow = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": allow})
    iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=policy)
    assert invoke()["Body"].read()
    iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=policy.replace(arn, f"{arn}x"))
    assert refused(invoke)["Error"]["Code"] == "AccessDeniedException"


def test_requests_are_counted_and_timed_in_cloudwatch(
    runtime: Any, client: Client, served: str, ask: Callable[..., float], wait: Callable[..., Any]
) -> None:
    for _ in range(3):
        ask(served)
    refused(lambda: runtime.invoke_endpoint(EndpointName=served, ContentType="image/png", Body=b"1"))
    sums = _sums(client("cloudwatch"), served, "AllTraffic")
    wait(sums, lambda found: found.get("Invocations") == 4, 20)
    found = sums()
    assert found["InvocationsPerInstance"] == 4
    assert found["Invocation4XXErrors"] == 1
    assert found["Invocation5XXErrors"] == 0
    assert found["ModelLatency"] > 0
    assert found["OverheadLatency"] > 0


def _sums(cloudwatch: Any, endpoint: str, variant: str) -> Callable[[], dict[str, float]]:
    from datetime import UTC, datetime, timedelta

    names = (
        "Invocations", "InvocationsPerInstance", "Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency",
        "OverheadLatency",
    )  # fmt: skip

    def ask() -> dict[str, float]:
        now = datetime.now(UTC)
        dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
        found = {}
        for name in names:
            points = cloudwatch.get_metric_statistics(
                Namespace="AWS/SageMaker", MetricName=name, Dimensions=dimensions, StartTime=now - timedelta(hours=1),
                EndTime=now + timedelta(minutes=2), Period=60, Statistics=["Sum"],
            )["Datapoints"]  # fmt: skip
            if points:
                found[name] = sum(point["Sum"] for point in points)
        return found

    return ask


@pytest.fixture
def capturing(
    client: Client,
    configure: Callable[..., str],
    endpoint: Callable[[str], str],
    bucket: str,
    unique: Callable[..., str],
) -> Iterator[str]:
    sagemaker, first = client("sagemaker"), configure()
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=first)["ProductionVariants"]
    name = unique("capturing")
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
    yield endpoint(name)


def test_data_capture_writes_what_went_in_and_came_out(
    runtime: Any, client: Client, capturing: str, bucket: str, wait: Callable[..., Any]
) -> None:
    for number in range(3):
        runtime.invoke_endpoint(
            EndpointName=capturing, ContentType="text/csv", Body=b"0.%d" % number, InferenceId=f"id-{number}"
        )
    s3 = client("s3")
    prefix = f"captured/{capturing}/AllTraffic/"

    def lines() -> dict[str, Any]:
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())]
        bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys]
        return {"keys": keys, "lines": [json.loads(line) for body in bodies for line in body.splitlines()]}

    found = wait(lines, lambda found: len(found["lines"]) == 3, 20)
    parts = found["keys"][0].removeprefix(prefix).split("/")
    assert [len(part) for part in parts[:4]] == [4, 2, 2, 2]
    assert parts[4].endswith(".jsonl")
    first = found["lines"][0]
    assert first["eventVersion"] == "0"
    assert first["captureData"]["endpointInput"] == {
        "observedContentType": "text/csv", "mode": "INPUT", "data": "0.0", "encoding": "CSV",
    }  # fmt: skip
    assert first["captureData"]["endpointOutput"]["mode"] == "OUTPUT"
    assert first["eventMetadata"]["inferenceId"] == "id-0"
    assert first["eventMetadata"]["inferenceTime"].endswith("Z")
    assert len({each["eventMetadata"]["eventId"] for each in found["lines"]}) == 3


def test_requests_that_come_again_are_asked_and_refused_as_the_first(
    runtime: Any, client: Client, served: str, a_user: Callable[[], tuple[str, Any]]
) -> None:
    name, mine = a_user()
    arn = client("sagemaker").describe_endpoint(EndpointName=served)["EndpointArn"]
    allow = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": allow})
    client("iam").put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=policy)

    def ask(body: bytes = b"0.5") -> float:
        answer = mine.invoke_endpoint(EndpointName=served, ContentType="text/csv", Body=body)
        return float(answer["Body"].read())

    first = [ask() for _ in range(5)]
    assert set(first) == {first[0]}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, [b"%.2f" % (number / 100) for number in range(64)]))
    assert answers == pytest.approx([number / 100 for number in range(64)], abs=0.15)
    for _ in range(3):
        assert refused(lambda: ask(b"1,2"))["OriginalStatusCode"] == 400
    assert ask() == first[0]
    client("iam").delete_user_policy(UserName=name, PolicyName="inline")
    for _ in range(2):
        assert refused(ask)["Error"]["Code"] == "AccessDeniedException"
    client("sagemaker").delete_endpoint(EndpointName=served)
    gone = refused(lambda: runtime.invoke_endpoint(EndpointName=served, ContentType="text/csv", Body=b"0.5"))
    assert gone["Error"]["Code"] == "ValidationError"
