"""What is wrong with a request is told in the service's own words, at once; nothing stays, nothing leaks."""

import gzip
import http.client
import json
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import fromstring

import cbor2
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SECRET = f"confidential-{secrets.token_hex(8)}"
"""Is in bodies and headers of these requests, and must not be in the log."""
FORM = "application/x-www-form-urlencoded"
JSON = "application/x-amz-json-1.1"
CBOR = {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"}
METRICS = "/service/GraniteServiceVersion20100801/operation/"


@dataclass
class Answer:
    """What came back: `code` and `message` as the protocol tells them."""

    status: int
    headers: dict[str, str]
    body: bytes
    code: str = ""
    message: str = ""


@dataclass
class Sender:
    """Sends requests that no client library would; `keys` are root's."""

    host: str
    port: int
    keys: Credentials
    log: list[str] = field(default_factory=list)

    def sign(self, service: str, method: str, path: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
        """Return the headers with a signature."""
        host = f"{self.host}:{self.port}"
        made = AWSRequest(method, f"http://{host}{path}", {**headers, "host": host}, body)
        (S3SigV4Auth if service == "s3" else SigV4Auth)(self.keys, service, "us-east-1").add_auth(made)
        return {name.lower(): str(value) for name, value in made.headers.items()}

    def send(
        self,
        service: str,
        method: str = "POST",
        path: str = "/",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        signed: dict[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a request signed as it is sent, or with the headers `signed`; within ten seconds."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in (signed or self.sign(service, method, path, headers or {}, body)).items():
                connection.putheader(name, value.encode("utf-8", "surrogateescape"))
            if "transfer-encoding" not in (headers or {}):
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return understood(Answer(response.status, found, response.read()))
        finally:
            connection.close()

    def call(self, service: str, target: str, body: bytes, **headers: str) -> Answer:
        """Send an AWS JSON request."""
        given = {"content-type": JSON, "x-amz-target": target, **headers}
        return self.send(service, body=body, headers=given)

    def form(self, service: str, body: bytes, kind: str = FORM) -> Answer:
        """Send a form of the query protocol."""
        return self.send(service, body=body, headers={"content-type": kind})


def understood(answer: Answer) -> Answer:
    """Read code and message of an error in whichever protocol it is; anything else is a failure."""
    kind = answer.headers.get("content-type", "")
    if answer.status < 400 or not answer.body:
        return answer
    if "xml" in kind:
        root = fromstring(answer.body)
        tags = {node.tag.rpartition("}")[2]: node.text or "" for node in root.iter()}
        answer.code, answer.message = tags["Code"], tags["Message"]
    else:
        assert "json" in kind or "cbor" in kind, (kind, answer.body)
        told = cbor2.loads(answer.body) if "cbor" in kind else json.loads(answer.body)
        answer.code = told["__type"].rpartition("#")[2]
        answer.message = told.get("message", told.get("Message", ""))
    return answer


@pytest.fixture(scope="module")
def sender(server: Any) -> Iterator[Sender]:
    url = urlsplit(server.endpoint)
    log = server.data.parent / f"{server.data.name}.log"
    before = log.stat().st_size
    keys = Credentials(server.credentials["aws_access_key_id"], server.credentials["aws_secret_access_key"])
    yield Sender(url.hostname or "", url.port or 0, keys)
    written = log.read_bytes()[before:].decode(errors="replace")
    assert "Traceback" not in written, written
    assert SECRET not in written
    assert keys.secret_key not in written


@pytest.fixture(scope="module")
def bucket(server: Any) -> str:
    name = f"bad-{secrets.token_hex(6)}"
    server.client("s3").create_bucket(Bucket=name)
    return name


DEEP_JSON = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
DEEP_CBOR = b"\xa1\x61a" + b"\x81" * 100_000 + b"\x01"


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"{", {}, "SerializationException"),
        (b"[]", {}, "SerializationException"),
        (b"\xff\xfe{}", {}, "SerializationException"),
        (b'{"logGroupNamePrefix": 1}', {}, "SerializationException"),
        (b'{"limit": 1e400}', {}, "SerializationException"),
        (b'{"limit": NaN}', {}, "SerializationException"),
        (b'{"limit": ' + b"9" * 6000 + b"}", {}, "SerializationException"),
        (b'{"limit": 99999999999999999999}', {}, "SerializationException"),
        (b'{"logGroupNamePrefix": "\\ud800"}', {}, "SerializationException"),
        (b'{"limit": 1, "limit": 2}', {}, "SerializationException"),
        (DEEP_JSON, {}, "SerializationException"),
        (b'{"limit": -1}', {}, "InvalidParameterException"),
        (b'{"logGroupNamePrefix": "' + b"x" * 600 + b'"}', {}, "InvalidParameterException"),
        (b"{}", {"content-type": "text/plain"}, "UnknownOperationException"),
        (gzip.compress(b"{}"), {"content-encoding": "gzip"}, "SerializationException"),
        (b'{"nextToken": "forged"}', {}, "InvalidParameterException"),
    ],
)  # fmt: skip
def test_bad_json(sender: Sender, body: bytes, headers: dict[str, str], code: str) -> None:
    answer = sender.call("logs", "Logs_20140328.DescribeLogGroups", body, **headers)
    assert (answer.code, answer.status // 100) == (code, 4)
    assert answer.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"\xff", "SerializationException"),
        (b"\xbf", "SerializationException"),
        (b"\x80", "SerializationException"),
        (b'{"Namespace": "n"}', "SerializationException"),
        (b"\xa1\x69Namespace\x62\xff\xff", "SerializationException"),
        (b"\xa2\x69Namespace\x61n\x69Namespace\x61m", "SerializationException"),
        (b"\xa1\x69Namespace\x9b" + b"\xff" * 8, "SerializationException"),
        (b"\xa1\x69Namespace\xd8\x1c\x00", "SerializationException"),
        (DEEP_CBOR, "SerializationException"),
        (cbor2.dumps({"Namespace": "x" * 300}), "ValidationException"),
    ],
)
def test_bad_cbor(sender: Sender, body: bytes, code: str) -> None:
    answer = sender.send("monitoring", path=METRICS + "ListMetrics", body=body, headers=CBOR)
    assert answer.headers["content-type"] == "application/cbor"
    assert answer.status == 400
    assert answer.code in (code, "InvalidParameterValueException")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e300 * 1e300, 1e300])
