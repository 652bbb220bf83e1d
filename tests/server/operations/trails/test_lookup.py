"""LookupEvents through boto3, and what records say of callers and secrets."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError


def looked_up(bench: Any, key: str, value: str, **options: Any) -> list[dict[str, Any]]:
    trails = bench.client("cloudtrail")
    attributes = [{"AttributeKey": key, "AttributeValue": value}]
    pages = trails.get_paginator("lookup_events").paginate(LookupAttributes=attributes, **options)
    return [event for page in pages for event in page["Events"]]


def test_events_are_found_by_each_attribute(bench: Any) -> None:
    bench.client("iam").create_role(RoleName="found-by", AssumeRolePolicyDocument=json.dumps(trust("*")))
    event = looked_up(bench, "ResourceName", "found-by")[0]
    assert event["EventName"] == "CreateRole"
    assert event["Resources"] == [{"ResourceType": "AWS::IAM::Role", "ResourceName": "found-by"}]
    for key, value in {
        "EventId": event["EventId"],
        "EventName": "CreateRole",
        "EventSource": "iam.amazonaws.com",
        "ReadOnly": "false",
        "Username": "root",
        "AccessKeyId": bench.key["aws_access_key_id"],
        "ResourceType": "AWS::IAM::Role",
    }.items():
        assert event["EventId"] in [each["EventId"] for each in looked_up(bench, key, value)], key
    assert looked_up(bench, "ResourceName", "found-b_") == []
    assert looked_up(bench, "ReadOnly", "true") != []
    record = json.loads(event["CloudTrailEvent"])
    assert record["eventVersion"] == "1.11"
    assert record["requestParameters"]["roleName"] == "found-by"
    assert record["userIdentity"]["type"] == "Root"
    assert record["responseElements"]["role"]["roleName"] == "found-by"


def test_pages_and_time_ranges(bench: Any) -> None:
    trails, sts = bench.client("cloudtrail"), bench.client("sts")
    for _ in range(5):
        sts.get_caller_identity()
    attributes = [{"AttributeKey": "EventName", "AttributeValue": "GetCallerIdentity"}]
    first = trails.lookup_events(LookupAttributes=attributes, MaxResults=2)
    assert len(first["Events"]) == 2
    second = trails.lookup_events(LookupAttributes=attributes, MaxResults=2, NextToken=first["NextToken"])
    assert not {each["EventId"] for each in first["Events"]} & {each["EventId"] for each in second["Events"]}
    now = datetime.now(UTC)
    past = trails.lookup_events(StartTime=now - timedelta(days=3), EndTime=now - timedelta(days=2))
    assert past["Events"] == []


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"NextToken": "forged"}, "InvalidNextTokenException"),
        ({"StartTime": datetime(2026, 1, 2, tzinfo=UTC), "EndTime": datetime(2026, 1, 1, tzinfo=UTC)}, "InvalidTimeRangeException"),
        ({"LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "maybe"}]}, "InvalidLookupAttributesException"),
        ({"LookupAttributes": [{"AttributeKey": "EventId", "AttributeValue": "a"}] * 2}, "InvalidLookupAttributesException"),
    ],
)  # fmt: skip
def test_lookups_that_are_refused(bench: Any, parameters: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        bench.client("cloudtrail").lookup_events(**parameters)
    assert caught.value.response["Error"]["Code"] == code


def test_a_token_serves_its_own_question_only(bench: Any) -> None:
    trails = bench.client("cloudtrail")
    for _ in range(3):
        trails.list_trails()
    token = trails.lookup_events(MaxResults=1)["NextToken"]
    with pytest.raises(ClientError):
        trails.lookup_events(
            MaxResults=1, NextToken=token, LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "true"}]
        )


def test_secrets_are_in_no_record(bench: Any) -> None:
    iam, sts = bench.client("iam"), bench.client("sts")
    iam.create_user(UserName="secretive")
    key = iam.create_access_key(UserName="secretive")["AccessKey"]
    iam.create_login_profile(UserName="secretive", Password="Correct-horse-7-battery")
    iam.create_role(RoleName="secretive", AssumeRolePolicyDocument=json.dumps(trust(bench.platform.account)))
    arn = f"arn:aws:iam::{bench.platform.account}:role/secretive"
    given = sts.get_session_token()["Credentials"]
    with bench.platform.metadata.reading() as connection:
        texts = [row[0] for row in connection.exec_driver_sql("SELECT document FROM audit_events")]
    everything = "\n".join(texts)
    for secret in (key["SecretAccessKey"], "Correct-horse", given["SecretAccessKey"], given["SessionToken"]):
        assert secret not in everything
    assert arn in everything
    made = json.loads(looked_up(bench, "EventName", "CreateAccessKey")[0]["CloudTrailEvent"])
    assert made["responseElements"]["accessKey"]["accessKeyId"] == key["AccessKeyId"]


def test_refusals_are_recorded_with_their_code(bench: Any) -> None:
    with pytest.raises(ClientError):
        bench.client("iam").get_user(UserName="not-there-at-all")
    record = json.loads(looked_up(bench, "EventName", "GetUser")[0]["CloudTrailEvent"])
    assert record["errorCode"] in ("NoSuchEntityException", "NoSuchEntity")
    assert record["responseElements"] is None
    assert "not-there-at-all" in record["errorMessage"]


def trust(principal: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}
