"""The presigned URLs that boto3 makes by default in the older regions."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from headrace.server.messages import Request
from headrace.server.security.credentials import ANONYMOUS

TOKEN = "token/of+a=session"
LABELS = {"Bucket": "demo", "Key": "a b/ü(1).txt"}
Change = Callable[..., Request]


def presigned(signing, operation: str, parameters: dict[str, Any], method: str, **options: Any) -> Request:
    client = boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id=signing.key.access_key_id,
        aws_secret_access_key=signing.key.secret, **options,
    )  # fmt: skip
    address = urlsplit(client.generate_presigned_url(operation, parameters))
    assert "AWSAccessKeyId=" in address.query, "boto3 signs with version 2 here"
    return Request(method, address.path or "/", address.query, (("host", address.netloc),))


def get(signing, **options: Any) -> Request:
    return presigned(signing, "get_object", LABELS | {"VersionId": "v 1"}, "GET", **options)


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:4599"])
@pytest.mark.parametrize("token", [None, TOKEN])
def test_urls_of_either_address_style(signing, endpoint: str | None, token: str | None) -> None:
    request = get(signing, endpoint_url=endpoint, aws_session_token=token)
    found = signing.authenticate(request, labels=LABELS)
    assert (found.caller, found.signing_name, found.means) == (signing.key.caller, "s3", "query")


@pytest.mark.parametrize(
    ("operation", "parameters", "method", "labels"),
    [
        ("list_buckets", {}, "GET", {}),
        ("list_objects_v2", {"Bucket": "demo", "Prefix": "a/", "Delimiter": "/"}, "GET", {"Bucket": "demo"}),
        ("get_bucket_acl", {"Bucket": "demo"}, "GET", {"Bucket": "demo"}),
        ("get_object", LABELS | {"ResponseContentType": "text/x y"}, "GET", LABELS),
        ("upload_part", LABELS | {"UploadId": "u", "PartNumber": 2}, "PUT", LABELS),
        ("put_object", LABELS, "PUT", LABELS),
    ],
)
def test_operations(signing, operation: str, parameters: dict, method: str, labels: dict[str, str]) -> None:
    request = presigned(signing, operation, parameters, method, endpoint_url="http://127.0.0.1:4599")
    assert signing.authenticate(request, labels=labels).caller == signing.key.caller
    assert signing.refusal(request, labels={"Bucket": "other"}) == ("SignatureDoesNotMatch", 403)


def test_signed_headers_come_with_the_request_or_in_the_url(signing, changed: Change) -> None:
    parameters = LABELS | {"ContentType": "text/plain", "ACL": "private"}
    request = presigned(signing, "put_object", parameters, "PUT")
    assert signing.authenticate(changed(request, {"content-type": "text/plain"}), labels=LABELS)
    assert signing.authenticate(changed(request, {"x-amz-acl": "private"}), labels=LABELS)
    for headers in (
        {"content-type": "text/html"},
        {"x-amz-acl": "public-read"},
        {"x-amz-meta-a": "b"},
        {"content-md5": "XUFAKrxLKna5cZ2REBfFkg=="},
    ):
        assert signing.refusal(changed(request, headers), labels=LABELS) == ("SignatureDoesNotMatch", 403)


def test_every_part_that_is_changed_is_noticed(signing, changed: Change) -> None:
    request = get(signing, aws_session_token=TOKEN)
    mismatch = ("SignatureDoesNotMatch", 403)
    for labels in ({"Bucket": "other", "Key": LABELS["Key"]}, {"Bucket": "demo", "Key": "b"}, {"Bucket": "demo"}, {}):
        assert signing.refusal(request, labels=labels) == mismatch
    assert signing.refusal(changed(request, method="DELETE"), labels=LABELS) == mismatch
    expected = {
        "AWSAccessKeyId": ("InvalidToken", 400),
        "x-amz-security-token": ("InvalidToken", 400),
        "Expires": ("AccessDenied", 403),
    }
    for pair in request.query.split("&"):
        name, _, value = pair.partition("=")
        other = changed(request, query=request.query.replace(pair, f"{name}=x{value}"))
        assert signing.refusal(other, labels=LABELS) == expected.get(name, mismatch), name
        without = changed(request, query="&".join(each for each in request.query.split("&") if each != pair))
        if name in ("Signature", "Expires"):
            assert signing.refusal(without, labels=LABELS) == ("AccessDenied", 403)
        elif name != "AWSAccessKeyId":
            assert signing.refusal(without, labels=LABELS) == mismatch
        twice = changed(request, query=f"{request.query}&{pair}")
        assert signing.refusal(twice, labels=LABELS) == ("AccessDenied", 403)
    for added in ("acl", "uploads"):
        assert signing.refusal(changed(request, query=f"{request.query}&{added}"), labels=LABELS) == mismatch
    for added in ("retention", "legal-hold=", "attributes", "response-foo=1"):
        assert signing.refusal(changed(request, query=f"{request.query}&{added}"), labels=LABELS) == (
            "AccessDenied",
            403,
        )


def test_time_and_keys(signing, changed: Change) -> None:
    request = get(signing)
    assert signing.authenticate(request, labels=LABELS, later=3590)
    assert signing.refusal(request, labels=LABELS, later=3602) == ("AccessDenied", 403)
    for expires in ("", "soon", "-1", "9" * 30, "1"):
        query = re.sub(r"Expires=\d+", f"Expires={expires}", request.query)
        assert signing.refusal(changed(request, query=query), labels=LABELS) == ("AccessDenied", 403)
    other = changed(request, query=request.query.replace("AWSAccessKeyId=AKIA", "AWSAccessKeyId=AKIB"))
    assert signing.refusal(other, labels=LABELS) == ("InvalidAccessKeyId", 403)
    assert signing.having(active=False).refusal(request, labels=LABELS) == ("InvalidAccessKeyId", 403)
    assert signing.having(secret="other").refusal(request, labels=LABELS) == ("SignatureDoesNotMatch", 403)


def test_only_routed_s3_requests_may_be_signed_so(signing) -> None:
    request = get(signing)
    assert signing.refusal(request) == ("InvalidRequest", 400)
    assert signing.refusal(request, service="sts", labels=LABELS)[0].startswith("IncompleteSignature")
    bare = Request("GET", "/demo/a", "", (("host", "h"),))
    assert signing.authenticate(bare, labels=LABELS).caller == ANONYMOUS
