"""The policy simulator, as SDKs and people ask it."""

import json
from typing import Any

import pytest

from headrace.server.errors import InvalidInput, NotFound

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
)
ASKED_BY_THE_SAGEMAKER_SDK = [
    "cloudwatch:PutMetricData", "ec2:DescribeVpcs", "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer", "logs:CreateLogGroup", "logs:CreateLogStream",
    "logs:PutLogEvents", "s3:GetObject", "s3:ListBucket",
]  # fmt: skip


def policy(action: Any, resource: str = "*", effect: str = "Allow", **statement: Any) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource, **statement}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def decisions(answer: Any) -> dict[str, str]:
    return {each["eval_action_name"]: each["eval_decision"] for each in answer["evaluation_results"]}


def test_a_role_is_asked_as_the_sagemaker_sdk_does(world: Any) -> None:
    arn = world("create_role", role_name="r", path="/p/", assume_role_policy_document=TRUST)["role"]["arn"]
    world("attach_role_policy", role_name="r", policy_arn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
    answer = world("simulate_principal_policy", policy_source_arn=arn, action_names=ASKED_BY_THE_SAGEMAKER_SDK)
    assert not answer["is_truncated"]
    told = decisions(answer)
    assert list(told) == ASKED_BY_THE_SAGEMAKER_SDK
    assert {action for action, decision in told.items() if decision != "allowed"} == {"s3:GetObject"}
    [allowed] = [each for each in answer["evaluation_results"] if each["eval_action_name"] == "ec2:DescribeVpcs"]
    [matched] = allowed["matched_statements"]
    assert (matched["source_policy_id"], matched["source_policy_type"]) == ("AmazonSageMakerFullAccess", "aws-managed")
    assert matched["start_position"]["line"] > 1


def test_results_are_paged(world: Any) -> None:
    ann = world.user("ann")
    parameters = {"policy_source_arn": ann.arn, "action_names": ASKED_BY_THE_SAGEMAKER_SDK}
    results = world.every("simulate_principal_policy", "evaluation_results", page=4, **parameters)
    assert [each["eval_action_name"] for each in results] == ASKED_BY_THE_SAGEMAKER_SDK
    assert {each["eval_decision"] for each in results} == {"implicitDeny"}


def test_groups_boundaries_and_further_policies_count(world: Any) -> None:
    ann = world.user("ann")
    world("create_group", group_name="g")
    world("add_user_to_group", group_name="g", user_name="ann")
    world("put_group_policy", group_name="g", policy_name="p", policy_document=policy("s3:*"))
    asked = {"policy_source_arn": ann.arn, "action_names": ["s3:GetObject", "sqs:ListQueues"]}
    assert list(decisions(world("simulate_principal_policy", **asked)).values()) == ["allowed", "implicitDeny"]
    more = world("simulate_principal_policy", policy_input_list=[policy("sqs:*")], **asked)
    assert list(decisions(more).values()) == ["allowed", "allowed"]
    assert more["evaluation_results"][1]["matched_statements"][0]["source_policy_id"] == "PolicyInputList.1"
    bounded = world("simulate_principal_policy", permissions_boundary_policy_input_list=[policy("sqs:*")], **asked)
    assert bounded["evaluation_results"][0]["permissions_boundary_decision_detail"] == {
        "allowed_by_permissions_boundary": False
    }
    group = world("simulate_principal_policy", **(asked | {"policy_source_arn": "arn:aws:iam::111122223333:group/g"}))
    assert decisions(group)["s3:GetObject"] == "allowed"
    with pytest.raises(NotFound):
        world("simulate_principal_policy", **(asked | {"policy_source_arn": ann.arn + "x"}))


def test_tags_of_the_principal_and_context_entries_count(world: Any) -> None:
    ann = world.user("ann", tags=[{"key": "team", "value": "red"}])
    document = policy("s3:GetObject", Condition={
        "StringEquals": {"aws:PrincipalTag/team": "red", "s3:ExistingObjectTag/stage": "test"}
    })  # fmt: skip
    world("put_user_policy", user_name="ann", policy_name="p", policy_document=document)
    asked = {"policy_source_arn": ann.arn, "action_names": ["s3:GetObject"]}
    [result] = world("simulate_principal_policy", **asked)["evaluation_results"]
    assert result["eval_decision"] == "implicitDeny"
    assert result["missing_context_values"] == ["s3:ExistingObjectTag/stage"]
    entry = {
        "context_key_name": "s3:ExistingObjectTag/stage",
        "context_key_values": ["test"],
        "context_key_type": "string",
    }
    assert decisions(world("simulate_principal_policy", context_entries=[entry], **asked))["s3:GetObject"] == "allowed"


def test_custom_policies(world: Any) -> None:
    answer = world(
        "simulate_custom_policy",
        policy_input_list=[policy("s3:*", "arn:aws:s3:::a/*"), policy("s3:Delete*", effect="Deny")],
        action_names=["s3:GetObject", "s3:DeleteObject"],
        resource_arns=["arn:aws:s3:::a/x", "arn:aws:s3:::b/x"],
    )
    got, deleted = answer["evaluation_results"]
    assert [each["eval_resource_decision"] for each in got["resource_specific_results"]] == ["allowed", "implicitDeny"]
    assert deleted["eval_decision"] == "explicitDeny"
    with pytest.raises(InvalidInput) as caught:
        world("simulate_custom_policy", policy_input_list=["{}"], action_names=["s3:GetObject"])
    assert caught.value.code == "MalformedPolicyDocument"
    for action in ("GetObject", "", "*"):
        with pytest.raises(InvalidInput, match="Invalid simulation action"):
            world("simulate_custom_policy", policy_input_list=[policy("*")], action_names=[action])


def test_a_resource_policy_needs_a_caller(world: Any) -> None:
    ann = world.user("ann")
    bucket = json.loads(policy("s3:GetObject", "arn:aws:s3:::a/*"))
    bucket["Statement"][0]["Principal"] = {"AWS": ann.arn}
    asked: dict[str, Any] = {
        "policy_input_list": [policy("sqs:*")],
        "action_names": ["s3:GetObject"],
        "resource_arns": ["arn:aws:s3:::a/x"],
        "resource_policy": json.dumps(bucket),
    }
    with pytest.raises(InvalidInput, match="CallerArn is required"):
        world("simulate_custom_policy", **asked)
    with pytest.raises(InvalidInput, match="CallerArn"):
        world("simulate_custom_policy", caller_arn="arn:aws:iam::111122223333:user/none", **asked)
    assert decisions(world("simulate_custom_policy", caller_arn=ann.arn, **asked)) == {"s3:GetObject": "allowed"}


def test_policies_of_an_organization_must_all_allow(world: Any) -> None:
    levels = [
        {"service_control_policy_input_list": [policy("*")]},
        {"service_control_policy_input_list": [policy("sqs:*")]},
    ]
    answer = world(
        "simulate_custom_policy",
        policy_input_list=[policy("*")],
        action_names=["s3:GetObject", "sqs:ListQueues"],
        ordered_organization_policy_input_list=levels,
    )
    assert list(decisions(answer).values()) == ["implicitDeny", "allowed"]
    assert answer["evaluation_results"][0]["organizations_decision_detail"] == {"allowed_by_organizations": False}


def test_the_condition_keys_of_policies(world: Any) -> None:
    asks = policy("s3:*", "arn:aws:s3:::${aws:username}/*", Condition={"Bool": {"aws:SecureTransport": "true"}})
    assert world("get_context_keys_for_custom_policy", policy_input_list=[asks]) == {
        "context_key_names": ["aws:SecureTransport", "aws:username"]
    }
    ann = world.user("ann")
    world("put_user_policy", user_name="ann", policy_name="p", policy_document=asks)
    more = policy("s3:*", Condition={"StringLike": {"s3:prefix": "a*"}})
    told = world("get_context_keys_for_principal_policy", policy_source_arn=ann.arn, policy_input_list=[more])
    assert told["context_key_names"] == ["aws:SecureTransport", "aws:username", "s3:prefix"]
