"""Requests signed by botocore are known; with any part changed they are refused with the right code."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar
from urllib.parse import quote

import pytest
from botocore.credentials import Credentials
from botocore.crt.auth import CrtS3SigV4Auth, CrtS3SigV4QueryAuth, CrtSigV4Auth, CrtSigV4QueryAuth
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.aws.signature import missing_token
from headrace.aws.signature.refusals import JSON, QUERY, REST, S3, dialect_of
from headrace.server.messages import Request
from headrace.server.security.credentials import ANONYMOUS

BUCKET = "https://demo.s3.eu-central-1.amazonaws.com"
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
TARGET = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "Logs_20140328.DescribeLogGroups"}
Change = Callable[..., Request]


PATHS = [
    "/",
    "/a",
    "/a//b/",
    "/a/../b",
    "/a%20b/%C3%A4%2B(1)~*'!",
    "/x?b=2&a=1&c",
    "/x?list-type=2&prefix=a%2Fb%20",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [b"", b"hello"])
def test_what_botocore_signs_is_known(signing, path: str, body: bytes) -> None:
    for means in (signing.header, signing.query):
        found = signing.authenticate(means("PUT", BUCKET + path, body))
        assert found.caller == signing.key.caller
        assert (found.region, found.signing_name, found.body) == ("eu-central-1", "s3", body)
        request = (
            means("POST", "https://lambda.amazonaws.com" + path, body, service="lambda")
            if means == signing.header
            else None
        )
        if request:
            assert signing.authenticate(request, service="lambda").means == "header"
    assert signing.authenticate(signing.identity_call(), service="sts").signing_name == "sts"


@pytest.mark.parametrize("path", ["/", "/a//b/", "/a/../b", "/a%20b/%C3%A4%2B", "/x?b=2&a=1&c=", "/x?prefix=a%2Fb%20c"])
def test_what_awscrt_signs_is_known(signing, sign, path: str) -> None:
    known = Credentials(signing.key.access_key_id, signing.key.secret, "token/of+a=session")
    for kind, name in (
        (CrtS3SigV4Auth, "s3"),
        (CrtS3SigV4QueryAuth, "s3"),
        (CrtSigV4Auth, "iot"),
        (CrtSigV4QueryAuth, "iot"),
    ):
        request = sign(kind(known, name, "eu-central-1"), "GET", BUCKET + path)
        assert signing.authenticate(request, service=name).region == "eu-central-1"


def test_other_services_presigned_urls_are_known(signing) -> None:
    url = "https://sts.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
    request = signing.query("GET", url, headers={"x-k8s-aws-id": "cluster"}, service="sts", expires=60)
    assert signing.authenticate(request, service="sts").means == "query"
    assert signing.refusal(request, service="sts", later=61) == ("SignatureDoesNotMatch", 403)


def test_header_values_beyond_ascii(signing, sign) -> None:
    request = signing.header("PUT", BUCKET + "/a", b"", {"x-amz-meta-name": "Zoë  à la"})
    raw = tuple((name, value.encode().decode("latin-1")) for name, value in request.headers)
    assert signing.authenticate(replace(request, headers=raw)).caller == signing.key.caller


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_key_and_any_prefix(signing, text: str) -> None:
    url = f"{BUCKET}/{quote(text, safe='/~')}?prefix={quote(text, safe='')}"
    for request in (signing.header("GET", url), signing.query("GET", url)):
        assert signing.authenticate(request).caller == signing.key.caller


def test_a_client_that_encodes_less_than_it_signs_is_known(signing) -> None:
    request = signing.header("GET", f"{BUCKET}/a%28b%29?prefix=a%20%2A")
    assert signing.authenticate(replace(request, path="/a(b)", query="prefix=a+*")).caller == signing.key.caller


def tampered(request: Request, changed: Change) -> list[tuple[str, Request]]:
    """Every part of a header-signed request, changed one at a time."""
    authorization = request.header["authorization"]
    parts = [
        ("method", changed(request, method="DELETE")),
        ("path", changed(request, path=request.path + "x")),
        ("path, encoded", changed(request, path=request.path + "%2e%2e")),
        ("query", changed(request, query="acl")),
        ("body", changed(request, body=b"another body")),
        ("region", changed(request, {"authorization": authorization.replace("/eu-central-1/", "/us-east-1/")})),
        ("service", changed(request, {"authorization": authorization.replace("/aws4_request", "x/aws4_request")})),
        (
            "signature",
            changed(request, {"authorization": authorization[:-1] + ("0" if authorization[-1] != "0" else "1")}),
        ),
        ("added header", changed(request, {"x-amz-added": "x"})),
    ]
    for name in authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";"):
        if name not in ("x-amz-date", "x-amz-content-sha256"):
            parts += [(name, changed(request, {name: "other"})), (f"no {name}", changed(request, {name: None}))]
    return parts


@pytest.mark.parametrize("service", ["s3", "sts", "logs", "lambda"])
def test_every_part_that_is_changed_is_noticed(signing, changed: Change, service: str) -> None:
    headers = {"s3": {"cache-control": "x"}, "sts": FORM, "logs": TARGET, "lambda": {}}[service]
    request = signing.header("PUT", f"https://{service}.amazonaws.com/path", b"the body", headers, service=service)
    assert signing.authenticate(request, service=service)
    codes = {"s3": "SignatureDoesNotMatch", "sts": "SignatureDoesNotMatch"}
    for name, other in tampered(request, changed):
        code, status = signing.refusal(other, service=service)
        if service == "s3" and name in ("body", "added header"):
            assert (code, status) in (("XAmzContentSHA256Mismatch", 400), ("AccessDenied", 403)), name
        elif service == "logs" and "x-amz-target" in name:
            assert code == "InvalidSignatureException"
        elif service != "sts" or not name.endswith("content-type"):
            assert code == codes.get(service, "InvalidSignatureException"), name
            assert status == (400 if service == "logs" else 403), name


def test_every_parameter_of_a_presigned_url(signing, changed: Change) -> None:
    request = signing.query("GET", f"{BUCKET}/a?versionId=1", token="token/of+a=session")
    assert signing.authenticate(request).payload.chunks is None
    pairs = request.query.split("&")
    for pair in pairs:
        name, _, value = pair.partition("=")
        other = changed(
            request, query=request.query.replace(pair, f"{name}={value[:-1]}{'1' if value[-1] != '1' else '2'}")
        )
        code, status = signing.refusal(other)
        assert status in (400, 403) and code, name
        if name.startswith("X-Amz-"):
            without = changed(request, query="&".join(each for each in pairs if each != pair))
            expected = {"X-Amz-Security-Token": ("SignatureDoesNotMatch", 403)}
            assert signing.refusal(without) == expected.get(name, ("AuthorizationQueryParametersError", 400)), name
    assert signing.refusal(changed(request, method="PUT")) == ("SignatureDoesNotMatch", 403)
    assert signing.refusal(changed(request, {"x-amz-acl": "public-read"})) == ("AccessDenied", 403)
    assert signing.refusal(changed(request, query=request.query + "&acl")) == ("SignatureDoesNotMatch", 403)


UNKNOWN = {
    "s3": ("InvalidAccessKeyId", 403),
    "sts": ("InvalidClientTokenId", 403),
    "logs": ("UnrecognizedClientException", 400),
}
FOREIGN = UNKNOWN | {"s3": ("InvalidToken", 400)}
EXPIRED = {"s3": ("ExpiredToken", 400), "sts": ("ExpiredToken", 403), "logs": ("ExpiredTokenException", 400)}


@pytest.mark.parametrize("service", ["s3", "sts", "logs"])
def test_keys_and_tokens(signing, changed: Change, service: str) -> None:
    headers = {"s3": {}, "sts": FORM, "logs": TARGET}[service]

    def call(token: str | None = None) -> Request:
        return signing.header("POST", "https://example.amazonaws.com/", b"{}", headers, service=service, token=token)

    assert signing.having(active=False).refusal(call(), service=service) == UNKNOWN[service]
    other = call().header["authorization"].replace("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLF")
    assert signing.refusal(changed(call(), {"authorization": other}), service=service) == UNKNOWN[service]
    mismatch = "InvalidSignatureException" if service == "logs" else "SignatureDoesNotMatch"
    assert signing.having(secret="other").refusal(call(), service=service)[0] == mismatch
    assert signing.authenticate(call("token/of+a=session"), service=service)
    assert signing.refusal(call("foreign"), service=service) == FOREIGN[service]
    swapped = changed(call("token/of+a=session"), {"x-amz-security-token": "foreign"})
    assert signing.refusal(swapped, service=service) == FOREIGN[service]
    ended = signing.having(caller=replace(signing.key.caller, session_expires=1))
    assert ended.refusal(call("token/of+a=session"), service=service) == EXPIRED[service]


def test_the_host_must_be_signed(signing, changed: Change) -> None:
    request = signing.identity_call()
    authorization = request.header["authorization"].replace("host;", "")
    assert signing.refusal(changed(request, {"authorization": authorization}), service="sts") == (
        "SignatureDoesNotMatch",
        403,
    )


def test_unsigned_requests(signing) -> None:
    bare = Request("GET", "/demo/a", "list-type=2", (("host", "localhost"),))
    found = signing.authenticate(bare)
    assert found.caller == ANONYMOUS and not found.means
    post = replace(bare, method="POST", headers=(*bare.headers, *FORM.items()))
    assert signing.refusal(post, service="sts") == ("MissingAuthenticationToken", 403)
    assert signing.refusal(replace(bare, headers=tuple(TARGET.items())), service="logs") == (
        "MissingAuthenticationTokenException",
        400,
    )
    assert signing.refusal(bare, anonymous=False) == ("AccessDenied", 403)
    assert signing.authenticate(post, service="sts", anonymous=True).caller == ANONYMOUS
    assert missing_token(QUERY).code == "MissingAuthenticationToken"


def test_a_credential_scoped_to_another_service(signing) -> None:
    call = signing.identity_call()
    assert signing.authenticate(call, service="sts", signing_name="sts")
    assert signing.refusal(call, service="sts", signing_name="iam") == ("SignatureDoesNotMatch", 403)


def test_claimed_digests_of_a_body_that_is_here(signing) -> None:
    right, wrong = "XUFAKrxLKna5cZ2REBfFkg==", "AAAAAAAAAAAAAAAAAAAAAA=="
    for sign in (signing.header, signing.query):
        put = sign("POST", BUCKET + "/?delete", b"hello", {"Content-MD5": right})
        assert signing.authenticate(put).body == b"hello"
        assert signing.refusal(sign("POST", BUCKET + "/?delete", b"hello", {"Content-MD5": wrong})) == (
            "BadDigest",
            400,
        )
    unsigned = Request("PUT", "/a", "", (("host", "h"), ("content-md5", wrong)), b"hello")
    assert signing.refusal(unsigned) == ("BadDigest", 400)
    assert signing.authenticate(replace(unsigned, body=None)).caller == ANONYMOUS


def test_two_ways_to_sign_at_once(signing) -> None:
    request, other = signing.query("GET", BUCKET + "/"), signing.header("GET", BUCKET + "/")
    assert signing.refusal(replace(request, headers=other.headers)) == ("InvalidArgument", 400)


def test_what_stands_for_the_body(signing, changed: Change) -> None:
    request = signing.header("PUT", BUCKET + "/a", b"hello")
    streamed = signing.authenticate(replace(request, body=None))
    assert streamed.payload.sha256 == request.header["x-amz-content-sha256"] and streamed.body is None
    assert signing.refusal(changed(request, {"x-amz-content-sha256": None})) == ("InvalidRequest", 400)
    for value in ("", "UNSIGNED", "x" * 64, "STREAMING-AWS4-HMAC-SHA256-EVENTS"):
        assert signing.refusal(changed(request, {"x-amz-content-sha256": value})) == ("InvalidArgument", 400)
    asymmetric = changed(request, {"x-amz-content-sha256": "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"})
    assert signing.refusal(asymmetric) == ("InvalidRequest", 400)
    unsigned = signing.header("PUT", BUCKET + "/a", b"hello", context={"client_config": Unsigned})
    assert signing.authenticate(replace(unsigned, body=b"other")).body == b"other"
    assert signing.refusal(replace(signing.logs_call(), body=None), service="logs") == (
        "IncompleteSignatureException",
        400,
    )


class Unsigned:
    s3: ClassVar = {"payload_signing_enabled": False}


def test_the_dialect_is_told_from_the_protocol_where_the_service_does_not_tell() -> None:
    def request(query: str = "", **headers: str) -> Request:
        return Request("POST", "/", query, tuple((name.replace("_", "-"), value) for name, value in headers.items()))

    assert dialect_of(request(), "s3control") is S3
    assert dialect_of(request(x_amz_target="a.B"), "cloudtrail") is JSON
    assert dialect_of(request(smithy_protocol="rpc-v2-cbor"), "cloudwatch") is JSON
    assert dialect_of(request(content_type="application/x-www-form-urlencoded"), "iam") is QUERY
    assert dialect_of(request("Action=ListUsers&Version=1"), "iam") is QUERY
    assert dialect_of(request(content_type="application/json"), "lambda") is REST
