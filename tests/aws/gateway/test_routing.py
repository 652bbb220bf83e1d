"""Requests of boto3 and of other clients, by host, scope, target, form and path."""

from urllib.parse import urlsplit

import boto3
import pytest

from headrace.aws.errors import UnroutableError
from headrace.aws.gateway.routing import find
from headrace.server.messages import Request

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/{}/aws4_request, SignedHeaders=host, Signature=0"
ENDPOINTS = [None, "http://127.0.0.1:4599", "http://localhost:4599"]


def request(method="GET", path="/", *, host="127.0.0.1:4599", service="", body=b"", **headers):
    pairs = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    if service:
        pairs["authorization"] = SIGNED.format(service)
    url = urlsplit(path)
    return Request(method, url.path, url.query, tuple(pairs.items()), body)


def sent(service, operation, endpoint, parameters):
    """Return the request that boto3 sends for a call."""
    made = []

    def keep(request, **_):
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        url = urlsplit(request.url)
        pairs = [
            (name.lower(), value.decode() if isinstance(value, bytes) else value)
            for name, value in request.headers.items()
        ]
        pairs = [("host", url.netloc), *(pair for pair in pairs if pair[0] != "host")]
        made.append(
            Request(
                request.method, url.path, url.query, tuple(pairs), body if isinstance(body, bytes) else body.encode()
            )
        )
        raise ConnectionAbortedError

    client = boto3.client(
        service, region_name="eu-west-1", endpoint_url=endpoint, aws_access_key_id="AKIA", aws_secret_access_key="x"
    )
    client.meta.events.register("before-send.*", keep)
    with pytest.raises(ConnectionAbortedError):
        getattr(client, operation)(**parameters)
    return made[0]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    ("service", "call", "parameters", "operation", "labels"),
    [
        ("sts", "get_caller_identity", {}, "GetCallerIdentity", {}),
        ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": "{}"}, "CreateRole", {}),
        ("sagemaker", "list_models", {}, "ListModels", {}),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"1"}, "InvokeEndpoint", {"EndpointName": "e"}),
        ("cloudwatch", "list_metrics", {}, "ListMetrics", {}),
        ("logs", "describe_log_groups", {}, "DescribeLogGroups", {}),
        ("cloudtrail", "lookup_events", {}, "LookupEvents", {}),
        ("s3", "list_buckets", {}, "ListBuckets", {}),
        ("s3", "get_object", {"Bucket": "demo", "Key": "a b/ü+%2F"}, "GetObject", {"Bucket": "demo", "Key": "a b/ü+%2F"}),
        ("s3", "list_objects_v2", {"Bucket": "demo"}, "ListObjectsV2", {"Bucket": "demo"}),
        ("s3", "upload_part", {"Bucket": "demo", "Key": "k", "PartNumber": 1, "UploadId": "u", "Body": b""}, "UploadPart", {"Bucket": "demo", "Key": "k"}),
        ("s3", "copy_object", {"Bucket": "demo", "Key": "k", "CopySource": "a/b"}, "CopyObject", {"Bucket": "demo", "Key": "k"}),
        ("s3", "delete_bucket_cors", {"Bucket": "demo"}, "DeleteBucketCors", {"Bucket": "demo"}),
        ("s3", "put_bucket_notification_configuration", {"Bucket": "demo", "NotificationConfiguration": {}}, "PutBucketNotificationConfiguration", {"Bucket": "demo"}),
        ("s3control", "get_public_access_block", {"AccountId": "123456789012"}, "GetPublicAccessBlock", {}),
    ],
)  # fmt: skip
def test_what_boto3_sends(endpoint, service, call, parameters, operation, labels):
    found = find(sent(service, call, endpoint, parameters))
    assert (found.service.name, found.operation.name, found.labels) == (service, operation, labels)
    assert found.region == ("us-east-1" if service == "iam" and endpoint is None else "eu-west-1")


