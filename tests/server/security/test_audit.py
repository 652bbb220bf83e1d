"""Records of calls: who called in AWS's words, what is hidden, what is asked for, and floods."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from headrace.server.security import audit
from headrace.server.security.audit import floods
from headrace.server.security.audit.arns import described
from headrace.server.security.audit.entry import document
from headrace.server.security.audit.selection import Facts, selects
from headrace.server.security.credentials import ANONYMOUS, Caller
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.tables.audit import AUDIT_EVENTS

ACCOUNT = "123456789012"
NOW = 1_700_000_000_000
USER = Caller(
    "IAMUser",
    ACCOUNT,
    f"arn:aws:iam::{ACCOUNT}:user/team/ann",
    "AIDA1",
    f"arn:aws:iam::{ACCOUNT}:user/team/ann",
    "ann",
    "AKIA1",
)
ROLE = Caller(
    "AssumedRole", ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/sam", "AROA1:sam", f"arn:aws:iam::{ACCOUNT}:role/x/reader",
    "sam", "ASIA1", session_issued=NOW - 5_000, session_expires=NOW + 5_000, mfa_present=True, source_identity="sam@example",
)  # fmt: skip
FEDERATED = Caller(
    "FederatedUser", ACCOUNT, f"arn:aws:sts::{ACCOUNT}:federated-user/bob", f"{ACCOUNT}:bob", USER.arn, "bob", "ASIA2", session_issued=NOW
)  # fmt: skip
ROOT = Caller("Root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", "", "AKIA0")
ENTRY = audit.Entry(USER, "iam", "CreateRole", "eu-west-1", ACCOUNT, NOW, "request", "127.0.0.1", "agent")


def recorded(entry: audit.Entry) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(document(entry)[1])
    return record


def count(metadata: MetadataStore) -> int:
    with metadata.reading() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM audit_events").scalar_one())


@pytest.mark.parametrize(
    ("caller", "identity"),
    [
        (
            USER,
            {"type": "IAMUser", "principalId": "AIDA1", "arn": USER.arn, "accountId": ACCOUNT, "accessKeyId": "AKIA1", "userName": "ann"},
        ),
        (ROOT, {"type": "Root", "principalId": ACCOUNT, "arn": ROOT.arn, "accountId": ACCOUNT, "accessKeyId": "AKIA0"}),
        (
            ROLE,
            {
                "type": "AssumedRole",
                "principalId": "AROA1:sam",
                "arn": ROLE.arn,
                "accountId": ACCOUNT,
                "accessKeyId": "ASIA1",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROA1",
                        "arn": ROLE.principal,
                        "accountId": ACCOUNT,
                        "userName": "reader",
                    },
                    "attributes": {"creationDate": "2023-11-14T22:13:15Z", "mfaAuthenticated": "true"},
                },
                "sourceIdentity": "sam@example",
            },
        ),
        (ANONYMOUS, {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}),
        (
            Caller("AWSService", ACCOUNT, "", "x", "x", "cloudtrail.amazonaws.com"),
            {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"},
        ),
    ],
)  # fmt: skip
def test_callers_are_described_as_aws_does(caller: Caller, identity: dict[str, Any]) -> None:
    assert recorded(replace(ENTRY, caller=caller))["userIdentity"] == identity


def test_a_federated_user_is_issued_by_its_user() -> None:
    identity = recorded(replace(ENTRY, caller=FEDERATED))["userIdentity"]
    assert identity["sessionContext"]["sessionIssuer"]["type"] == "IAMUser"
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == "ann"


def test_a_record_has_the_members_of_version_1_11() -> None:
    record = recorded(
        replace(ENTRY, parameters={"roleName": "x"}, answer={"role": {"createDate": datetime(2026, 1, 2, tzinfo=UTC)}},
                resources=(f"arn:aws:iam::{ACCOUNT}:role/x",) * 2, secure=True, host="iam.amazonaws.com")
    )  # fmt: skip
    assert record["eventVersion"] == "1.11"
    assert record["eventTime"] == "2023-11-14T22:13:20Z"
    assert record["eventSource"] == "iam.amazonaws.com"
    assert record["awsRegion"] == "us-east-1", "IAM is global"
    assert record["resources"] == [
        {"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": f"arn:aws:iam::{ACCOUNT}:role/x"}
    ]
    assert record["responseElements"] == {"role": {"createDate": "2026-01-02T00:00:00Z"}}
    assert record["tlsDetails"] == {"clientProvidedHostHeader": "iam.amazonaws.com"}
    assert (record["eventType"], record["managementEvent"], record["eventCategory"]) == (
        "AwsApiCall",
        True,
        "Management",
    )
    assert len(record["eventID"]) == 36
    assert "errorCode" not in record


def test_reads_and_refusals_show_no_answer() -> None:
    assert recorded(replace(ENTRY, read_only=True, answer={"a": 1}))["responseElements"] is None
    refused = recorded(replace(ENTRY, error_code="AccessDenied", error_message="no" * 2_000, answer={"a": 1}))
    assert refused["responseElements"] is None
    assert refused["errorCode"] == "AccessDenied"
    assert len(refused["errorMessage"]) == 1024


def test_secrets_bytes_and_floods_of_text_are_not_shown() -> None:
    answer = {
        "accessKey": {"accessKeyId": "AKIA", "secretAccessKey": "s3cr3t"},
        "credentials": [{"SessionToken": "t0k3n"}],
        "body": b"bytes",
    }
    text = json.dumps(recorded(replace(ENTRY, answer=answer, parameters={"newPassword": "pa55"})))
    for secret in ("s3cr3t", "t0k3n", "bytes", "pa55"):
        assert secret not in text
    assert text.count("HIDDEN_DUE_TO_SECURITY_REASONS") == 4
    long = recorded(replace(ENTRY, parameters={"policyDocument": "x" * 300_000}))
    assert long["requestParameters"]["omitted"] is True
    refused = recorded(replace(ENTRY, parameters={"policyDocument": "x" * 10_000}, error_code="AccessDenied"))
    assert refused["requestParameters"]["omitted"] is True


@pytest.mark.parametrize(
    ("arn", "kind", "name"),
    [
        ("arn:aws:s3:::b", "AWS::S3::Bucket", "b"),
        ("arn:aws:s3:::b/k/l", "AWS::S3::Object", "arn:aws:s3:::b/k/l"),
        (f"arn:aws:iam::{ACCOUNT}:user/team/ann", "AWS::IAM::User", "ann"),
        (f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:training-job/t", "AWS::SageMaker::TrainingJob", "t"),
        (f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/a/b:*", "AWS::Logs::LogGroup", "/a/b"),
        (f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/a/b:log-stream:s", "AWS::Logs::LogStream", "s"),
        ("nonsense", "", "nonsense"),
    ],
)
def test_arns_say_what_they_name(arn: str, kind: str, name: str) -> None:
    assert described(arn) == (kind, name)


def test_a_record_commits_or_rolls_back_with_its_change(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        audit.record(connection, ENTRY)
    with pytest.raises(ZeroDivisionError), metadata.writing() as connection:
        audit.record(connection, ENTRY)
        raise ZeroDivisionError
    assert count(metadata) == 1


def test_a_flood_of_the_same_refusal_is_counted(metadata: MetadataStore) -> None:
    refused = replace(ENTRY, error_code="AccessDenied", parameters={"roleName": "x"})
    admitted = [audit.wanted(metadata, replace(refused, now=NOW + number)) for number in range(1_000)]
    assert sum(admitted) == floods.SAME_A_MINUTE
    assert audit.wanted(metadata, replace(refused, operation="DeleteRole")), "another refusal is no part of the flood"
    assert audit.settle(metadata, NOW + 60_000) == 1
    with metadata.reading() as connection:
        record = json.loads(connection.exec_driver_sql("SELECT document FROM audit_events").scalar_one())
    assert record["additionalEventData"]["refusalsCounted"] == 1_000 - floods.SAME_A_MINUTE
    assert record["eventName"] == "CreateRole"
    assert audit.settle(metadata, NOW + 120_000) == 0
    assert audit.wanted(metadata, replace(refused, now=NOW + 200_000)), "after a minute it is told apart again"


def test_what_is_done_is_never_counted(metadata: MetadataStore) -> None:
    assert all(audit.wanted(metadata, ENTRY) for _ in range(500))


def test_floods_from_everywhere_are_bounded_in_memory_and_in_writes() -> None:
    kept = floods.Floods()
    admitted = 0
    for minute in range(300):
        for number in range(200):
            entry = replace(
                ENTRY, caller=ANONYMOUS, source_address=f"10.{minute}.{number}.1", error_code="InvalidSignature",
                now=NOW + minute * 60_000, parameters={"body": "x" * 100},
            )  # fmt: skip
            admitted += kept.admits(entry)
        summaries = kept.drain(NOW + minute * 60_000 + 59_000)
        assert len(summaries) <= floods.MOST_KINDS + floods.MOST_CODES + 1
        admitted += len(summaries)
        assert len(kept._kinds) <= floods.MOST_KINDS + floods.MOST_CODES + 1
    assert kept.admits(replace(ENTRY, error_code="AccessDenied")), "strangers do not use up what known callers have"
    assert all(kind.example.parameters is None for kind in kept._kinds.values())
    assert admitted <= floods.ALL_A_DAY + 6 * 60 * (floods.MOST_KINDS + floods.MOST_CODES)


def test_the_share_of_a_day_is_spent_once() -> None:
    kept = floods.Floods()
    morning = NOW // floods.DAY * floods.DAY
    admitted = sum(
        kept.admits(replace(ENTRY, operation=f"Op{number}", error_code="AccessDenied", now=morning + number * 1_000))
        for number in range(floods.ALL_A_DAY + 2_000)
    )
    assert admitted == floods.ALL_A_DAY


FACTS = Facts("Management", "iam.amazonaws.com", "CreateRole", False)
READ = replace(FACTS, name="GetRole", read_only=True)
PUT = Facts("Data", "s3.amazonaws.com", "PutObject", False, (("AWS::S3::Object", "arn:aws:s3:::b/in/k"),))
GET = replace(PUT, name="GetObject", read_only=True)
ENDPOINT = Facts(
    "Data",
    "sagemaker.amazonaws.com",
    "InvokeEndpoint",
    False,
    (("AWS::SageMaker::Endpoint", "arn:aws:sagemaker:x:1:endpoint/e"),),
)


def objects(*values: str, **options: Any) -> dict[str, Any]:
    selector = {"data_resources": [{"type": "AWS::S3::Object", "values": list(values)}], **options}
    return {"event_selectors": [selector]}


def advanced(**fields: dict[str, list[str]]) -> dict[str, Any]:
    named = {"category": "eventCategory", "arn": "resources.ARN", "kind": "resources.type", "name": "eventName"}
    return {
        "advanced_event_selectors": [
            {"field_selectors": [{"field": named[name], **given} for name, given in fields.items()]}
        ]
    }


DATA = {"equals": ["Data"]}


@pytest.mark.parametrize(
    ("selectors", "chosen"),
    [
        ({"event_selectors": [{}]}, [FACTS, READ]),
        ({"event_selectors": [{"read_write_type": "ReadOnly"}]}, [READ]),
        ({"event_selectors": [{"read_write_type": "WriteOnly"}]}, [FACTS]),
        ({"event_selectors": [{"exclude_management_event_sources": ["iam.amazonaws.com"]}]}, []),
        (objects("arn:aws:s3", include_management_events=False), [PUT, GET]),
        (objects("arn:aws:s3:::b/", include_management_events=False, read_write_type="ReadOnly"), [GET]),
        (objects("arn:aws:s3:::bb/", "arn:aws:s3:::c/"), [FACTS, READ]),
        (advanced(category={"equals": ["Management"]}), [FACTS, READ]),
        (advanced(category=DATA, kind={"equals": ["AWS::SageMaker::Endpoint"]}), [ENDPOINT]),
        (
            advanced(category=DATA, arn={"starts_with": ["arn:aws:s3:::b/in/"]}, name={"not_equals": ["GetObject"]}),
            [PUT],
        ),
        (advanced(category=DATA, arn={"not_starts_with": ["arn:aws:s3"]}), [ENDPOINT]),
        (advanced(category=DATA, arn={"ends_with": ["/k", "/z"], "not_ends_with": ["/in/k"]}), []),
        ({}, []),
    ],
)
def test_selectors_choose(selectors: dict[str, Any], chosen: list[Facts]) -> None:
    chooses = selects(selectors)
    assert [facts for facts in (FACTS, READ, PUT, GET, ENDPOINT) if chooses(facts)] == chosen


def test_data_calls_are_not_wanted_while_no_trail_asks(metadata: MetadataStore) -> None:
    entry = replace(ENTRY, category="Data", operation="PutObject", source="s3", resources=("arn:aws:s3:::b/k",))
    assert not audit.wanted(metadata, entry)
    assert not audit.wanted(metadata, replace(entry, error_code="AccessDenied"))


def test_a_name_with_line_breaks_stays_on_its_line(metadata: MetadataStore) -> None:
    entry = replace(ENTRY, resources=("arn:aws:s3:::b/a\n\tb\x00", "arn:aws:s3:::c"))
    with metadata.writing() as connection:
        audit.record(connection, entry)
        lines = connection.execute(select(AUDIT_EVENTS.c.resources)).scalar_one().split("\n")
    assert [line.count("\t") for line in lines] == [4, 4]
    assert lines[0].endswith("\tarn:aws:s3:::b/a\\n\\tb\\u0000\t")
