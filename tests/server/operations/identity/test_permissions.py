"""What the guard reads of a caller: policies of every source, tags, ARNs of plain names."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from headrace.server.operations.identity import permissions
from headrace.server.resources import Place
from headrace.server.security.credentials import ANONYMOUS, Caller

READER = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


def allow(action: str, effect: str = "Allow") -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": {"Effect": effect, "Action": action, "Resource": "*"}})


def read(world: Any, caller: Caller) -> tuple[Any, int]:
    """Return the caller's policies, and how many queries they took."""
    queries = 0

    def counted(*_: Any) -> None:
        nonlocal queries
        queries += 1

    with world.metadata.reading() as connection:
        event.listen(connection, "before_cursor_execute", counted)
        found = permissions.policies_of(connection, caller)
    return found, queries


def test_policies_come_from_everywhere_in_one_query(world_of_each: Any) -> None:
    world = world_of_each
    ann = world.user("ann", permissions_boundary="arn:aws:iam::aws:policy/PowerUserAccess")
    own = world("create_policy", policy_name="own", policy_document=allow("sqs:*"))["policy"]["arn"]
    world("create_group", group_name="g")
    world("add_user_to_group", group_name="g", user_name="ann")
    world("put_user_policy", user_name="ann", policy_name="written", policy_document=allow("sns:*"))
    world("attach_user_policy", user_name="ann", policy_arn=own)
    world("attach_group_policy", group_name="g", policy_arn=READER)
    world("put_group_policy", group_name="g", policy_name="for all", policy_document=allow("iam:*"))
    found, queries = read(world, ann)
    assert queries == 1
    assert {(each.source, each.type) for each in found.identity} == {
        ("written", "user"), ("own", "user-managed"), ("AmazonS3ReadOnlyAccess", "aws-managed"), ("for all", "group"),
    }  # fmt: skip
    assert found.boundary is not None
    assert found.session is None
    assert [world.may(ann, action) for action in ("sqs:ListQueues", "sns:ListTopics", "s3:GetObject")] == [True] * 3
    assert not world.may(ann, "iam:ListUsers")
    world("create_policy_version", policy_arn=own, policy_document=allow("sqs:*", "Deny"), set_as_default=True)
    assert not world.may(ann, "sqs:ListQueues")
    world("remove_user_from_group", group_name="g", user_name="ann")
    assert not world.may(ann, "s3:GetObject")


def test_a_boundary_of_the_account_limits_too(world: Any) -> None:
    own = world("create_policy", policy_name="own", policy_document=allow("sqs:*"))["policy"]["arn"]
    ann = world.user("ann", permissions_boundary=own)
    world("put_user_policy", user_name="ann", policy_name="all", policy_document=allow("*"))
    assert world.may(ann, "sqs:ListQueues")
    assert not world.may(ann, "s3:GetObject")


def test_those_without_policies(world: Any) -> None:
    for caller in (world.caller, ANONYMOUS, Caller("AWSService", "", "", "", "", "sagemaker.amazonaws.com")):
        found, queries = read(world, caller)
        assert (found.identity, queries) == ((), 0)
    gone = world.user("gone")
    world("put_user_policy", user_name="gone", policy_name="all", policy_document=allow("*"))
    world("delete_user_policy", user_name="gone", policy_name="all")
    world("delete_user", user_name="gone")
    world.user("gone")
    world("put_user_policy", user_name="gone", policy_name="all", policy_document=allow("*"))
    assert not world.may(gone, "s3:GetObject")


def test_a_federated_user_takes_two_queries(world: Any) -> None:
    ann = world.user("ann")
    world("put_user_policy", user_name="ann", policy_name="all", policy_document=allow("*"))
    federated = replace(ann, kind="FederatedUser", user_id="111122223333:bob", session_issued=world.now)
    found, queries = read(world, federated)
    assert queries == 2
    assert found.session == ()
    assert {each.source for each in found.identity} == {"all", "FederatedUser"}
    found, _ = read(world, replace(federated, session_issued=world.now - 1))
    assert {each.source for each in found.identity} == {"FederatedUser"}, "the user is younger than the session"


def test_the_tags_of_a_caller_are_those_of_its_user_or_role(world: Any) -> None:
    ann = world.user("ann", tags=[{"key": "team", "value": "red"}])
    with world.metadata.reading() as connection:
        assert permissions.principal_tags(connection, ann) == {"team": "red"}
        assert permissions.principal_tags(connection, world.caller) == {}


@pytest.mark.parametrize(("kind", "name", "arn"), [
    ("iam/user", "ann", "arn:aws:iam::111122223333:user/p/ann"),
    ("iam/group", "g", "arn:aws:iam::111122223333:group/q/g"),
    ("iam/role", "ann", None),
    ("iam/user", "bob", None),
])  # fmt: skip
def test_names_are_resolved_to_arns_with_paths(world: Any, kind: str, name: str, arn: str | None) -> None:
    world.user("ann", path="/p/")
    world("create_group", group_name="g", path="/q/")
    with world.metadata.reading() as connection:
        assert permissions.resolve(connection, Place("111122223333", "us-east-1"), kind, name) == arn