@pytest.mark.parametrize(
    ("made", "service", "operation", "protocol"),
    [
        (request(host="api.sagemaker.us-east-1.amazonaws.com", x_amz_target="SageMaker.ListModels"), "sagemaker", "ListModels", "json"),
        (request("POST", "/endpoints/e/invocations", host="runtime.sagemaker.us-east-1.amazonaws.com"), "sagemaker-runtime", "InvokeEndpoint", "rest-json"),
        (request("POST", "/service/GraniteServiceVersion20100801/operation/ListMetrics", smithy_protocol="rpc-v2-cbor"), "cloudwatch", "ListMetrics", "smithy-rpc-v2-cbor"),
        (request("POST", service="monitoring", body=b"Action=ListMetrics&Version=2010-08-01", content_type="application/x-www-form-urlencoded"), "cloudwatch", "ListMetrics", "query"),
        (request(path="/?Action=GetCallerIdentity&Version=2011-06-15", host="sts.amazonaws.com"), "sts", "GetCallerIdentity", "query"),
        (request(path="/key", host="demo.bucket.s3.eu-west-1.amazonaws.com"), "s3", "GetObject", "rest-xml"),
        (request(path="/key", host="demo.s3.dualstack.eu-west-1.amazonaws.com"), "s3", "GetObject", "rest-xml"),
        (request(path="/", host="demo.localhost:4599"), "s3", "ListObjects", "rest-xml"),
        (request(path="/demo/", host="s3.localhost:4599"), "s3", "ListObjects", "rest-xml"),
        (request(path="/demo/key"), "s3", "GetObject", "rest-xml"),
        (request(path="/demo//key"), "s3", "GetObject", "rest-xml"),
        (request(path="/demo/key?X-Amz-Credential=AKIA%2F20260101%2Feu-west-1%2Fs3%2Faws4_request"), "s3", "GetObject", "rest-xml"),
        (request("DELETE", "/demo/key?tagging&versionId=1"), "s3", "DeleteObjectTagging", "rest-xml"),
        (request("DELETE", "/demo/key?x-id=DeleteObject"), "s3", "DeleteObject", "rest-xml"),
        (request(path="/demo?analytics", service="s3"), "s3", "ListBucketAnalyticsConfigurations", "rest-xml"),
        (request(path="/demo?analytics&id=1", service="s3"), "s3", "GetBucketAnalyticsConfiguration", "rest-xml"),
    ],
)  # fmt: skip
def test_hosts_scopes_and_paths(made, service, operation, protocol):
    found = find(made)
    assert (found.service.name, found.operation.name, found.protocol) == (service, operation, protocol)


def test_keys_are_decoded_once_and_keep_their_slashes():
    assert find(request(path="/demo//a%252Fb%2F..%2Fc")).labels == {"Bucket": "demo", "Key": "/a%2Fb/../c"}


def test_a_browsers_upload_is_told_apart():
    found = find(request("POST", "/demo/", content_type="multipart/form-data; boundary=x"))
    assert found.form_upload
    assert found.labels == {"Bucket": "demo"}


@pytest.mark.parametrize(
    ("made", "service", "protocol", "code"),
    [
        (request(x_amz_target="SageMaker.Fly", service="sagemaker"), "sagemaker", "json", "UnknownOperationException"),
        (request(x_amz_target="Nobody.Fly"), "sts", "json", "UnknownOperationException"),
        (request("POST", service="iam", body=b"Action=Fly&Version=2010-05-08", content_type="application/x-www-form-urlencoded"), "iam", "query", "InvalidAction"),
        (request("POST", service="iam", body=b"Action=ListRoles&Version=1999-01-01", content_type="application/x-www-form-urlencoded"), "iam", "query", "InvalidAction"),
        (request("POST", service="iam"), "iam", "query", "MissingAction"),
        (request("POST", "/service/GraniteServiceVersion20100801/operation/Fly", smithy_protocol="rpc-v2-cbor"), "cloudwatch", "smithy-rpc-v2-cbor", "UnknownOperationException"),
        (request("PATCH", "/x", host="runtime.sagemaker.us-east-1.amazonaws.com"), "sagemaker-runtime", "rest-json", "UnknownOperationException"),
        (request("PATCH", "/demo/key"), "s3", "rest-xml", "MethodNotAllowed"),
        (request("DELETE", "/demo?acl", service="s3"), "s3", "rest-xml", "MethodNotAllowed"),
        (request("DELETE", "/demo?location", service="s3"), "s3", "rest-xml", "MethodNotAllowed"),
        (request(path="/demo/%ff", service="s3"), "s3", "rest-xml", "InvalidURI"),
    ],
)  # fmt: skip
def test_what_no_operation_answers(made, service, protocol, code):
    with pytest.raises(UnroutableError) as refused:
        find(made)
    assert (refused.value.service.name, refused.value.protocol, refused.value.code) == (service, protocol, code)
