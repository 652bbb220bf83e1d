"""What tests of services share: a role for SageMaker, a bucket, an archive, and waiting for a state."""

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
