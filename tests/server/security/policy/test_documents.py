import json
from typing import Any

import pytest

from headrace.server.errors import LimitExceeded
from headrace.server.security.policy import LIMITS, PolicyError, PolicyKind, parse_policy, policy_size

BUCKET = "arn:aws:s3:::example_bucket"
GOOD = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": BUCKET}
SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
VERSION = "Policy document must be version 2012-10-17 or greater."
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
ACTIONS = "Policy statement must contain actions."
RESOURCES = "Policy statement must contain resources."


def document(*statements: Any, **members: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)} | members)


def without(name: str, **others: Any) -> dict[str, Any]:
    return {key: value for key, value in (GOOD | others).items() if key != name}


def good(**others: Any) -> dict[str, Any]:
    return GOOD | others


MALFORMED = [
    ("no JSON", SYNTAX),
    ("", SYNTAX),
    ("[]", SYNTAX),
    ("null", SYNTAX),
    ("[" * 100_000, SYNTAX),
    ('{"Version": NaN, "Statement": []}', SYNTAX),
    (document(GOOD).replace('"Effect"', '"Effect": "Deny", "Effect"'), f"{SYNTAX} The key 'Effect' stands twice"),
    (json.dumps({"Version": "2012-10-17"}), SYNTAX),
    (json.dumps({"Statement": GOOD}), VERSION),
    (document(GOOD, Version="2008-10-17"), VERSION),
    (document(GOOD, Version="2013-10-17"), SYNTAX),
    (document(GOOD, Version=["2012-10-17"]), SYNTAX),
    (document(GOOD, Extra="x"), SYNTAX),
    (document(GOOD, Id=["x"]), SYNTAX),
    (document(GOOD, Id={}), SYNTAX),
    (document(GOOD, Id=5), SYNTAX),
    (document("afd"), SYNTAX),
    (document(), SYNTAX),
    (document(GOOD, Statement="x"), SYNTAX),
    (document(good(Extra="x")), SYNTAX),
    (document(good(Effect="invalid")), SYNTAX),
    (document(without("Effect")), SYNTAX),
    (document(good(Effect="denY")), LEGACY),
    (document(good(Sid={})), SYNTAX),
    (document(good(Sid=[])), SYNTAX),
    (document(good(Sid=7)), SYNTAX),
    (document(good(NotAction="s3:x")), SYNTAX),
    (document(good(NotResource="*")), SYNTAX),
    (document(good(Action={})), SYNTAX),
    (document(good(Action=[[]])), SYNTAX),
    (document(good(Action=5)), SYNTAX),
    (document(good(Resource={"a": BUCKET})), SYNTAX),
    (document(good(Resource=["x", {}])), SYNTAX),
    (document(good(Condition=[])), SYNTAX),
    (document(good(Condition="a")), SYNTAX),
    (document(good(Condition={"a": "b"})), SYNTAX),
    (document(good(Condition={"x": {"a": "1"}})), SYNTAX),
    (document(good(Condition={"DateGreaterThan": []})), SYNTAX),
    (document(good(Condition={"DateGreaterThan": {"a": {}}})), SYNTAX),
    (document(good(Condition={"StringEquals": {"a": None}})), SYNTAX),
    (document(good(Condition={"ForAnyValue::StringEquals": {"a": "b"}})), SYNTAX),
    (document(good(Condition={"DateGreaterThan": {"a": "sdfdsf"}})), LEGACY),
    (document(good(Condition={"DateLessThan": {"a": "234-13"}})), LEGACY),
    (document(good(Condition={"DateLessThan": {"a": "2020-13-01"}})), LEGACY),
    (document(good(Condition={"DateLessThan": {"a": "2016-12-13t2:00:00.593194+1"}})), LEGACY),
    (document(good(Condition={"DateLessThan": {"a": "2016-12-13t2:00:00.1999999999+10:59"}})), LEGACY),
    (document(good(Condition={"DateLessThan": {"a": "9223372036854775808"}})), LEGACY),
    (document(without("Action")), ACTIONS),
    (document(good(Action=[])), ACTIONS),
    (document({"Effect": "Deny"}, GOOD), ACTIONS),
    (document(good(Action="invalid")), VENDOR),
    (document({"Effect": "Allow", "NotAction": "", "Resource": BUCKET}), VENDOR),
    (document(good(Action="a a:ListBucket")), "Vendor a a is not valid"),
    (document(good(Action="s3:List:Bucket")), "Actions/Condition can contain only one colon."),
    (document(without("Resource")), RESOURCES),
    (document(good(Resource=[])), RESOURCES),
    (document({"Effect": "Allow", "Action": "invalid"}), RESOURCES),
    (document(good(Resource="invalid resource")), 'Resource invalid resource must be in ARN format or "*".'),
    (document(good(Resource="")), 'Resource  must be in ARN format or "*".'),
    (document(good(Action="s:3:x", Resource="adf")), 'Resource adf must be in ARN format or "*".'),
    (document(good(Resource="a:bsd")), 'Partition "bsd" is not valid for resource "arn:bsd:*:*:*:*".'),
    (document(good(Resource="a:b:cad")), 'Partition "b" is not valid for resource "arn:b:cad:*:*:*".'),
    (document(good(Resource="a:b:c:d:e:f:g:h")), 'Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".'),
    (document(good(Resource="aws:s3:::x")), 'Partition "s3" is not valid for resource "arn:s3:::x:*".'),
    (
        document(good(Resource=["arn:error:s3:::x", "arn:error:s3::x"])),
        'Partition "error" is not valid for resource "arn:error:s3:::x".',
    ),
    (document(good(Resource="arn:aws")), "Resource vendor must be fully qualified and cannot contain regexes."),
    (document(good(Resource="arn:aws:s3*:::x")), "Resource vendor must be fully qualified and cannot contain regexes."),
    (document(good(Resource="arn:aws:s3::x")), LEGACY),
    (document(good(Resource="arn:aws::::x")), LEGACY),
    (document(good(Resource="arn:aws::x")), LEGACY),
    (document({"Effect": "Allow", "Action": "s3:x", "NotResource": "arn:aws:s3::x"}), LEGACY),
    (
        document(good(Resource="arn:aws:iam:::x")),
        'IAM resource path must either be "*" or start with user/, federated-user/',
    ),
    (
        document(good(Resource="arn:aws:iam:us-east-1::x")),
        "IAM resource arn:aws:iam:us-east-1::x cannot contain region",
    ),
    (document(good(Resource="arn:aws:s3:us-east-1::x")), "Resource arn:aws:s3:us-east-1::x can not contain region"),
    (document(good(Sid="a"), good(Sid="a")), "Statement IDs (SID) in a single policy must be unique."),
    (document(good(Sid="a b")), "Statement IDs (SID) must be alpha-numeric."),
    (document(good(Principal="*")), "Policy document should not specify a principal."),
    (document(good(NotPrincipal={"AWS": "*"})), "Policy document should not specify a principal."),
    (document(good(Principal={"AWS": 5})), SYNTAX),
]


