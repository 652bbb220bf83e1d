from collections.abc import Callable
from typing import Any

import pytest

from headrace.server.security.policy import PolicySet, Principal, Question, evaluate, explain, refusal

KEY = "arn:aws:s3:::bucket/key"
NONE = {"Action": "none:None"}
DENY = {"Effect": "Deny"}
Made = Callable[..., Any]


def test_a_refusal_names_the_kind_of_policy(user: Principal, held: Made, policy: Made) -> None:
    def said(policies: PolicySet, **how: Any) -> str:
        question = Question("s3:GetObject", KEY, user, **how)
        return refusal(evaluate(question, policies), question)

    start = f"User: {user.arn} is not authorized to perform: s3:GetObject on resource: {KEY}"
    because = "allows the s3:GetObject action"
    assert said(held()) == f"{start} because no identity-based policy {because}"
    assert said(held({}, boundary=policy(NONE))) == f"{start} because no permissions boundary {because}"
    assert said(held({}, session=(policy(NONE),))) == f"{start} because no session policy {because}"
    assert said(held({}, service_control=((policy(NONE),),))) == f"{start} because no service control policy {because}"
    assert said(held({}), resource_account="9" * 12) == f"{start} because no resource-based policy {because}"
    assert said(held({}, DENY)) == f"{start} with an explicit deny in an identity-based policy"
    assert said(held({}, boundary=policy(DENY))) == f"{start} with an explicit deny in a permissions boundary"


def test_a_refusal_of_anybody_and_of_no_resource(anonymous: Principal) -> None:
    question = Question("s3:ListAllMyBuckets", "*", anonymous)
    assert refusal(evaluate(question, PolicySet()), question) == (
        "User: anonymous is not authorized to perform: s3:ListAllMyBuckets"
        " because no resource-based policy allows the s3:ListAllMyBuckets action"
    )


def test_an_explanation_has_the_shape_of_a_decoded_message(user: Principal, held: Made) -> None:
    """AWS CLI reference: decode-authorization-message."""
    statement = {
        "Sid": "No",
        "Action": "s3:Get*",
        "Resource": [KEY],
        "Condition": {"Bool": {"aws:SecureTransport": False}},
    }
    question = Question("s3:GetObject", KEY, user, {"aws:SecureTransport": ("false",)})
    assert explain(evaluate(question, held({}, statement | DENY)), question) == {
        "allowed": False,
        "explicitDeny": True,
        "matchedStatements": {
            "items": [
                {
                    "statementId": "No",
                    "effect": "DENY",
                    "principals": {"items": [{"value": "AIDAALICE000000000001"}]},
                    "principalGroups": {"items": []},
                    "actions": {"items": [{"value": "s3:Get*"}]},
                    "resources": {"items": [{"value": KEY}]},
                    "conditions": {
                        "items": [{"key": "aws:SecureTransport", "values": {"items": [{"value": "false"}]}}]
                    },
                }
            ]
        },
        "failures": {"items": []},
        "context": {
            "principal": {"id": "AIDAALICE000000000001", "name": "alice", "arn": user.arn},
            "action": "s3:GetObject",
            "resource": KEY,
            "conditions": {"items": [{"key": "aws:SecureTransport", "values": {"items": [{"value": "false"}]}}]},
        },
    }


@pytest.mark.parametrize("allowed", [True, False])
def test_an_explanation_tells_principals_of_resources_policies(session: Principal, policy: Made, allowed: bool) -> None:
    named = {"Principal": {"AWS": ["123456789012", session.arn]}} | ({} if allowed else DENY)
    question = Question("s3:GetObject", KEY, session)
    told = explain(evaluate(question, PolicySet(resource=policy(named, kind="resource"))), question)
    (item,) = told["matchedStatements"]["items"]
    assert (told["allowed"], item["effect"]) == (allowed, "ALLOW" if allowed else "DENY")
    assert item["principals"] == {"items": [{"value": "123456789012"}, {"value": session.arn}]}
    assert told["context"]["principal"] == {"id": session.user_id, "arn": session.arn}
