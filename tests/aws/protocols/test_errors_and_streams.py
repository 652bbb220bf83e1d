"""Errors in each protocol's form, event streams, and S3's own answers."""

import botocore.awsrequest
import botocore.eventstream
import botocore.loaders
import botocore.model
import botocore.parsers
import pytest

from headrace.aws import specification
from headrace.aws.protocols import PROTOCOLS, validate
from headrace.server.errors import Denied, InvalidInput, NotBuilt, NotFound, OperationError, Throttled
from headrace.server.messages import Request

SAID = "the thing 'x' is not there"


def refused(service, protocol, error, *, codes=None, method="GET", path="/demo/key"):
    model = specification.service(service)
    request = Request(method, path, "", ())
    return PROTOCOLS[protocol].render_error(model, error, "an-id", codes=codes, request=request)


def read(protocol, response):
    headers = botocore.awsrequest.HeadersDict(response.headers)
    content = {"status_code": response.status, "headers": headers, "body": response.body, "context": {}}
    return botocore.parsers.create_parser(protocol).parse(content, None)


@pytest.mark.parametrize(
    ("service", "protocol", "error", "code", "status"),
    [
        ("sagemaker", "json", NotFound(SAID, code="ResourceNotFound"), "ResourceNotFound", 400),
        ("sagemaker", "json", InvalidInput(SAID), "ValidationException", 400),
        ("sagemaker", "json", Denied(SAID), "AccessDeniedException", 400),
        ("sagemaker", "json", NotBuilt(SAID), "UnknownOperationException", 501),
        ("sagemaker-runtime", "rest-json", Denied(SAID), "AccessDeniedException", 403),
        ("sagemaker-runtime", "rest-json", Throttled(SAID), "ThrottlingException", 429),
        ("iam", "query", NotFound(SAID, code="NoSuchEntity"), "NoSuchEntity", 404),
        ("iam", "query", Denied(SAID), "AccessDenied", 403),
        ("sts", "query", InvalidInput(SAID), "ValidationError", 400),
        ("s3", "rest-xml", NotFound(SAID, code="NoSuchKey"), "NoSuchKey", 404),
        ("s3", "rest-xml", Throttled(SAID, status=503), "SlowDown", 503),
        ("s3control", "rest-xml", NotFound(SAID), "NotFound", 404),
        ("cloudwatch", "smithy-rpc-v2-cbor", NotFound(SAID, code="ResourceNotFound"), "ResourceNotFound", 404),
        ("cloudwatch", "query", NotFound(SAID, code="ResourceNotFoundException"), "ResourceNotFoundException", 404),
    ],
)
def test_boto3_reads_code_and_message(service, protocol, error, code, status):
    response = refused(service, protocol, error)
    found = read(protocol, response)
    assert (found["Error"]["Code"], found["Error"]["Message"]) == (code, SAID)
    assert response.status == status
    assert PROTOCOLS[protocol].code_of(specification.service(service), error)


def test_a_services_own_codes_come_before_the_protocols():
    response = refused("iam", "query", NotFound(SAID), codes={OperationError: "Else", NotFound: "NoSuchEntity"})
    assert read("query", response)["Error"]["Code"] == "NoSuchEntity"


@pytest.mark.parametrize(("service", "protocol"), [("iam", "query"), ("s3", "rest-xml"), ("logs", "json")])
def test_what_failed_inside_is_not_told(service, protocol):
    response = refused(service, protocol, RuntimeError("secret in /home/x"))
    assert response.status == 500
    assert b"secret" not in response.body
    assert "InternalFailure" in str(response.body) or "InternalError" in str(response.body)


def test_query_codes_of_a_service_that_left_the_query_protocol():
    for protocol in ("json", "smithy-rpc-v2-cbor"):
        response = refused("cloudwatch", protocol, NotFound(SAID, code="ResourceNotFound"))
        assert response.headers["x-amzn-query-error"].endswith(";Sender")