def test_numbers_that_are_no_measurements(sender: Sender, value: float) -> None:
    data = [{"MetricName": "m", "Value": value}]
    body = cbor2.dumps({"Namespace": f"n/{secrets.token_hex(4)}", "MetricData": data})
    answer = sender.send("monitoring", path=METRICS + "PutMetricData", body=body, headers=CBOR)
    assert answer.code == "InvalidParameterValueException"


def test_a_bomb_of_gzip(sender: Sender) -> None:
    bomb = gzip.compress(b"\0" * (100 << 20))
    answer = sender.send(
        "monitoring", path=METRICS + "PutMetricData", body=bomb, headers=CBOR | {"content-encoding": "gzip"}
    )
    assert (answer.status, answer.code) == (400, "SerializationException")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "MissingAction"),
        (b"Action=Fly&Version=2010-05-08", "InvalidAction"),
        (b"Action=listusers&Version=2010-05-08", "InvalidAction"),
        (b"Action=ListUsers&Version=1999-01-01", "InvalidAction"),
        (b"Action=ListUsers&Version=2010-05-08&MaxItems=x", "MalformedInput"),
        (b"Action=ListUsers&Version=2010-05-08&MaxItems=" + b"9" * 5000, "MalformedInput"),
        (b"Action=ListUsers&Version=2010-05-08&PathPrefix=%ff", "MalformedInput"),
        (b"Action=ListUsers&Version=2010-05-08&PathPrefix=%00", "MalformedInput"),
        (b"Action=ListUsers&Version=2010-05-08&PathPrefix=/&PathPrefix=/x/", "MalformedInput"),
        (b"Action=ListUsers&Action=CreateUser&UserName=evil&Version=2010-05-08", "MalformedInput"),
        (b"Action=ListUsers&Version=2010-05-08&" + b"a=b&" * 60_000, "MalformedInput"),
        (b"Action=ListUsers&Version=2010-05-08&" + b"a." * 5000 + b"=1", "MalformedInput"),
        (b"Action=ListUsers&Version=2010-05-08&MaxItems=0", "ValidationError"),
        (b"Action=GetUser&Version=2010-05-08&UserName=../x", "ValidationError"),
        (b"Action=CreateUser&Version=2010-05-08&UserName=a&Tags.member.x.Key=1", "MalformedInput"),
        (b"Action=CreatePolicy&Version=2010-05-08&PolicyName=p&PolicyDocument=" + b"%5B" * 3000, "MalformedPolicyDocument"),
        (b"Action=ListUsers&Version=2010-05-08&Marker=forged", "InvalidInput"),
    ],
)  # fmt: skip
def test_bad_forms(sender: Sender, body: bytes, code: str) -> None:
    answer = sender.form("iam", body)
    assert (answer.status, answer.code) == (400, code)
    assert answer.headers["content-type"] == "text/xml"


LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10)
)  # fmt: skip
XML = [
    b"<", b"<a/>", b"<Delete>", b"<Delete><Object><Key>a</Key></Object></Wrong>", b"\xff\xfe", b"{}", b"<Delete/>",
    b'<!DOCTYPE Delete [<!ENTITY l0 "lol">' + LAUGHS + b"]><Delete><Object><Key>&l9;</Key></Object></Delete>",
    b'<!DOCTYPE Delete [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&x;</Key></Object></Delete>',
    b'<!DOCTYPE Delete SYSTEM "http://127.0.0.1:1/x"><Delete><Object><Key>a</Key></Object></Delete>',
    b'<?xml version="1.0" encoding="utf-99"?><Delete><Object><Key>a</Key></Object></Delete>',
    b"<Delete>" + b"<Object>" * 100_000 + b"</Object>" * 100_000 + b"</Delete>",
    b"<Delete><Object><Key>&#0;</Key></Object></Delete>", b"<Delete><Object><Key>\xff</Key></Object></Delete>",
    b"<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>", b"<Delete><Object><Size>1</Size></Object></Delete>",
]  # fmt: skip


@pytest.mark.parametrize("body", XML, ids=range(len(XML)))
def test_bad_xml(sender: Sender, bucket: str, body: bytes) -> None:
    answer = sender.send("s3", path=f"/{bucket}?delete", body=body)
    assert (answer.status, answer.code) == (400, "MalformedXML")


