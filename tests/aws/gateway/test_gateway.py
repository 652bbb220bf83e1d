"""What every answer has: its request's id, errors that boto3 knows, tokens of its own listing, any of the protocols."""

import json
import secrets
from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from defusedxml.ElementTree import fromstring

TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'


def request_id(answer: dict[str, Any]) -> str:
    found: str = answer["ResponseMetadata"]["RequestId"]
    return found


def test_the_request_id_is_the_one_in_the_trail(serve: Callable[..., Any]) -> None:
    client = serve().client  # a server that has not refused so much that it counts refusals
    name = f"u-{secrets.token_hex(4)}"
    done = request_id(client("iam").create_user(UserName=name))
    with pytest.raises(ClientError) as error:
        client("iam").create_user(UserName=name)
    refused = request_id(error.value.response)
    bucket = request_id(client("s3").create_bucket(Bucket=f"b-{secrets.token_hex(6)}"))
    groups = request_id(client("logs").describe_log_groups())
    trail = client("cloudtrail").lookup_events(MaxResults=50)["Events"]
    recorded = {
        record["CloudTrailEvent"].split('"requestID":"')[1].split('"')[0]: record["EventName"] for record in trail
    }
    assert [recorded.get(each) for each in (done, refused, bucket, groups)] == [
        "CreateUser", "CreateUser", "CreateBucket", "DescribeLogGroups"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "exception", "status"),
    [
        ("iam", "get_role", {"RoleName": "nobody"}, "NoSuchEntityException", 404),
        ("iam", "create_role", {"RoleName": "r", "AssumeRolePolicyDocument": "{"}, "MalformedPolicyDocumentException", 400),
        ("iam", "delete_policy", {"PolicyArn": "arn:aws:iam::123456789012:policy/none"}, "NoSuchEntityException", 404),
        ("sts", "decode_authorization_message", {"EncodedMessage": "x"}, "InvalidAuthorizationMessageException", 400),
        ("s3", "get_object", {"Bucket": "no-such-bucket-at-all", "Key": "k"}, "NoSuchBucket", 404),
        ("logs", "get_log_events", {"logGroupName": "none", "logStreamName": "s"}, "ResourceNotFoundException", 400),
        ("logs", "describe_log_groups", {"nextToken": "x"}, "InvalidParameterException", 400),
        ("cloudtrail", "get_trail", {"Name": "nothing"}, "TrailNotFoundException", 400),
        ("cloudtrail", "get_trail", {"Name": "-"}, "InvalidTrailNameException", 400),
        ("cloudtrail", "lookup_events", {"NextToken": "x"}, "InvalidNextTokenException", 400),
        ("cloudwatch", "list_metrics", {"NextToken": "x"}, "InvalidParameterValueException", 400),
        ("resourcegroupstaggingapi", "get_resources", {"PaginationToken": "x"}, "InvalidParameterException", 400),
        ("resourcegroupstaggingapi", "get_resources", {"TagsPerPage": 7}, "InvalidParameterException", 400),
    ],
)  # fmt: skip
def test_errors_are_the_classes_that_boto3_has(
    client: Callable[..., Any], service: str, operation: str, parameters: dict[str, Any], exception: str, status: int
) -> None:
    asking = client(service)
    with pytest.raises(getattr(asking.exceptions, exception)) as error:
        getattr(asking, operation)(**parameters)
    metadata = error.value.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == status
    headers = metadata["HTTPHeaders"]
    assert metadata["RequestId"] == headers.get("x-amzn-requestid", headers.get("x-amz-request-id"))
    assert error.value.response["Error"]["Message"]