def test_s3_errors_show_the_resource_and_their_details_and_none_for_head():
    error = NotFound(SAID, code="NoSuchKey", details={"Key": "a<b", "headers": {"x-amz-delete-marker": "true"}})
    response = refused("s3", "rest-xml", error)
    assert b"<Key>a&lt;b</Key><Resource>/demo/key</Resource><RequestId>an-id</RequestId><HostId>" in response.body
    assert response.headers["x-amz-delete-marker"] == "true"
    assert response.headers["x-amz-request-id"] == "an-id"
    assert refused("s3", "rest-xml", error, method="HEAD").body == b""
    assert refused("s3", "rest-xml", OperationError(SAID, code="NotModified", status=304)).body == b""


def test_bucket_locations_are_one_bare_element():
    operation = specification.service("s3").operation("GetBucketLocation")
    body = PROTOCOLS["rest-xml"].render(operation, {"LocationConstraint": "eu-west-1"}, "an-id").body
    assert body.endswith(
        b'<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>'
    )


def test_s3_objects_stream_and_ranges_are_partial():
    operation = specification.service("s3").operation("GetObject")
    result = {"Body": iter([b"a", b"b"]), "ContentRange": "bytes 0-1/9", "Metadata": {"x": "ü\r\nSet-Cookie: a"}}
    response = PROTOCOLS["rest-xml"].render(operation, result, "an-id")
    assert response.status == 206
    assert list(response.body) == [b"a", b"b"]
    assert response.headers["x-amz-meta-x"].startswith("=?UTF-8?B?")


def events(operation, response):
    buffer = botocore.eventstream.EventStreamBuffer()
    for block in response.body:
        buffer.add_data(block)
    return [event.to_response_dict() for event in buffer]


@pytest.mark.parametrize(
    ("service", "name", "protocol", "member"),
    [
        ("sagemaker-runtime", "InvokeEndpointWithResponseStream", "rest-json", "Body"),
        ("s3", "SelectObjectContent", "rest-xml", "Payload"),
        ("logs", "StartLiveTail", "json", "responseStream"),
    ],
)
def test_event_streams_are_read_by_boto3(service, name, protocol, member):
    given = {
        "Body": [{"PayloadPart": {"Bytes": b"one"}}, {"PayloadPart": {"Bytes": b"two"}}],
        "Payload": [{"Records": {"Payload": b"a,b"}}, {"Stats": {"Details": {"BytesScanned": 3}}}, {"End": {}}],
        "responseStream": [
            {"sessionStart": {"sessionId": "s"}},
            {"sessionUpdate": {"sessionResults": [{"message": "m"}]}},
        ],
    }[member]
    operation = specification.service(service).operation(name)
    response = PROTOCOLS[protocol].render(operation, {member: iter(given)}, "an-id")
    model = botocore.model.ServiceModel(botocore.loaders.create_loader().load_service_model(service, "service-2"))
    stream = model.operation_model(name).output_shape.members[member]
    parser = botocore.parsers.create_parser(protocol)._event_stream_parser
    read_events = [parser.parse(event, stream) for event in events(operation, response)]
    assert [event for event in read_events if event] == given


def test_an_error_in_a_stream_is_its_last_event():
    def failing():
        yield {"PayloadPart": {"Bytes": b"one"}}
        raise OperationError(SAID, code="ModelStreamError")

    operation = specification.service("sagemaker-runtime").operation("InvokeEndpointWithResponseStream")
    found = events(operation, PROTOCOLS["rest-json"].render(operation, {"Body": failing()}, "an-id"))
    assert found[-1]["headers"][":exception-type"] == "ModelStreamError"
    assert SAID.encode() in found[-1]["body"]


def test_violations_are_counted_and_told_in_awss_words():
    operation = specification.service("iam").operation("CreateRole")
    with pytest.raises(InvalidInput) as broken:
        validate(operation, {"RoleName": "a b", "Tags": [{"Key": "k" * 129, "Value": "v"}], "MaxSessionDuration": 1})
    assert broken.value.code == "ValidationError"
    assert broken.value.message == (
        "4 validation errors detected: "
        "Value null at 'assumeRolePolicyDocument' failed to satisfy constraint: Member must not be null; "
        r"Value 'a b' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+; "
        "Value '1' at 'maxSessionDuration' failed to satisfy constraint: "
        "Member must have value greater than or equal to 3600; "
        f"Value '{'k' * 129}' at 'tags.1.member.key' failed to satisfy constraint: "
        "Member must have length less than or equal to 128"
    )
