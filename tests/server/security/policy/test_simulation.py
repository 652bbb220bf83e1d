import json

import pytest

from headrace.server.security.policy import Attached, PolicySet, Principal, parse_policy, simulate
from headrace.server.security.policy.simulation import positions

DATED = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",'
    '"Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}'
)
TWO = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::bucket/*", "arn:aws:s3:::]}"]},
    {
      "Effect": "Deny",
      "Action": "s3:Delete*", "Resource": "*"
    }
  ],
  "Id": "{["
}"""


def held(*texts: str, boundary: str = "") -> PolicySet:
    attached = tuple(Attached(parse_policy(text), f"PolicyInputList.{n}") for n, text in enumerate(texts, 1))
    return PolicySet(attached, boundary=parse_policy(boundary, "boundary") if boundary else None)


def test_a_simulation_answers_as_awss_example_does(user: Principal) -> None:
    """AWS CLI reference: simulate-custom-policy, examples 1 and 2."""
    late = simulate(
        user, held(DATED), ["dynamodb:CreateBackup"], context={"aws:CurrentTime": ("2019-04-25T11:00:00Z",)}
    )
    matched = {
        "source_policy_id": "PolicyInputList.1",
        "source_policy_type": "none",
        "start_position": {"line": 1, "column": 38},
        "end_position": {"line": 1, "column": 167},
    }
    assert late == [
        {
            "eval_action_name": "dynamodb:CreateBackup",
            "eval_resource_name": "*",
            "eval_decision": "allowed",
            "matched_statements": [matched],
            "missing_context_values": [],
            "resource_specific_results": [
                {
                    "eval_resource_name": "*",
                    "eval_resource_decision": "allowed",
                    "matched_statements": [matched],
                    "missing_context_values": [],
                }
            ],
        }
    ]
    early = simulate(
        user, held(DATED), ["dynamodb:CreateBackup"], context={"aws:CurrentTime": ("2014-04-25T11:00:00Z",)}
    )
    assert (early[0]["eval_decision"], early[0]["matched_statements"]) == ("implicitDeny", [])
    unknown = simulate(user, held(DATED), ["dynamodb:CreateBackup"])
    assert (unknown[0]["eval_decision"], unknown[0]["missing_context_values"]) == ("implicitDeny", ["aws:CurrentTime"])


def test_each_action_is_asked_of_each_resource(user: Principal) -> None:
    resources = ["arn:aws:s3:::bucket/a", "arn:aws:s3:::other/a"]
    results = simulate(user, held(DATED, TWO), ["s3:GetObject", "s3:DeleteObject"], resources)
    assert [(each["eval_action_name"], each["eval_decision"], each["eval_resource_name"]) for each in results] == [
        ("s3:GetObject", "implicitDeny", resources[1]),
        ("s3:DeleteObject", "explicitDeny", resources[0]),
    ]
    decisions = [each["eval_resource_decision"] for each in results[0]["resource_specific_results"]]
    assert decisions == ["allowed", "implicitDeny"]
    assert results[1]["matched_statements"][0]["start_position"] == {"line": 5, "column": 6}
    assert results[1]["matched_statements"][0]["end_position"] == {"line": 8, "column": 6}


def test_a_boundary_and_an_organization_are_told(user: Principal) -> None:
    policies = held(TWO, boundary=DATED)
    (result,) = simulate(user, policies, ["s3:GetObject"], ["arn:aws:s3:::bucket/a"])
    assert result["eval_decision"] == "implicitDeny"
    assert result["permissions_boundary_decision_detail"] == {"allowed_by_permissions_boundary": False}
    within = PolicySet(policies.identity, service_control=((parse_policy(TWO),),))
    (result,) = simulate(user, within, ["s3:GetObject"], ["arn:aws:s3:::bucket/a"])
    assert (result["eval_decision"], result["organizations_decision_detail"]) == (
        "allowed",
        {"allowed_by_organizations": True},
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DATED, (((1, 38), (1, 167)),)),
        (TWO, (((4, 6), (4, 100)), ((5, 6), (8, 6)))),
        ('{"Id":"Statement","Statement":[{"Sid":"Statement"} , {}]}', (((1, 33), (1, 51)), ((1, 55), (1, 56)))),
    ],
)
def test_statements_are_found_in_the_text(text: str, expected: object) -> None:
    assert json.loads(text)
    assert positions(text) == expected
