"""Every built operation with values that its model allows, or nearly so: an answer, never a failure of the server."""

import os
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import BotoCoreError

from headrace.aws import services

ROUNDS = int(os.environ.get("HEADRACE_ROUNDS", "4"))
MODELS = botocore.session.Session()
READ = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}'
TRUST = READ.replace('"s3:Get*","Resource":"*"', '"sts:AssumeRole","Principal":{"Service":"s3.amazonaws.com"}')
MADE: list[tuple[str, str, dict[str, Any]]] = [
    ("s3", "CreateBucket", {"Bucket": "bucket"}),
    ("s3", "PutObject", {"Bucket": "bucket", "Key": "key", "Body": b"hello"}),
    ("iam", "CreateUser", {"UserName": "u"}),
    ("iam", "CreateGroup", {"GroupName": "g"}),
    ("iam", "CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": TRUST}),
    ("iam", "CreatePolicy", {"PolicyName": "p", "PolicyDocument": READ}),
    ("logs", "CreateLogGroup", {"logGroupName": "group"}),
    ("logs", "CreateLogStream", {"logGroupName": "group", "logStreamName": "s"}),
    ("sagemaker", "CreateTrialComponent", {"TrialComponentName": "c"}),
]
NAMES = {
    "Bucket": "bucket", "Key": "key", "UserName": "u", "RoleName": "r", "GroupName": "g", "PolicyName": "p", "logGroupName": "group",
    "logStreamName": "s", "CopySource": "bucket/key", "S3BucketName": "bucket", "Namespace": "n", "MetricName": "m",
    "TrialComponentName": "c",
}  # fmt: skip
TEXTS = [
    "", "a", "*", "ü", "\U0001f600", "\n", "\x7f", "x" * 300, "a b", "%", "/", "//", "a/b", "../a", "..", "null", "0", "-1", "1.5", "true", "{}", "[", "[" * 3000,
    "arn:", "arn:aws:s3:::bucket", "arn:aws:iam::aws:policy/ReadOnlyAccess", "2026-01-01", "9999-12-31T23:59:59Z", "bytes=5-1", "bytes=-0", "bytes=0-",
    '"x"', "{ $.a = 1 }", "[a, b > 3]", "m1 + e1", "SUM(METRICS())", "p99.9", "tm(1:2)", "s3:GetObject", "us-east-1", READ, TRUST,
]  # fmt: skip
WHOLE = [0, 1, 1, 2, 10, 60, 900, 3600, -1, 2**31 - 1, -(2**31)]
LONG = [*WHOLE, 2**63 - 1, -(2**63), 1_800_000_000_000]
FLOATS = [0.0, 1.5, -2.0, 1e308, 5e-324, float("nan"), float("inf")]
TIMES = [datetime(year, 11, 1) for year in (1, 1900, 1970, 2026, 9999)]


def value(shape: Any, random: Random, often: float, name: str = "", depth: int = 0) -> Any:
    """Return a value of a shape; optional members are there that `often`."""
    kind = shape.type_name
    if kind == "structure":
        return {
            member: value(each, random, often, member, depth + 1)
            for member, each in shape.members.items()
            if depth < 6 and random.random() < (0.97 if member in shape.required_members else often)
        }
    if kind == "list":
        return [value(shape.member, random, often, name, depth + 1) for _ in range(random.choice((0, 1, 1, 2)))]
    if kind == "map":
        pair = (value(shape.key, random, often), value(shape.value, random, often, "", depth + 1))
        return dict([pair] if random.random() < 0.8 else [])
    if kind == "string":
        if shape.enum and random.random() < 0.9:
            return random.choice(shape.enum)
        return NAMES[name] if name in NAMES and random.random() < 0.75 else random.choice(TEXTS)
    return random.choice(SCALARS[kind])


SCALARS: dict[str, list[Any]] = {
    "integer": WHOLE, "long": LONG, "float": FLOATS, "double": FLOATS, "boolean": [True, False], "timestamp": TIMES, "blob": [b"", b"x\xff"],
}  # fmt: skip


ABOUT_WHAT_IS_MADE = ("application-autoscaling", "forecastquery", "sagemaker-runtime")
"""Services that have nothing to say where no endpoint or forecast is."""


@pytest.mark.parametrize("service", services.BUILT)
def test_no_operation_fails_on_what_its_model_nearly_allows(
    inside: Any, written: Callable[..., Any], caplog: pytest.LogCaptureFixture, service: str
) -> None:
    random = Random(service)
    for each in MADE:
        inside.send(written(*each))
    answered = 0
    for number in range(ROUNDS):
        for operation in services.coverage_of(service).built:
            shape = MODELS.get_service_model(service).operation_model(operation).input_shape
            given = value(shape, random, (0.03, 0.1, 0.3, 0.6)[number % 4]) if shape else {}
            try:
                wire = written(service, operation, given)
            except (BotoCoreError, KeyError):
                continue  # botocore itself can't write it: a label is empty
            response = inside.send(wire)
            assert response.status < 500, (operation, given, [each.exc_text for each in caplog.records])
            answered += response.status < 300
    assert answered or service in ABOUT_WHAT_IS_MADE
