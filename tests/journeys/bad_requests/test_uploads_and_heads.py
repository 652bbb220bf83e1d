"""Uploads, signatures and heads that are wrong: nothing is half done, nothing is taken for what it is not."""

import http.client
import json
import socket
from typing import Any

import cbor2
import pytest
from botocore.credentials import Credentials

FORM = "application/x-www-form-urlencoded"
JSON = "application/x-amz-json-1.1"
CBOR = {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"}
METRICS = "/service/GraniteServiceVersion20100801/operation/"
SECRET = "confidential-in-a-request"


def test_an_upload_that_is_not_what_was_signed_leaves_nothing(sender: Any, server: Any, bucket: str) -> None:
    path, body = f"/{bucket}/half", SECRET.encode() * 5000
    signed = sender.sign("s3", "PUT", path, {}, body)
    assert sender.send("s3", "PUT", path, b"x" + body[1:], signed=signed).code == "XAmzContentSHA256Mismatch"
    claimed = {"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    assert sender.send("s3", "PUT", path, body, claimed).code == "BadDigest"
    with pytest.raises(server.client("s3").exceptions.NoSuchKey):
        server.client("s3").get_object(Bucket=bucket, Key="half")


def test_an_upload_that_stops_halfway_leaves_nothing(sender: Any, server: Any, bucket: str) -> None:
    path, body = f"/{bucket}/stopped", SECRET.encode() * 50_000
    signed = sender.sign("s3", "PUT", path, {}, body) | {"content-length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    with socket.create_connection((sender.host, sender.port), timeout=10) as connection:
        connection.sendall(f"PUT {path} HTTP/1.1\r\n{head}\r\n".encode() + body[: len(body) // 2])
        connection.shutdown(socket.SHUT_WR)
        connection.recv(4096)
    with pytest.raises(server.client("s3").exceptions.NoSuchKey):
        server.client("s3").get_object(Bucket=bucket, Key="stopped")


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(sender: Any) -> None:
    headers = {"content-type": JSON, "x-amz-target": "Logs_20140328.DescribeLogGroups"}
    signed = sender.sign("logs", "POST", "/", headers, b"") | {"content-length": str(17 << 20)}
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    with socket.create_connection((sender.host, sender.port), timeout=10) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\n{head}expect: 100-continue\r\n\r\n".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        body = response.read()
    assert (response.status, json.loads(body)["__type"]) == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"authorization": ""}, "AccessDenied"),
        ({"x-amz-date": "20200101T000000Z"}, "AccessDenied AuthorizationHeaderMalformed RequestTimeTooSkewed"),
        ({"host": "other.example"}, "SignatureDoesNotMatch"),
        ({"x-amz-meta-added": SECRET}, "AccessDenied"),
        ({"x-amz-security-token": SECRET}, "InvalidToken"),
    ],
)
def test_tampered_requests(sender: Any, bucket: str, change: dict[str, str], code: str) -> None:
    signed = sender.sign("s3", "GET", f"/{bucket}", {}, b"") | change
    headers = {name: value for name, value in signed.items() if value}
    assert sender.send("s3", "GET", f"/{bucket}", signed=headers).code in code.split()


@pytest.mark.parametrize("service", ["s3", "iam", "logs", "monitoring"])
def test_unknown_keys_and_other_secrets(sender: Any, bucket: str, service: str) -> None:
    requests = {
        "s3": ("GET", f"/{bucket}", b"", {}),
        "iam": ("POST", "/", b"Action=ListUsers&Version=2010-05-08", {"content-type": FORM}),
        "logs": ("POST", "/", b"{}", {"content-type": JSON, "x-amz-target": "Logs_20140328.DescribeLogGroups"}),
        "monitoring": ("POST", METRICS + "ListMetrics", cbor2.dumps({}), CBOR),
    }
    method, path, body, headers = requests[service]
    unknown = {"s3": "InvalidAccessKeyId", "iam": "InvalidClientTokenId"}.get(service, "UnrecognizedClientException")
    wrong = {"s3": "SignatureDoesNotMatch", "iam": "SignatureDoesNotMatch"}.get(service, "InvalidSignatureException")
    for keys, code in (
        (Credentials("AKIAAAAAAAAAAAAAAAAA", SECRET), unknown),
        (Credentials(sender.keys.access_key, SECRET), wrong),
    ):
        other = type(sender)(sender.host, sender.port, keys)
        assert other.send(service, method, path, body, headers).code == code
    other_body = sender.send(
        service, method, path, body + b"&MaxItems=1", signed=sender.sign(service, method, path, headers, body)
    )
    assert other_body.code in (wrong, "XAmzContentSHA256Mismatch")


def test_an_unknown_service_is_told_in_some_protocol(sender: Any) -> None:
    answer = sender.send("nimbus", body=b"{}", headers={"content-type": JSON, "x-amz-target": "Nimbus.Fly"})
    assert (answer.status, answer.code) == (404, "UnknownOperationException")
    assert sender.send("nimbus", "GET", "/").status in (400, 403, 404)


RAW = [
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
    b"nonsense\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * (80 << 10) + b"\r\n\r\n",
]


@pytest.mark.parametrize("raw", RAW, ids=range(len(RAW)))
def test_what_is_hardly_http(sender: Any, raw: bytes) -> None:
    with socket.create_connection((sender.host, sender.port), timeout=10) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while block := connection.recv(65536):
            answer += block
    statuses = [line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
    assert len(statuses) <= 1, "nothing after a broken request is taken for another one"
    assert all(status[:1] == b"4" for status in statuses)
    assert b"<html" not in answer.lower()


@pytest.mark.parametrize(
    "extra",
    [
        {"authorization": ["AWS4-HMAC-SHA256 Credential=AKIAX/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"]},
        {"host": ["other.s3.amazonaws.com"]},
        {"x-amz-date": ["20200101T000000Z"]},
        {"x-amz-content-sha256": ["UNSIGNED-PAYLOAD"]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_repeated_headers_are_not_taken_one_by_one(
    sender: Any, bucket: str, extra: dict[str, list[str]], first: bool
) -> None:
    signed = list(sender.sign("s3", "PUT", f"/{bucket}/smuggled", {}, b"").items())
    more = [(name, value) for name, values in extra.items() for value in values]
    lines = [f"{name}: {value}\r\n" for name, value in (more + signed if first else signed + more)]
    with socket.create_connection((sender.host, sender.port), timeout=10) as connection:
        head = f"PUT /{bucket}/smuggled HTTP/1.1\r\n{''.join(lines)}content-length: 0\r\nconnection: close\r\n\r\n"
        connection.sendall(head.encode())
        answer = connection.recv(65536)
    assert answer.split()[1][:1] == b"4"


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (b"Action=GetUser&Version=2010-05-08", "?Action=DeleteUser&UserName=x"),
        (b"Action=GetUser&Version=2010-05-08&UserName=a", "?UserName=b"),
        (b"", "?Action=GetUser&Action=ListUsers&Version=2010-05-08"),
    ],
)
def test_an_operation_or_a_name_is_given_once(sender: Any, body: bytes, query: str) -> None:
    answer = sender.send("iam", path=f"/{query}", body=body, headers={"content-type": FORM})
    assert (answer.status, answer.code) == (400, "MalformedInput")


def test_a_target_beside_an_action_decides_alone(sender: Any) -> None:
    headers = {"content-type": FORM, "x-amz-target": "Logs_20140328.DescribeLogGroups"}
    answer = sender.send("iam", body=b"Action=ListUsers&Version=2010-05-08", headers=headers)
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")
    assert "scoped to correct service: 'logs'" in answer.message


def test_absolute_uris_and_trailing_dots_are_the_same_place(sender: Any, bucket: str) -> None:
    signed = sender.sign("s3", "GET", f"/{bucket}", {}, b"")
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    with socket.create_connection((sender.host, sender.port), timeout=10) as connection:
        head = f"GET http://other.example/elsewhere HTTP/1.1\r\n{lines}connection: close\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(65536).split()[1] in (b"400", b"403")