@pytest.mark.parametrize(
    ("method", "path", "codes"),
    [
        ("PUT", "/Upper-Case", "InvalidBucketName"),
        ("PUT", "/ab", "InvalidBucketName"),
        ("PUT", "/192.168.0.1", "InvalidBucketName"),
        ("PUT", "/..", "InvalidBucketName"),
        ("PUT", "/..%2F..%2Fetc", "InvalidBucketName InvalidArgument"),
        ("PUT", "/a_b", "InvalidBucketName"),
        ("PUT", "/-abc", "InvalidBucketName"),
        ("PUT", "/" + "a" * 64, "InvalidBucketName"),
        ("PUT", "/%00abc", "InvalidURI"),
        ("PUT", "/%ff%fe", "InvalidURI"),
        ("GET", "/no-such-bucket-here/key", "NoSuchBucket"),
        ("GET", "/{}/../../../etc/passwd", "NoSuchKey"),
        ("GET", "/{}/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "NoSuchKey"),
        ("GET", "/{}/a%00b", "InvalidURI"),
        ("GET", "/{}/%ff", "InvalidURI"),
        ("PUT", "/{}/" + "k" * 1025, "KeyTooLongError"),
        ("PATCH", "/{}/key", "MethodNotAllowed"),
        ("DELETE", "/{}?location", "MethodNotAllowed"),
        ("POST", "/{}/key", "MethodNotAllowed InvalidArgument"),
        ("GET", "/{}?max-keys=x", "InvalidArgument"),
        ("GET", "/{}?max-keys=-1", "InvalidArgument"),
        ("GET", "/{}?max-keys=99999999999999999999", "InvalidArgument"),
        ("GET", "/{}?list-type=2&continuation-token=forged", "InvalidArgument"),
        ("GET", "/{}?prefix=%00", "InvalidArgument"),
        ("GET", "/{}?prefix=%ff", "InvalidArgument"),
        ("GET", "/{}?versionId=x&uploads&acl", "MethodNotAllowed InvalidArgument NoSuchVersion"),
        ("PUT", "/{}/key?partNumber=0&uploadId=x", "InvalidArgument NoSuchUpload"),
        ("PUT", "/{}/key?partNumber=1&uploadId=../x", "NoSuchUpload"),
        ("GET", "/{}?analytics", "NotImplemented"),
    ],
)  # fmt: skip
def test_bad_names_and_paths(sender: Sender, bucket: str, method: str, path: str, codes: str) -> None:
    answer = sender.send("s3", method, path.format(bucket))
    assert answer.code in codes.split()
    assert answer.status >= 400
    assert answer.headers["x-amz-request-id"]


def test_a_taken_bucket_name(server: Any, person: Any, bucket: str) -> None:
    again = server.client("s3", region_name="eu-west-1").create_bucket
    with pytest.raises(server.client("s3").exceptions.ClientError, match="BucketAlreadyOwnedByYou"):
        again(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def test_keys_with_dots_stay_keys(sender: Sender, server: Any, bucket: str) -> None:
    for key in ("/../../x", "/%2e%2e/%2e%2e/x", "/.", "/..", "/a//b"):
        assert sender.send("s3", "PUT", f"/{bucket}{key}", SECRET.encode()).status == 200
    keys = [each["Key"] for each in server.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    assert {"../../x", ".", "..", "a//b"} <= set(keys)
    assert not list(server.data.parent.glob("**/x"))


def test_an_upload_that_is_not_what_was_signed_leaves_nothing(sender: Sender, server: Any, bucket: str) -> None:
    path, body = f"/{bucket}/half", SECRET.encode() * 5000
    signed = sender.sign("s3", "PUT", path, {}, body)
    assert sender.send("s3", "PUT", path, b"x" + body[1:], signed=signed).code == "XAmzContentSHA256Mismatch"
    claimed = {"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    assert sender.send("s3", "PUT", path, body, claimed).code == "BadDigest"
    with pytest.raises(server.client("s3").exceptions.NoSuchKey):
        server.client("s3").get_object(Bucket=bucket, Key="half")


def test_an_upload_that_stops_halfway_leaves_nothing(sender: Sender, server: Any, bucket: str) -> None:
    path, body = f"/{bucket}/stopped", SECRET.encode() * 50_000
    signed = sender.sign("s3", "PUT", path, {}, body) | {"content-length": str(len(body))}
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    with socket.create_connection((sender.host, sender.port), timeout=10) as connection:
        connection.sendall(f"PUT {path} HTTP/1.1\r\n{head}\r\n".encode() + body[: len(body) // 2])
        connection.shutdown(socket.SHUT_WR)
        connection.recv(4096)
    with pytest.raises(server.client("s3").exceptions.NoSuchKey):
        server.client("s3").get_object(Bucket=bucket, Key="stopped")


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(sender: Sender) -> None:
    headers = {"content-type": JSON, "x-amz-target": "Logs_20140328.DescribeLogGroups"}
    signed = sender.sign("logs", "POST", "/", headers, b"") | {"content-length": str(17 << 20)}
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    with socket.create_connection((sender.host, sender.port), timeout=10) as connection:
        connection.sendall(f"POST / HTTP/1.1\r\n{head}expect: 100-continue\r\n\r\n".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        answer = understood(Answer(response.status, dict(response.getheaders()), response.read()))
    assert (answer.status, answer.code) == (413, "RequestEntityTooLargeException")


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
def test_tampered_requests(sender: Sender, bucket: str, change: dict[str, str], code: str) -> None:
    signed = sender.sign("s3", "GET", f"/{bucket}", {}, b"") | change
    headers = {name: value for name, value in signed.items() if value}
    assert sender.send("s3", "GET", f"/{bucket}", signed=headers).code in code.split()


@pytest.mark.parametrize("service", ["s3", "iam", "logs", "monitoring"])
def test_unknown_keys_and_other_secrets(sender: Sender, bucket: str, service: str) -> None:
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
        other = Sender(sender.host, sender.port, keys)
        assert other.send(service, method, path, body, headers).code == code
    other_body = sender.send(
        service, method, path, body + b"&MaxItems=1", signed=sender.sign(service, method, path, headers, body)
    )
    assert other_body.code in (wrong, "XAmzContentSHA256Mismatch")


def test_an_unknown_service_is_told_in_some_protocol(sender: Sender) -> None:
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
def test_what_is_hardly_http(sender: Sender, raw: bytes) -> None:
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
    sender: Sender, bucket: str, extra: dict[str, list[str]], first: bool
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
def test_an_operation_or_a_name_is_given_once(sender: Sender, body: bytes, query: str) -> None:
    answer = sender.send("iam", path=f"/{query}", body=body, headers={"content-type": FORM})
    assert (answer.status, answer.code) == (400, "MalformedInput")


def test_a_target_beside_an_action_decides_alone(sender: Sender) -> None:
    headers = {"content-type": FORM, "x-amz-target": "Logs_20140328.DescribeLogGroups"}
    answer = sender.send("iam", body=b"Action=ListUsers&Version=2010-05-08", headers=headers)
    assert (answer.status, answer.code) == (400, "InvalidSignatureException")
    assert "scoped to correct service: 'logs'" in answer.message


def test_absolute_uris_and_trailing_dots_are_the_same_place(sender: Sender, bucket: str) -> None:
    signed = sender.sign("s3", "GET", f"/{bucket}", {}, b"")
    lines = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    with socket.create_connection((sender.host, sender.port), timeout=10) as connection:
        head = f"GET http://other.example/elsewhere HTTP/1.1\r\n{lines}connection: close\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(65536).split()[1] in (b"400", b"403")
