"""Asynchronous invocations through boto3: answers and failures in S3, and what is refused at once."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlparse

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]


@pytest.fixture
def waiting(
    client: Client, configure: Callable[..., str], endpoint: Callable[[str], str], bucket: str, unique: Any
) -> str:
    """Return the name of an asynchronous endpoint that keeps its failures."""
    sagemaker, name = client("sagemaker"), unique("later")
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=configure())["ProductionVariants"]
    output = {"S3OutputPath": f"s3://{bucket}/out", "S3FailurePath": f"s3://{bucket}/failed"}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=variants, AsyncInferenceConfig={"OutputConfig": output}
    )
    return endpoint(name)


@pytest.fixture
def later(client: Client, waiting: str, wait: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    """Return what invokes the endpoint and returns the object that appears, with its URI."""
    s3 = client("s3")

    def invoke(expected: str = "OutputLocation", **given: Any) -> dict[str, Any]:
        accepted = client("sagemaker-runtime").invoke_endpoint_async(EndpointName=waiting, **given)
        where = urlparse(accepted[expected])

        def describe() -> dict[str, Any]:
            found: dict[str, Any] = s3.list_objects_v2(Bucket=where.netloc, Prefix=where.path[1:])
            return found

        wait(describe, lambda answer: answer["KeyCount"] == 1)
        found: dict[str, Any] = s3.get_object(Bucket=where.netloc, Key=where.path[1:])
        return found | {"uri": accepted[expected]}

    return invoke


def test_the_type_is_the_given_one_or_that_of_the_object(
    client: Client, later: Callable[..., Any], upload: Callable[..., str], bucket: str
) -> None:
    untold = upload("in/untold", b"0.5")
    answer = later(InputLocation=untold, ContentType="text/csv")
    assert float(answer["Body"].read()) == pytest.approx(0.5, abs=0.1)
    assert answer["ContentType"].startswith("text/csv")
    client("s3").put_object(Bucket=bucket, Key="in/told", Body=b"0.25", ContentType="text/csv")
    told = later(InputLocation=f"s3://{bucket}/in/told")
    assert float(told["Body"].read()) == pytest.approx(0.25, abs=0.1)
    refused = later("FailureLocation", InputLocation=untold)
    assert "Content-type" in refused["Body"].read().decode()
    assert later(Body=b"0.5", ContentType="text/csv", Filename="named.csv")["uri"] == f"s3://{bucket}/out/named.csv"


def test_what_fails_later_says_so_in_s3(later: Callable[..., Any], upload: Callable[..., str], bucket: str) -> None:
    text = later("FailureLocation", InputLocation=upload("in/text", b"word"), ContentType="text/csv")
    assert text["uri"].startswith(f"s3://{bucket}/failed/")
    assert "Received client error (400)" in text["Body"].read().decode()
    absent = later("FailureLocation", InputLocation=f"s3://{bucket}/in/absent", ContentType="text/csv")
    assert "does not exist" in absent["Body"].read().decode()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "exactly one of Body and InputLocation"),
        ({"InputLocation": "https://example.com/a"}, "no S3 URI"),
        ({"InputLocation": "s3://a/b", "InvocationTimeoutSeconds": 3601}, "less than or equal to 3600"),
    ],
    ids=["nothing", "no S3", "too long"],
)
def test_what_is_no_request_is_refused_at_once(client: Client, waiting: str, given: Any, said: str) -> None:
    with pytest.raises(ClientError, match=said) as refused:
        client("sagemaker-runtime").invoke_endpoint_async(EndpointName=waiting, **given)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
