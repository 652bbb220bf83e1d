"""AWS's third flow through boto3: one endpoint of many models, which are added to in S3 while it serves."""

from typing import Any
from urllib.parse import urlparse
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.clients


def test_models_are_served_by_name_and_added_while_it_serves(
    aws: Any, bucket: str, models: list[str], row: str, create_model: Any, deploy: Any
) -> None:
    s3, folder = aws("s3"), f"many/{uuid4().hex[:8]}"

    def add(uri: str, name: str) -> None:
        where = urlparse(uri)
        s3.copy({"Bucket": where.netloc, "Key": where.path[1:]}, bucket, f"{folder}/{name}")

    def ask(target: str) -> float:
        answer = aws("sagemaker-runtime").invoke_endpoint(
            EndpointName=name, ContentType="text/csv", TargetModel=target, Body=row
        )
        return float(answer["Body"].read())

    add(models[0], "ten.tar.gz")
    add(models[1], "deep/forty.tar.gz")
    name = deploy(
        {"ModelName": create_model(f"s3://{bucket}/{folder}/", Mode="MultiModel"), "VariantName": "AllTraffic"}
    )
    ten, forty = ask("ten.tar.gz"), ask("deep/forty.tar.gz")
    assert ten != forty
    with pytest.raises(ClientError) as refused:
        ask("later.tar.gz")
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    add(models[1], "later.tar.gz")
    assert ask("later.tar.gz") == forty
    assert ask("ten.tar.gz") == ten
