"""boto3's own serializers and parsers against ours, on values made from the shapes of real services."""

import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import botocore.awsrequest
import botocore.loaders
import botocore.model
import botocore.parsers
import botocore.serialize
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.aws import specification
from headrace.aws.protocols import PROTOCOLS, scalars
from headrace.aws.specification import Shape
from headrace.server.messages import Request

OPERATIONS = {
    ("s3", "rest-xml"): (
        "PutBucketLifecycleConfiguration CompleteMultipartUpload PutObjectTagging ListObjectsV2 GetObjectAttributes "
        "PutObject PutBucketCors DeleteObjects ListObjectVersions GetBucketAcl HeadObject CopyObject ListBuckets"
    ),
    (
        "iam",
        "query",
    ): "CreateRole SimulateCustomPolicy GetAccountAuthorizationDetails ListRoles GenerateCredentialReport",
    ("sts", "query"): "AssumeRole GetCallerIdentity GetFederationToken",
    ("sagemaker", "json"): "CreateTrainingJob DescribeTrainingJob CreateEndpointConfig ListTrainingJobs Search",
    ("forecast", "json"): "CreateAutoPredictor DescribePredictor GetAccuracyMetrics",
    (
        "cloudwatch",
        "smithy-rpc-v2-cbor",
    ): "PutMetricData GetMetricData GetMetricStatistics PutMetricAlarm DescribeAlarms",
    ("cloudwatch", "query"): "PutMetricData GetMetricStatistics PutMetricAlarm DescribeAlarms ListMetrics",
    ("cloudwatch", "json"): "PutMetricData GetMetricData DescribeAlarms",
    ("logs", "json"): "PutLogEvents FilterLogEvents DescribeLogGroups GetLogEvents",
    ("cloudtrail", "json"): "CreateTrail LookupEvents PutEventSelectors GetTrailStatus",
    ("sagemaker-runtime", "rest-json"): "InvokeEndpoint InvokeEndpointAsync",
    ("personalize-runtime", "rest-json"): "GetRecommendations GetPersonalizedRanking",
    ("personalize-events", "rest-json"): "PutEvents PutItems",
}
CASES = [(*key, name) for key, names in OPERATIONS.items() for name in names.split()]
TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFFF, exclude_categories=("Cs", "Cc", "Cn")), max_size=12
)
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
WORD = st.text(st.sampled_from("abcXYZ019-_."), min_size=1, max_size=9).filter(lambda text: text.strip("."))
SCALARS = {
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**53), 2**53),
    "float": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "blob": st.binary(max_size=20),
}
TIMES = st.datetimes(datetime.datetime(1980, 1, 1), datetime.datetime(2100, 1, 1), timezones=st.just(datetime.UTC))


