"""Bodies, names and paths that are wrong, in every protocol: the service's own error, and nothing that stays."""

import gzip
import secrets
from typing import Any

import cbor2
import pytest

CBOR = {"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"}
METRICS = "/service/GraniteServiceVersion20100801/operation/"

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
        (gzip.compress(b"{}", mtime=0), {"content-encoding": "gzip"}, "SerializationException"),
        (b'{"nextToken": "forged"}', {}, "InvalidParameterException"),
    ],
)  # fmt: skip
def test_bad_json(sender: Any, body: bytes, headers: dict[str, str], code: str) -> None:
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
def test_bad_cbor(sender: Any, body: bytes, code: str) -> None:
    answer = sender.send("monitoring", path=METRICS + "ListMetrics", body=body, headers=CBOR)
    assert answer.headers["content-type"] == "application/cbor"
    assert answer.status == 400
    assert answer.code in (code, "InvalidParameterValueException")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e300 * 1e300, 1e300])
def test_numbers_that_are_no_measurements(sender: Any, value: float) -> None:
    data = [{"MetricName": "m", "Value": value}]
    body = cbor2.dumps({"Namespace": f"n/{secrets.token_hex(4)}", "MetricData": data})
    answer = sender.send("monitoring", path=METRICS + "PutMetricData", body=body, headers=CBOR)
    assert answer.code == "InvalidParameterValueException"


def test_a_bomb_of_gzip(sender: Any) -> None:
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
def test_bad_forms(sender: Any, body: bytes, code: str) -> None:
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
def test_bad_xml(sender: Any, bucket: str, body: bytes) -> None:
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
def test_bad_names_and_paths(sender: Any, bucket: str, method: str, path: str, codes: str) -> None:
    answer = sender.send("s3", method, path.format(bucket))
    assert answer.code in codes.split()
    assert answer.status >= 400
    assert answer.headers["x-amz-request-id"]


def test_a_taken_bucket_name(server: Any, person: Any, bucket: str) -> None:
    again = server.client("s3", region_name="eu-west-1").create_bucket
    with pytest.raises(server.client("s3").exceptions.ClientError, match="BucketAlreadyOwnedByYou"):
        again(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})


def test_keys_with_dots_stay_keys(sender: Any, server: Any, bucket: str) -> None:
    for key in ("/../../x", "/%2e%2e/%2e%2e/x", "/.", "/..", "/a//b"):
        assert sender.send("s3", "PUT", f"/{bucket}{key}", b"confidential-in-a-request").status == 200
    keys = [each["Key"] for each in server.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    assert {"../../x", ".", "..", "a//b"} <= set(keys)
    assert not list(server.data.parent.glob("**/x"))
