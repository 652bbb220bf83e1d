"""Heads that come again are understood as they were, and nothing of a body or a signature is remembered."""

from dataclasses import replace
from typing import Any

import pytest

from headrace.aws.gateway import repeats
from headrace.aws.gateway.repeats import Repeats
from headrace.aws.gateway.routing import find
from headrace.server.messages import Request

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20261130/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature="


def invocation(name: str = "one", *, signature: str = "a", body: bytes = b"1,2", **headers: str) -> Request:
    given = {"host": "127.0.0.1", "content-type": "text/csv", "authorization": SIGNED + signature, **headers}
    return Request("POST", f"/endpoints/{name}/invocations", "", tuple(given.items()), body)


def asked(seen: Repeats, request: Request) -> dict[str, Any] | None:
    """Do as the gateway does."""
    understood = seen.find(request)
    found = find(request) if understood is None else understood.found
    return seen.parameters(request, found, request.body or b"")


def test_a_head_that_comes_again_brings_its_own_body() -> None:
    seen = Repeats()
    assert asked(seen, invocation()) == {"EndpointName": "one", "ContentType": "text/csv", "Body": b"1,2"}
    again = invocation(signature="b", body=b"3,4")
    assert seen.find(again) is not None
    assert asked(seen, again) == {"EndpointName": "one", "ContentType": "text/csv", "Body": b"3,4"}
    assert asked(seen, invocation("two")) == {"EndpointName": "two", "ContentType": "text/csv", "Body": b"1,2"}
    assert asked(seen, invocation(accept="text/csv")) == {
        "EndpointName": "one", "ContentType": "text/csv", "Accept": "text/csv", "Body": b"1,2",
    }  # fmt: skip


def test_what_comes_by_another_name_is_not_that_head() -> None:
    seen = Repeats()
    asked(seen, invocation())
    assert seen.find(replace(invocation(), method="GET")) is None
    assert seen.find(replace(invocation(), query="x=1")) is None
    elsewhere = SIGNED.replace("us-east-1", "eu-west-1")
    assert seen.find(invocation(authorization=elsewhere)) is None


def test_secrets_and_what_is_no_blob_are_not_remembered() -> None:
    seen = Repeats()
    secret = invocation(**{"x-amzn-sagemaker-custom-attributes": "token=1"})
    assert asked(seen, secret) is None
    assert seen.find(secret) is None
    assert asked(seen, invocation(body=b"")) is None
    form = {"host": "127.0.0.1", "content-type": "application/x-www-form-urlencoded"}
    sts = Request("POST", "/", "", tuple(form.items()), b"Action=GetCallerIdentity&Version=2011-06-15")
    assert asked(seen, sts) is None


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "MOST", 3)
    seen = Repeats()
    for number in range(10):
        asked(seen, invocation(f"e{number}"))
    assert sum(seen.find(invocation(f"e{number}")) is not None for number in range(10)) <= 3
    long = invocation("x" * 3000)
    assert seen.find(long) is None