def test_a_token_of_one_listing_is_refused_by_another(client: Callable[..., Any]) -> None:
    iam, logs = client("iam"), client("logs")
    for number in range(2):
        name = f"t-{secrets.token_hex(4)}-{number}"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        iam.create_user(UserName=name)
        logs.create_log_group(logGroupName=name)
    roles = iam.list_roles(MaxItems=1)["Marker"]
    groups = logs.describe_log_groups(limit=1)["nextToken"]
    assert iam.list_roles(MaxItems=1, Marker=roles)["Roles"]
    assert logs.describe_log_groups(limit=1, nextToken=groups)["logGroups"]
    forged = roles[:-2] + ("A" if roles[-2] != "A" else "B") + roles[-1]
    for refused, parameters in (
        (iam.list_users, {"Marker": roles}),
        (iam.list_roles, {"Marker": forged}),
        (iam.list_roles, {"Marker": groups}),
        (logs.describe_log_groups, {"nextToken": roles}),
        (logs.describe_metric_filters, {"nextToken": groups}),
    ):
        with pytest.raises(ClientError) as error:
            refused(**parameters)
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("protocol", ["json", "query", "smithy-rpc-v2-cbor"])
def test_cloudwatch_speaks_three_protocols(inside: Any, written: Any, protocol: str) -> None:
    namespace = f"n/{protocol}"
    data = [{"MetricName": "m", "Value": 2.5, "Dimensions": [{"Name": "a", "Value": "ü & <b>"}]}]
    put = inside.send(written("cloudwatch", "PutMetricData", {"Namespace": namespace, "MetricData": data}, protocol))
    assert put.status == 200, put.body
    listed = inside.send(written("cloudwatch", "ListMetrics", {"Namespace": namespace}, protocol))
    assert listed.status == 200
    if protocol == "query":
        values = [node.text for node in fromstring(listed.body).iter() if node.tag.endswith("}Value")]
    else:
        told = cbor2.loads(listed.body) if "cbor" in protocol else json.loads(listed.body)
        values = [each["Value"] for metric in told["Metrics"] for each in metric["Dimensions"]]
    assert values == ["ü & <b>"]


def test_a_session_ends_at_its_time(inside: Any, written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = inside.send(written("sts", "GetSessionToken", {"DurationSeconds": 900}))
    told = {node.tag.rpartition("}")[2]: node.text for node in fromstring(answer.body).iter()}
    keys = Credentials(told["AccessKeyId"], told["SecretAccessKey"], told["SessionToken"])
    wire = written("sts", "GetCallerIdentity", {})
    try:
        assert inside.send(wire, inside.signed(wire, keys)).status == 200
        inside.ahead = 899_000
        assert inside.send(wire, inside.signed(wire, keys)).status == 200
        early = inside.signed(wire, keys)
        inside.ahead = 901_000
        monkeypatch.setattr("botocore.auth.get_current_datetime", later(901))
        refused = inside.send(wire, inside.signed(wire, keys))
        assert (refused.status, b"<Code>ExpiredToken</Code>" in refused.body) == (403, True)
        stale = inside.send(wire, early)
        assert (stale.status, b"<Code>SignatureDoesNotMatch</Code>" in stale.body) == (403, True)
    finally:
        inside.ahead = 0


def later(seconds: int) -> Callable[..., Any]:
    """Return botocore's clock, ahead of time."""
    from datetime import timedelta

    from botocore.compat import get_current_datetime

    return lambda *arguments, **named: get_current_datetime(*arguments, **named) + timedelta(seconds=seconds)


def test_a_request_can_be_repeated_but_not_with_another_body(inside: Any, written: Any) -> None:
    wire = written("iam", "CreateUser", {"UserName": "once"})
    headers = inside.signed(wire)
    assert inside.send(wire, headers).status == 200
    assert b"EntityAlreadyExists" in inside.send(wire, headers).body
    wire.body = wire.body.replace(b"once", b"other")
    refused = inside.send(wire, headers)
    assert (refused.status, b"<Code>SignatureDoesNotMatch</Code>" in refused.body) == (403, True)
    assert b"NoSuchEntity" in inside.send(written("iam", "GetUser", {"UserName": "other"})).body
