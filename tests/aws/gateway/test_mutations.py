"""Valid requests with something wrong in them: never a failure of the server, always the service's own words."""

import json
import logging
import os
from typing import Any
from xml.etree.ElementTree import fromstring

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("HEADRACE_MUTATIONS", "400"))
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]})
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "s3.amazonaws.com"}}]})  # fmt: skip
TAGS = [{"Key": "team", "Value": "red"}]
NOON = 1_800_000_000
METRIC = {"MetricName": "m", "Value": 1.5, "Timestamp": NOON, "Dimensions": [{"Name": "a", "Value": "b"}]}
QUERY = {"Id": "m1", "MetricStat": {"Metric": {"Namespace": "n", "MetricName": "m"}, "Period": 60, "Stat": "p90"}}
SPAN = {"StartTime": NOON, "EndTime": NOON + 600}
CALLS: list[tuple[str, str, dict[str, Any], str]] = [
    ("sts", "GetCallerIdentity", {}, ""),
    ("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::123456789012:role/r", "RoleSessionName": "session", "Tags": TAGS, "Policy": POLICY}, ""),
    ("sts", "GetFederationToken", {"Name": "guest", "Policy": POLICY, "DurationSeconds": 900}, ""),
    ("sts", "DecodeAuthorizationMessage", {"EncodedMessage": "abc"}, ""),
    ("iam", "CreateUser", {"UserName": "u", "Path": "/a/", "Tags": TAGS}, ""),
    ("iam", "CreateRole", {"RoleName": "r", "AssumeRolePolicyDocument": TRUST, "MaxSessionDuration": 3600}, ""),
    ("iam", "PutUserPolicy", {"UserName": "u", "PolicyName": "p", "PolicyDocument": POLICY}, ""),
    ("iam", "ListUsers", {"PathPrefix": "/", "MaxItems": 10, "Marker": "x"}, ""),
    ("iam", "SimulateCustomPolicy", {"PolicyInputList": [POLICY], "ActionNames": ["s3:GetObject"], "ContextEntries": [{"ContextKeyName": "a:b", "ContextKeyValues": ["1"], "ContextKeyType": "numeric"}]}, ""),
    ("s3", "CreateBucket", {"Bucket": "bucket-2", "CreateBucketConfiguration": {"Tags": TAGS}}, ""),
    ("s3", "PutObject", {"Bucket": "bucket", "Key": "a b/ü", "Body": b"hello", "Metadata": {"x": "y"}, "Tagging": "a=b"}, ""),
    ("s3", "GetObject", {"Bucket": "bucket", "Key": "key", "Range": "bytes=0-2", "IfNoneMatch": '"x"'}, ""),
    ("s3", "ListObjectsV2", {"Bucket": "bucket", "Prefix": "a", "Delimiter": "/", "MaxKeys": 5, "StartAfter": "a"}, ""),
    ("s3", "ListObjectVersions", {"Bucket": "bucket", "KeyMarker": "a", "VersionIdMarker": "b"}, ""),
    ("s3", "DeleteObjects", {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b", "VersionId": "null"}]}}, ""),
    ("s3", "CopyObject", {"Bucket": "bucket", "Key": "copy", "CopySource": "bucket/key?versionId=null"}, ""),
    ("s3", "CreateMultipartUpload", {"Bucket": "bucket", "Key": "big"}, ""),
    ("s3", "CompleteMultipartUpload", {"Bucket": "bucket", "Key": "big", "UploadId": "u", "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "x"}]}}, ""),
    ("s3", "PutBucketPolicy", {"Bucket": "bucket", "Policy": POLICY}, ""),
    ("s3", "PutBucketLifecycleConfiguration", {"Bucket": "bucket", "LifecycleConfiguration": {"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "a"}, "Expiration": {"Days": 3}}]}}, ""),
    ("s3", "PutBucketCors", {"Bucket": "bucket", "CORSConfiguration": {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "MaxAgeSeconds": 3}]}}, ""),
    ("s3", "PutBucketTagging", {"Bucket": "bucket", "Tagging": {"TagSet": TAGS}}, ""),
    ("s3", "PutObjectRetention", {"Bucket": "bucket", "Key": "key", "Retention": {"Mode": "GOVERNANCE", "RetainUntilDate": NOON}}, ""),
    ("s3", "PutObjectAcl", {"Bucket": "bucket", "Key": "key", "AccessControlPolicy": {"Owner": {"ID": "x"}, "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "x"}, "Permission": "READ"}]}}, ""),
    ("logs", "CreateLogGroup", {"logGroupName": "g", "tags": {"a": "b"}}, ""),
    ("logs", "PutLogEvents", {"logGroupName": "group", "logStreamName": "s", "logEvents": [{"timestamp": NOON * 1000, "message": '{"a": [1]}'}]}, ""),
    ("logs", "FilterLogEvents", {"logGroupName": "group", "filterPattern": '{ $.a[0] = 1 && ($.b = "x*") }', "startTime": 1, "limit": 3}, ""),
    ("logs", "PutMetricFilter", {"logGroupName": "group", "filterName": "f", "filterPattern": "[a, b > 3, ...]", "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "$b"}]}, ""),
    ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "g", "limit": 5, "nextToken": "x"}, ""),
    ("cloudtrail", "LookupEvents", {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "x"}], "StartTime": NOON, "MaxResults": 5}, ""),
    ("cloudtrail", "CreateTrail", {"Name": "trail", "S3BucketName": "bucket", "TagsList": TAGS}, ""),
    ("cloudtrail", "PutEventSelectors", {"TrailName": "trail", "AdvancedEventSelectors": [{"Name": "n", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]}, ""),
    ("cloudwatch", "PutMetricData", {"Namespace": "n", "MetricData": [METRIC]}, "json"),
    ("cloudwatch", "PutMetricData", {"Namespace": "n", "MetricData": [METRIC]}, "smithy-rpc-v2-cbor"),
    ("cloudwatch", "PutMetricData", {"Namespace": "n", "MetricData": [METRIC]}, "query"),
    ("cloudwatch", "GetMetricData", SPAN | {"MetricDataQueries": [QUERY, {"Id": "e", "Expression": "FILL(m1, 0) / 2 ^ 3"}]}, "smithy-rpc-v2-cbor"),
    ("cloudwatch", "GetMetricStatistics", SPAN | {"Namespace": "n", "MetricName": "m", "Period": 60, "Statistics": ["Sum"]}, "query"),
    ("cloudwatch", "ListMetrics", {"Namespace": "n", "NextToken": "x", "Dimensions": [{"Name": "a"}]}, "json"),
    ("resourcegroupstaggingapi", "GetResources", {"TagFilters": [{"Key": "team", "Values": ["red"]}], "PaginationToken": ""}, ""),
    ("resourcegroupstaggingapi", "TagResources", {"ResourceARNList": ["arn:aws:s3:::bucket"], "Tags": {"a": "b"}}, ""),
]  # fmt: skip
PIECES: list[bytes] = [
    b"\x00", b"\xff\xfe", b"%00", b"%", b"%ff", b"%2e%2e%2f", b"../", b"&", b"=", b";", b"<", b">", b"<a>", b"]]>", b'"', b"\\", b"\\ud800",
    b"\\u0000", b"{", b"}", b"[", b"]", b"null", b"true", b"NaN", b"1e999", b"-1", b"9" * 5000, b"1" + b"0" * 25, b"0x10", b"{}", b"[]",
    b"[" * 3000, b"(" * 3000, b"<a>" * 3000, b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"\xed\xa0\x80", "ü".encode(), b"*", b"?",
    b"arn:aws:iam::aws:policy/AdministratorAccess", b"Action=Fly", b".member.1", b".member.999999999999", b",", b":", b" ", b"\r\n", b"A" * 9000,
    b"99999-99-99T99:99:99Z", b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59Z", b"253402300800", b"-62135596801", b"\xf9\x7e\x00", b"\xfb\x7f\xf0" + b"\0" * 6,
    b"\xc1\xfb\x7f\xf8" + b"\0" * 6, b"\x9b" + b"\xff" * 8, b"\x9f" * 500, b"\xd8\x1c", b"\xf6", b"\xf7", b"\x1b" + b"\xff" * 8,
]  # fmt: skip
HEADERS = [
    "content-type", "content-encoding", "content-length", "content-md5", "accept", "range", "if-match", "if-modified-since", "x-amz-acl",
    "x-amz-tagging", "x-amz-copy-source", "x-amz-copy-source-range", "x-amz-target", "x-amz-meta-a", "x-amz-checksum-crc32", "smithy-protocol",
    "x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-expected-bucket-owner",
    "x-amz-sdk-checksum-algorithm", "x-amz-grant-read", "x-amz-website-redirect-location", "x-amz-decoded-content-length", "origin", "expires", "x-amz-mfa",
]  # fmt: skip


@st.composite
def mutated(draw: Any, text: bytes) -> bytes:
    """Cut, repeat, replace or insert at random places."""
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        piece = draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=4), st.just(text[start:end] * 2)))
        text = text[:start] + piece + text[end:]
    return text


@pytest.fixture(scope="module")
def requests(inside: Any, written: Any) -> list[Any]:
    """Return the valid requests, after what they are about has been made."""
    for service, operation, parameters in (
        ("s3", "CreateBucket", {"Bucket": "bucket"}),
        ("s3", "PutObject", {"Bucket": "bucket", "Key": "key", "Body": b"hello"}),
        ("iam", "CreateUser", {"UserName": "u"}),
        ("logs", "CreateLogGroup", {"logGroupName": "group"}),
        ("logs", "CreateLogStream", {"logGroupName": "group", "logStreamName": "s"}),
    ):
        assert inside.send(written(service, operation, parameters)).status == 200
    return [written(*call) for call in CALLS]


@pytest.fixture
def failures(caplog: pytest.LogCaptureFixture) -> Any:
    """Return the log of what failed inside the server."""
    caplog.set_level(logging.WARNING, "headrace")
    return lambda: [record.getMessage() for record in caplog.records if record.exc_info]


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 400, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_no_mutated_request_breaks_the_server(inside: Any, requests: list[Any], failures: Any, data: Any) -> None:
    wire = type(requests[0])(**vars(data.draw(st.sampled_from(requests), label="request")))
    wire.headers = dict(wire.headers)
    part = data.draw(st.sampled_from(["body", "body", "body", "query", "path", "header", "new header"]), label="part")
    if part == "body":
        wire.body = data.draw(mutated(wire.body), label="body")
    elif part == "query":
        wire.query = line(data.draw(mutated(wire.query.encode()), label="query"))
    elif part == "path":
        wire.path = "/" + line(data.draw(mutated(wire.path.encode()), label="path")).lstrip("/")
    else:
        names = sorted(wire.headers) if part == "header" and wire.headers else HEADERS
        name = data.draw(st.sampled_from(names), label="header")
        value = data.draw(mutated(wire.headers.get(name, "x").encode()), label="value")
        wire.headers[name] = "".join(each for each in value.decode("latin-1") if each.isprintable()).strip()
    response = inside.send(wire)
    assert response.status < 500 or response.status == 501, (response.status, response.body, failures())
    speaks(response, wire)


def line(text: bytes) -> str:
    """Return what may stand in a request line, percent-encoded where it must be."""
    return "".join(chr(each) if 32 < each < 127 and chr(each) not in '#?"<>' else f"%{each:02X}" for each in text)


def speaks(response: Any, wire: Any) -> None:
    """Check that an answer is in the protocol of a service, and tells its request."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    assert {"x-amzn-requestid", "x-amz-request-id"} & set(headers)
    kind = headers.get("content-type", "")
    if not response.body or (wire.service == "s3" and response.status in (200, 206) and "xml" not in kind):
        return
    if "xml" in kind:
        fromstring(response.body)
    elif "json" in kind:
        json.loads(response.body)
    else:
        assert kind == "application/cbor"
        cbor2.loads(response.body)
