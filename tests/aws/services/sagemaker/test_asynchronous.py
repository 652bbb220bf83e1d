"""Asynchronous invocations through boto3: answered into S3, with the model's role, also after the server was killed."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., Any]


@pytest.fixture
def read(client: Make, wait: Make) -> Make:
    """Return what waits for an object and returns it, its body read."""

    def found(uri: str) -> Any:
        place, _, key = uri.removeprefix("s3://").partition("/")
        s3 = client("s3")

        def look() -> dict[str, Any]:
            try:
                answer: dict[str, Any] = s3.get_object(Bucket=place, Key=key)
            except ClientError as error:
                return {"error": error}
            return answer | {"Body": answer["Body"].read().decode()}

        return wait(look, lambda answer: "error" not in answer, 30)

    return found


@pytest.fixture
def deploy(client: Make, configure: Make, endpoint: Make, bucket: str, unique: Make) -> Make:
    """Return what makes an asynchronous endpoint and returns its name; by default it keeps failures too."""

    def make(*, failures: bool = True, role: str = "", concurrent: int = 1) -> str:
        sagemaker, name = client("sagemaker"), configure()
        if role:
            container = sagemaker.describe_model(ModelName=name)["PrimaryContainer"]
            sagemaker.delete_model(ModelName=name)
            sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
        output = {"S3OutputPath": f"s3://{bucket}/out/"} | (
            {"S3FailurePath": f"s3://{bucket}/failed"} if failures else {}
        )
        configuration = unique("later")
        sagemaker.create_endpoint_config(
            EndpointConfigName=configuration,
            ProductionVariants=sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"],
            AsyncInferenceConfig={
                "OutputConfig": output, "ClientConfig": {"MaxConcurrentInvocationsPerInstance": concurrent},
            },
        )  # fmt: skip
        made: str = endpoint(configuration)
        return made

    return make


@pytest.fixture
def later(client: Make) -> Make:
    """Return what invokes an endpoint with the object at a URI, as CSV."""
    runtime = client("sagemaker-runtime")

    def invoke(name: str, location: str, **more: Any) -> Any:
        return runtime.invoke_endpoint_async(
            EndpointName=name, InputLocation=location, **{"ContentType": "text/csv"} | more
        )

    return invoke


def test_an_answer_is_written_under_the_output_path(
    deploy: Make, later: Make, upload: Make, read: Make, bucket: str
) -> None:
    name = deploy(concurrent=4)
    first = later(name, upload("in/a.csv", b"0.5\n0.25\n"), InferenceId="mine")
    assert first["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert first["InferenceId"] == "mine"
    assert first["OutputLocation"].startswith(f"s3://{bucket}/out/")
    assert first["OutputLocation"].endswith(".out")
    assert first["FailureLocation"].startswith(f"s3://{bucket}/failed/")
    answer = read(first["OutputLocation"])
    assert answer["ContentType"] == "text/csv"
    assert [float(each) for each in answer["Body"].split()] == pytest.approx([0.5, 0.25], abs=0.05)
    second = later(name, upload("in/b.csv", b"0.5"), Accept="application/json")
    assert second["InferenceId"] != first["InferenceId"]
    assert read(second["OutputLocation"])["Body"].startswith('{"predictions": [{"score": 0.')
    many = [later(name, upload(f"in/{number}.csv", f"0.{number}".encode())) for number in range(1, 9)]
    answers = [float(read(each["OutputLocation"])["Body"]) for each in many]
    assert answers == pytest.approx([number / 10 for number in range(1, 9)], abs=0.05)


def test_an_input_may_come_with_the_request_and_the_answer_have_a_name(
    client: Make, deploy: Make, upload: Make, read: Make, bucket: str
) -> None:
    name, runtime = deploy(failures=False), client("sagemaker-runtime")
    accepted = runtime.invoke_endpoint_async(
        EndpointName=name, ContentType="text/csv", Body=b"0.5", S3OutputPathExtension="daily", Filename="mine.csv"
    )
    assert accepted["OutputLocation"] == f"s3://{bucket}/out/daily/mine.csv"
    assert float(read(accepted["OutputLocation"])["Body"]) == pytest.approx(0.5, abs=0.05)
    unnamed = runtime.invoke_endpoint_async(EndpointName=name, ContentType="text/csv", Body=b"0.25")
    assert unnamed["OutputLocation"] == f"s3://{bucket}/out/{unnamed['InferenceId']}.out"
    assert float(read(unnamed["OutputLocation"])["Body"]) == pytest.approx(0.25, abs=0.05)
    for given in ({}, {"Body": b"0.5", "InputLocation": upload("in.csv", b"0.5")}):
        with pytest.raises(ClientError, match="exactly one of Body and InputLocation"):
            runtime.invoke_endpoint_async(EndpointName=name, ContentType="text/csv", **given)
    with pytest.raises(ClientError, match="less than or equal to 128000"):
        runtime.invoke_endpoint_async(EndpointName=name, ContentType="text/csv", Body=b"1" * 128_001)


def test_what_fails_is_said_under_the_failure_path(
    deploy: Make, later: Make, upload: Make, read: Make, bucket: str
) -> None:
    name = deploy()
    for location, said in (
        (upload("in/text.csv", b"text"), "Received client error (400) from primary"),
        (f"s3://{bucket}/in/nothing.csv", f"Failed to download the input from s3://{bucket}/in/nothing.csv"),
        ("s3://no-such-bucket-anywhere/in.csv", "Failed to download the input"),
    ):
        failure = read(later(name, location)["FailureLocation"])
        assert said in failure["Body"]
    picture = later(name, upload("in/picture", b"\x89PNG"), ContentType="image/png")
    assert "(415)" in read(picture["FailureLocation"])["Body"]


def test_the_models_role_reads_and_writes(
    deploy: Make, later: Make, upload: Make, read: Make, make_role: Make, bucket: str, unique: Make, client: Make
) -> None:
    mine, closed = f"arn:aws:s3:::{bucket}", unique("closed")
    client("s3").create_bucket(Bucket=closed)
    client("s3").put_object(Bucket=closed, Key="in.csv", Body=b"0.5")
    statements = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [mine, f"{mine}/*"]},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"{mine}/failed/*"},
    ]
    name = deploy(role=make_role({"Version": "2012-10-17", "Statement": statements}))
    unreadable = read(later(name, f"s3://{closed}/in.csv")["FailureLocation"])
    assert f"Failed to download the input from s3://{closed}/in.csv" in unreadable["Body"]
    unwritable = read(later(name, upload("in/a.csv", b"0.5"))["FailureLocation"])
    assert "is not authorized to perform: s3:PutObject" in unwritable["Body"]


def test_what_does_not_go_together_is_refused(
    client: Make, deploy: Make, configure: Make, endpoint: Make, later: Make, upload: Make, ask: Make
) -> None:
    location, name, plain = upload("in.csv", b"0.5"), deploy(failures=False), endpoint(configure())
    accepted = later(name, location)
    assert "FailureLocation" not in accepted
    runtime = client("sagemaker-runtime")
    for call, said in (
        (lambda: ask(name), "it takes InvokeEndpointAsync only"),
        (
            lambda: runtime.invoke_endpoint_with_response_stream(EndpointName=name, Body=b"0.5"),
            "it takes InvokeEndpointAsync only",
        ),
        (lambda: later(plain, location), "is not asynchronous: it takes InvokeEndpoint only"),
        (lambda: later("nothing", location), "Endpoint nothing of account"),
        (lambda: later(name, "in.csv"), "regular expression pattern"),
        (lambda: later(name, "https://example.com/in.csv"), "is no S3 URI"),
        (lambda: later(name, location, InvocationTimeoutSeconds=3601), "less than or equal to 3600"),
    ):
        with pytest.raises(ClientError, match=said) as raised:
            call()
        assert raised.value.response["Error"]["Code"] == "ValidationError"


class TestRestart:
    """A server of its own, killed while requests wait."""

    @pytest.fixture
    def server(self, serve: Make) -> Any:
        return serve()

    @pytest.fixture
    def client(self, server: Any) -> Make:
        """Return what makes clients of the server that runs now."""
        return lambda service, **options: server.client(service, **options)

    @pytest.mark.slow
    def test_what_was_accepted_is_answered_after_a_kill(
        self, server: Any, serve: Make, deploy: Make, later: Make, upload: Make, bucket: str, wait: Make, settle: Make
    ) -> None:
        name = deploy()
        server.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}]
        )
        assert settle(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 0
        accepted = [later(name, upload(f"in/{number}.csv", f"0.{number}".encode())) for number in range(1, 6)]
        server.process.kill()
        server.process.wait()
        again = serve()
        again.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 1}]
        )
        s3 = again.client("s3")
        found = wait(
            lambda: s3.list_objects_v2(Bucket=bucket, Prefix="out/"), lambda answer: answer.get("KeyCount") == 5, 60
        )
        keys = {each["Key"] for each in found["Contents"]}
        assert keys == {each["OutputLocation"].removeprefix(f"s3://{bucket}/") for each in accepted}
        answers = [
            float(
                s3.get_object(Bucket=bucket, Key=each["OutputLocation"].removeprefix(f"s3://{bucket}/"))["Body"].read()
            )
            for each in accepted
        ]
        assert answers == pytest.approx([number / 10 for number in range(1, 6)], abs=0.05)