@pytest.mark.parametrize(("text", "message"), MALFORMED)
def test_a_malformed_identity_policy_is_refused_in_awss_words(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text)
    assert refused.value.message.startswith(message)
    assert (refused.value.code, refused.value.status) == ("MalformedPolicyDocument", 400)


WELL_FORMED = [
    GOOD,
    good(Resource=[BUCKET, "*"]),
    good(Action="*"),
    good(Action="iam: asdf safdsf af "),
    good(Action="service-prefix:action-name"),
    good(Resource="arn:aws:iam:::user/x"),
    good(Resource="arn:aws:iam::123456789012:root"),
    good(Resource="arn:aws:iam::123456789012:*"),
    good(Resource="arn:aws:iam::123456789012:ro*"),
    good(Resource="arn:aws:iam::*:user/${aws:username}"),
    good(Resource="arn:aws:fdsasf"),
    good(Resource="arn:aws:s3:*"),
    good(Resource="arn:aws:s33:::x"),
    good(Resource="arn:aws:s3:us-east-1:123456789012:accesspoint/x"),
    good(Resource="arn:aws-cn:s3:::x"),
    good(Resource="arn:aws:invalid-service:us-east-1::x"),
    good(Condition={}),
    good(Condition={"a": {}}),
    good(Condition={"DateGreaterThan": {"a": []}}),
    good(Condition={"DateGreaterThan": {"aws:CurrentTime": "2017-07-01T00:00:00Z", "aws:EpochTime": "1500000000"}}),
    good(Condition={"DateLessThan": {"a": ["2016-12-13t2:00:00.593194+23", "-292275054"]}}),
    good(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": "Department"}}),
    good(Condition={"ForAnyValue:StringLikeIfExists": {"a": ["b", "c"]}}),
    good(Condition={"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"s3:max-keys": 10}}),
    good(Sid=""),
    good(Sid="VisualEditor0"),
    {"Effect": "Deny", "NotAction": "iam:*", "NotResource": BUCKET},
]


@pytest.mark.parametrize("statement", WELL_FORMED)
def test_a_good_identity_policy_is_taken(statement: Any) -> None:
    assert len(parse_policy(document(statement)).statements) == 1
    assert len(parse_policy(document(Statement=statement)).statements) == 1
    assert parse_policy(document(statement, Id="x"), "boundary").kind == "boundary"


TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
QUEUE = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
OTHERS: list[tuple[PolicyKind, Any, str]] = [
    ("trust", TRUST, ""),
    ("trust", TRUST | {"Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]}, ""),
    ("trust", TRUST | {"Action": "sts:AssumeRole*"}, ""),
    ("trust", TRUST | {"Principal": "*"}, ""),
    ("trust", TRUST | {"Principal": {"AWS": ["123456789012", "arn:aws:iam::123456789012:role/a/b"]}}, ""),
    ("trust", TRUST | {"Principal": {"Federated": "arn:aws:iam::123456789012:saml-provider/x"}}, ""),
    ("trust", TRUST | {"Principal": {"Federated": "cognito-identity.amazonaws.com"}}, ""),
    ("trust", TRUST | {"Resource": "*"}, "Has prohibited field Resource"),
    ("trust", TRUST | {"NotResource": "*"}, "Has prohibited field NotResource"),
    ("trust", TRUST | {"Action": "s3:GetObject"}, "AssumeRole policy may only specify STS AssumeRole actions."),
    (
        "trust",
        TRUST | {"Action": "sts:GetCallerIdentity"},
        "AssumeRole policy may only specify STS AssumeRole actions.",
    ),
    ("trust", TRUST | {"Action": "*"}, "AssumeRole policy may only specify STS AssumeRole actions."),
    ("trust", {"Effect": "Allow", "Action": "sts:AssumeRole"}, "Missing required field Principal"),
    ("trust", TRUST | {"Principal": {"AWS": "alice"}}, 'Invalid principal in policy: "AWS":"alice"'),
    (
        "trust",
        TRUST | {"Principal": {"AWS": "arn:aws:iam::1:root"}},
        'Invalid principal in policy: "AWS":"arn:aws:iam::1:root"',
    ),
    ("trust", TRUST | {"Principal": {"Service": "nothing"}}, 'Invalid principal in policy: "Service":"nothing"'),
    ("trust", TRUST | {"Principal": {"AWS": []}}, "Invalid principal in policy"),
    ("trust", TRUST | {"Principal": {}}, SYNTAX),
    ("trust", TRUST | {"Principal": {"Aws": "*"}}, SYNTAX),
    ("trust", TRUST | {"Principal": "alice"}, SYNTAX),
    ("resource", QUEUE, ""),
    ("resource", QUEUE | {"Sid": "may have spaces"}, ""),
    ("resource", QUEUE | {"Principal": {"CanonicalUser": "79a59df9"}}, ""),
    ("resource", QUEUE | {"Principal": {"AWS": "arn:aws:sts::123456789012:assumed-role/R/s"}}, ""),
    ("resource", QUEUE | {"Principal": {"AWS": "arn:aws:iam::123456789012:user/a*"}}, "Invalid principal in policy"),
    (
        "resource",
        {key: value for key, value in QUEUE.items() if key != "Principal"},
        "Missing required field Principal",
    ),
    ("resource", {key: value for key, value in QUEUE.items() if key != "Resource"}, RESOURCES),
    ("session", GOOD, ""),
    ("session", GOOD | {"Principal": "*"}, "Policy document should not specify a principal."),
]


@pytest.mark.parametrize(("kind", "statement", "message"), OTHERS)
def test_each_kind_of_policy_has_its_rules(kind: PolicyKind, statement: Any, message: str) -> None:
    for version in ("2012-10-17", "2008-10-17"):
        text = document(statement, Version=version)
        if not message:
            assert parse_policy(text, kind).version == version
            continue
        with pytest.raises(PolicyError) as refused:
            parse_policy(text, kind)
        assert refused.value.message.startswith(message)


def test_a_policy_past_its_limit_is_refused() -> None:
    text = document(good(Resource=[f"{BUCKET}/{number}" for number in range(300)]))
    spaced = text.replace(",", ",   \n\t")
    assert policy_size(spaced) == policy_size(text)
    assert parse_policy(text, limit=policy_size(text))
    assert parse_policy(spaced, limit=policy_size(text))
    with pytest.raises(LimitExceeded, match=r"Cannot exceed quota for PolicySize: 6144") as refused:
        parse_policy(text, limit=LIMITS["managed"])
    assert refused.value.code == "LimitExceeded"


def test_a_policy_is_compiled_once() -> None:
    assert parse_policy(document(GOOD)) is parse_policy(document(GOOD))
    assert parse_policy(document(GOOD)) is not parse_policy(document(GOOD), "session")


def test_the_older_version_is_the_default_of_resources_policies() -> None:
    assert parse_policy(json.dumps({"Statement": QUEUE}), "resource").version == "2008-10-17"


def test_the_keys_of_a_policy_are_told() -> None:
    condition = {
        "StringEquals": {"aws:PrincipalTag/team": "${aws:RequestTag/team}", "s3:prefix": "a"},
        "Null": {"b:c": True},
    }
    policy = parse_policy(document(good(Resource="arn:aws:s3:::${aws:username}", Condition=condition)))
    assert policy.keys == ("aws:PrincipalTag/team", "aws:requesttag/team", "aws:username", "b:c", "s3:prefix")
