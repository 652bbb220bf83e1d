"""Malformed and hostile bodies: each answers AWS's error, and quickly."""

import gzip
import struct

import pytest

from headrace.aws import specification
from headrace.aws.protocols import PROTOCOLS, validate
from headrace.server.errors import InvalidInput
from headrace.server.messages import Request

BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><Tagging><TagSet>&b;</TagSet></Tagging>'
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Tagging><TagSet>&a;</TagSet></Tagging>'


def parse(service, name, protocol, body, *, path="/", query="", **headers):
    pairs = tuple((key.replace("_", "-"), value) for key, value in headers.items())
    operation = specification.service(service).operation(name)
    parameters = PROTOCOLS[protocol].parse(operation, Request("POST", path, query, pairs, body))
    validate(operation, parameters)
    return parameters


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b"nul",
        b'{"TrainingJobName": NaN}',
        b'{"TrainingJobName": "a", "TrainingJobName": "b"}',
        b'{"TrainingJobName": "\\ud800"}',
        b'{"TrainingJobName": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"ResourceConfig": {"InstanceCount": ' + b"9" * 100_000 + b"}}",
        b'{"ResourceConfig": {"InstanceCount": 4294967296}}',
        b'{"ResourceConfig": {"InstanceCount": 1.5}}',
        b'{"ResourceConfig": {"InstanceCount": "1"}}',
        b'{"ResourceConfig": []}',
        b'{"Tags": {}}',
        b'{"TrainingJobName": 1}',
        b'{"EnableNetworkIsolation": "true"}',
        b'{"HyperParameters": ["a"]}',
    ],
)
def test_json(body):
    with pytest.raises(InvalidInput) as refused:
        parse("sagemaker", "CreateTrainingJob", "json", body)
    assert refused.value.code == "SerializationException"
    assert len(refused.value.message) < 300


@pytest.mark.parametrize(
    "body",
    [
        b"\xa1",
        b"\xff",
        b"\x80",
        b"\x9f" * 100_000,
        b"\x81" * 100_000,
        b"\x9b" + b"\xff" * 8,
        b"\xbb" + b"\xff" * 8,
        b"\xa1\x69Namespace\x7b" + b"\xff" * 8,
        b"\xa2\x69Namespace\x61a\x69Namespace\x61b",
        b"\xa1\x69Namespace\x01",
        b"\xa1\x69Namespace\xd8\x23\x61(",
        b"\xa1\x69Namespace\xd8\x1c\x81\xd8\x1d\x00",
        b"\xa1\x69Namespace\xc2\x41\x01",
        b"\xa1\x01\x02",
        b"\xa1\x69Namespace\x62\xff\xff",
        b"\xa1\x6aMetricData\x81\xa1\x69Timestamp\xc1\xfb" + struct.pack(">d", 1e300),
        b"\xa1\x6aMetricData\x81\xa1\x69Timestamp\xc1\xfb" + struct.pack(">d", float("nan")),
    ],
)
def test_cbor(body):
    with pytest.raises(InvalidInput) as refused:
        parse("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor", body)
    assert refused.value.code == "SerializationException"


@pytest.mark.parametrize(
    "body",
    [
        b"<",
        b"<Tagging>",
        b"<Tagging></Other>",
        b"<Other/>",
        b"<Tagging><Other/></Tagging>",
        b"<Tagging><TagSet/><TagSet/></Tagging>",
        b"<Tagging><TagSet><Tag><Key><b/></Key><Value>v</Value></Tag></TagSet></Tagging>",
        b"<Tagging><TagSet><Tag><Value>v</Value></Tag></TagSet></Tagging>",
        b"<Tagging>\xff</Tagging>",
        b"<a>" * 100_000,
        BOMB,
        OUTSIDE,
    ],
)
def test_xml(body):
    with pytest.raises(InvalidInput) as refused:
        parse("s3", "PutBucketTagging", "rest-xml", body, path="/demo")
    assert refused.value.code == "MalformedXML"


@pytest.mark.parametrize(
    "body",
    [
        b"Action=AssumeRole&DurationSeconds=abc",
        b"Action=AssumeRole&DurationSeconds=" + b"9" * 100_000,
        b"Action=AssumeRole&RoleArn=%ff",
        b"Action=AssumeRole&RoleArn=\xff",
        b"Action=AssumeRole&RoleArn=%00",
        b"Action=AssumeRole&RoleArn=a&RoleArn=b",
        b"Action=AssumeRole&Tags.member.x.Key=a",
        b"Action=AssumeRole&Tags.member.1=a&Tags.member.1.Key=b&Tags.member.1.Key.c.d=e&Tags.member.-1=x",
        b"Action=AssumeRole&Tags" + b".a" * 100_000 + b"=b",
        b"&a=b" * 100_000,
        b"Action=AssumeRole&RoleArn.a=b",
        b"Action=AssumeRole&Tags.member.=&Tags.member.1..Key=1",
    ],
)
def test_forms(body):
    with pytest.raises(InvalidInput) as refused:
        parse("sts", "AssumeRole", "query", body)
    assert refused.value.code in {"MalformedInput", "ValidationError"}
    assert len(refused.value.message) < 600


@pytest.mark.parametrize(("query", "headers"), [("max-keys=many", {}), ("max-keys=", {}), ("max-keys=99999999999", {})])
def test_s3_queries(query, headers):
    with pytest.raises(InvalidInput) as refused:
        parse("s3", "ListObjectsV2", "rest-xml", b"", path="/demo", query=query, **headers)
    assert refused.value.code == "InvalidArgument"


def test_s3_headers():
    with pytest.raises(InvalidInput) as refused:
        parse("s3", "HeadObject", "rest-xml", b"", path="/demo/key", if_modified_since="yesterday")
    assert refused.value.code == "InvalidArgument"
    with pytest.raises(InvalidInput) as refused:
        parse("s3", "PutObject", "rest-xml", b"", path="/demo/key", x_amz_storage_class="GOLD")
    assert refused.value.code == "InvalidStorageClass"


def test_compressed_bodies_are_unpacked_and_bombs_refused():
    body = b'{"Namespace": "a", "MetricData": []}'
    packed = gzip.compress(body)
    assert parse("cloudwatch", "PutMetricData", "json", packed, content_encoding="gzip")["Namespace"] == "a"
    for bad in (packed[:-9], b"not gzip", gzip.compress(b" " * (65 << 20))):
        with pytest.raises(InvalidInput) as refused:
            parse("cloudwatch", "PutMetricData", "json", bad, content_encoding="gzip")
        assert refused.value.code == "SerializationException"


def test_deep_recursive_shapes_are_refused():
    nested = (
        b'{"SearchExpression":' + b'{"SubExpressions":[' * 900 + b"{}" + b"]}" * 900 + b',"Resource":"TrainingJob"}'
    )
    with pytest.raises(InvalidInput) as refused:
        parse("sagemaker", "Search", "json", nested)
    assert refused.value.code == "SerializationException"


@pytest.mark.parametrize(
    ("service", "name", "protocol", "code"),
    [
        ("sagemaker", "ListModels", "json", "UnknownOperationException"),
        ("cloudwatch", "ListMetrics", "smithy-rpc-v2-cbor", "UnsupportedMediaTypeException"),
        ("personalize-runtime", "GetRecommendations", "rest-json", "UnsupportedMediaTypeException"),
    ],
)
def test_other_content_types(service, name, protocol, code):
    with pytest.raises(InvalidInput) as refused:
        parse(service, name, protocol, b"a=b", content_type="text/html")
    assert refused.value.code == code