def values(shape: Shape, xml: bool, depth: int = 0) -> st.SearchStrategy[Any]:
    """Make values of a shape; nothing nested is empty, which forms and headers can't show."""
    if shape.kind == "structure":
        return structures(shape, xml, depth)
    if shape.kind == "list" and shape.traits.get("location") == "header":
        return st.lists(st.sampled_from(shape.member.traits.get("enum", ["a", 'b,"c'])), min_size=1, max_size=3)
    if shape.kind == "list":
        return st.lists(values(shape.member, xml, depth + 1), min_size=1, max_size=3)
    if shape.kind == "map":
        headers = shape.traits.get("location") == "headers"
        names = WORD.map(str.lower) if headers else WORD
        return st.dictionaries(names, WORD if headers else values(shape.value, xml, depth + 1), min_size=1, max_size=2)
    if shape.kind == "blob" and depth == 1:
        return st.binary(min_size=1, max_size=9).map(lambda content: content.hex().encode())
    if shape.kind == "timestamp":
        whole = (
            shape.traits.get("timestampFormat") == "rfc822"
            or "location" in shape.traits
            or shape.service in scalars.WHOLE_SECONDS
        )
        return TIMES.map(lambda value: value.replace(microsecond=0 if whole else value.microsecond // 1000 * 1000))
    if "enum" in shape.traits:
        return st.sampled_from(shape.traits["enum"])
    if shape.kind == "string":
        if shape.traits.get("location") in {"header", "uri"} or "xmlAttribute" in shape.traits:
            return WORD
        return TEXT if xml else ANY_TEXT
    return SCALARS[shape.kind]


def structures(shape: Shape, xml: bool, depth: int) -> st.SearchStrategy[Any]:
    if shape.has("document"):
        return st.none()
    required = set(shape.traits.get("required", ()))
    members = {name: member for name, member in shape.members.items() if not skipped(member)}
    if shape.has("union"):
        return st.sampled_from(sorted(members)).flatmap(
            lambda name: st.fixed_dictionaries({name: values(members[name], xml, depth + 1)})
        )
    needed = {name: values(member, xml, depth + 1) for name, member in members.items() if name in required}
    free = {
        name: values(member, xml, depth + 1)
        for name, member in members.items()
        if name not in required and (depth < 2 or member.kind not in {"structure", "list", "map"})
    }
    made = st.fixed_dictionaries(needed, optional=free)
    return made.filter(bool) if depth and members else made


def skipped(member: Shape) -> bool:
    """Leave out streams, the status, and members whose header tells of something else."""
    names = {"content-length", "content-range", "expect", "content-encoding", "content-type"}
    return (
        member.has("streaming") or member.has("eventstream") or member.traits.get("location") == "statusCode"
        or str(member.traits.get("locationName", "")).lower() in names
        or (member.kind == "structure" and not member.members)
    )  # fmt: skip


@cache
def model(service: str) -> Any:
    return botocore.model.ServiceModel(
        botocore.loaders.create_loader().load_service_model(service, "service-2"), service
    )


def request_of(operation: Any, protocol: str, parameters: dict[str, Any]) -> Request:
    """Return what boto3 would send."""
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    described = serializer.serialize_to_request(parameters, operation)
    described.pop("host_prefix", None)
    botocore.awsrequest.prepare_request_dict(described, "http://localhost:1/")
    prepared = botocore.awsrequest.create_request_object(described).prepare()
    url, body = urlsplit(prepared.url), prepared.body or b""
    pairs = (
        (name.lower(), value.decode() if isinstance(value, bytes) else value)
        for name, value in prepared.headers.items()
    )
    return Request(prepared.method, url.path, url.query, tuple(pairs), body.encode() if isinstance(body, str) else body)


@pytest.mark.parametrize(("service", "protocol", "name"), CASES)
def test_requests_and_answers_survive(service, protocol, name):
    operation = specification.service(service).operation(name)
    theirs = model(service).operation_model(name)
    xml = "xml" in protocol or protocol == "query"

    @settings(max_examples=20, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def survive(data):
        if operation.input is not None:
            parameters = data.draw(values(operation.input, xml))
            read = PROTOCOLS[protocol].parse(operation, request_of(theirs, protocol, parameters))
            assert {key: each for key, each in read.items() if key in parameters} == parameters
            assert specification.from_plain(operation.input, specification.to_plain(operation.input, read)) == read
        if operation.output is not None:
            result = data.draw(values(operation.output, xml))
            response = PROTOCOLS[protocol].render(operation, result, "an-id")
            content = {
                "status_code": response.status,
                "headers": botocore.awsrequest.HeadersDict(response.headers),
                "body": response.body,
                "context": {"operation_name": name},
            }
            parsed = botocore.parsers.create_parser(protocol).parse(content, theirs.output_shape)
            parsed = {key: as_sent(each, result[key]) for key, each in parsed.items() if key in result}
            assert parsed == result

    survive()


def as_sent(value: Any, sent: Any) -> Any:
    """botocore gives a payload's bytes as text."""
    return value.encode() if isinstance(sent, bytes) and isinstance(value, str) else value
