"""Temporary credentials of roles, users and federated users."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from headrace.server.clock import moment
from headrace.server.errors import Denied, InvalidInput, LimitExceeded
from headrace.server.operations.identity.callers import encode_authorization_message
from headrace.server.security.credentials import Caller, find_key

S3_READER = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


def allow(*actions: str) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": list(actions), "Resource": "*"}}
    )


def role(world: Any, name: str, *trusted: str, **parameters: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": list(trusted) or ["111122223333"]},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    made = world("create_role", role_name=name, assume_role_policy_document=document, **parameters)["role"]
    arn: str = made["arn"]
    return arn


def opened(world: Any, credentials: Any) -> Caller:
    with world.metadata.reading() as connection:
        key = find_key(connection, world.keyring, credentials["access_key_id"], credentials["session_token"])
    assert key is not None
    assert key.secret == credentials["secret_access_key"]
    assert key.caller.session_expires == credentials["expiration"].timestamp() * 1000
    return key.caller


def assume(world: Any, arn: str, session: str = "s", **parameters: Any) -> Caller:
    answer = world("assume_role", of="sts", role_arn=arn, role_session_name=session, **parameters)
    caller = opened(world, answer["credentials"])
    assert answer["assumed_role_user"] == {"assumed_role_id": caller.user_id, "arn": caller.arn}
    return caller


@pytest.fixture
def ann(world: Any) -> Caller:
    """Make a user who may do everything, and let her ask."""
    user: Caller = world.user("ann")
    world("attach_user_policy", user_name="ann", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess")
    world.caller = user
    return user


def test_a_role_is_assumed(world: Any, ann: Caller) -> None:
    arn = role(world, "r", path="/p/")
    world("attach_role_policy", role_name="r", policy_arn=S3_READER)
    session = assume(world, arn)
    assert session.arn == "arn:aws:sts::111122223333:assumed-role/r/s"
    assert session.principal == arn
    assert session.user_id.startswith("AROA")
    assert session.user_id.endswith(":s")
    assert session.session_expires - session.session_issued == 3_600_000
    assert world.may(session, "s3:GetObject")
    assert not world.may(session, "s3:PutObject")
    world.caller = session
    assert world("get_caller_identity", of="sts") == {
        "user_id": session.user_id, "account": "111122223333", "arn": session.arn,
    }  # fmt: skip


def test_a_session_ends_with_its_role(world: Any, ann: Caller) -> None:
    arn = role(world, "r")
    answer = world("assume_role", of="sts", role_arn=arn, role_session_name="s")["credentials"]
    session = opened(world, answer)
    world("delete_role", role_name="r")
    role(world, "r")
    world("attach_role_policy", role_name="r", policy_arn=S3_READER)
    assert not world.may(session, "s3:GetObject")
    with world.metadata.reading() as connection:
        assert find_key(connection, world.keyring, answer["access_key_id"], answer["session_token"]) is None


def test_sessions_last_as_long_as_the_role_allows(world: Any, ann: Caller) -> None:
    arn = role(world, "r", max_session_duration=7200)
    assert assume(world, arn, duration_seconds=7200).session_expires == world.now + 7_200_000
    with pytest.raises(InvalidInput, match="exceeds the MaxSessionDuration set for this role"):
        assume(world, arn, duration_seconds=7201)
    other = role(world, "other", max_session_duration=7200)
    world("attach_role_policy", role_name="r", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess")
    world.caller = assume(world, arn)
    assert assume(world, other).principal == other
    with pytest.raises(InvalidInput, match="1 hour session limit for roles assumed by role chaining"):
        assume(world, other, duration_seconds=3601)


def test_root_assumes_no_role_and_nobody_one_that_is_not_there(world: Any) -> None:
    arn = role(world, "r")
    with pytest.raises(Denied, match=r"Roles may not be assumed by root accounts\."):
        assume(world, arn)
    world.caller = world.user("ann")
    with pytest.raises(Denied, match="is not authorized to perform: sts:AssumeRole on resource"):
        assume(world, arn + "x")
    with pytest.raises(Denied, match="sts:AssumeRole"):
        assume(world, world.caller.arn)


def test_session_policies_limit_a_session(world: Any, ann: Caller) -> None:
    arn = role(world, "r")
    world("attach_role_policy", role_name="r", policy_arn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    limited = assume(world, arn, policy=allow("s3:Put*", "sqs:*"))
    assert [world.may(limited, f"s3:{action}") for action in ("PutObject", "GetObject")] == [True, False]
    assert not world.may(limited, "sqs:ListQueues")
    both = assume(world, arn, policy=allow("s3:Put*"), policy_arns=[{"arn": S3_READER}])
    assert [world.may(both, f"s3:{action}Object") for action in ("Put", "Get", "Delete")] == [True, True, False]
    answer = world("assume_role", of="sts", role_arn=arn, role_session_name="s", policy=allow("s3:*"))
    assert 0 < answer["packed_policy_size"] < 100
    with pytest.raises(InvalidInput) as caught:
        assume(world, arn, policy="{}")
    assert caught.value.code == "MalformedPolicyDocument"
    with pytest.raises(InvalidInput, match="does not exist or is not attachable"):
        assume(world, arn, policy_arns=[{"arn": "arn:aws:iam::aws:policy/None"}])
    with pytest.raises(LimitExceeded) as full:
        assume(world, arn, policy=allow(*(f"s3:Get{number:0200}" for number in range(12))))
    assert full.value.code == "PackedPolicyTooLarge"


def test_tags_are_passed_and_handed_on(world: Any, ann: Caller) -> None:
    first, second = role(world, "first"), role(world, "second")
    world("attach_role_policy", role_name="first", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess")
    tags = [{"key": "Team", "value": "red"}, {"key": "stage", "value": "test"}]
    session = assume(world, first, tags=tags, transitive_tag_keys=["Team"])
    assert session.session_tags == {"Team": "red", "stage": "test"}
    world.caller = session
    assert assume(world, second).session_tags == {"Team": "red"}
    assert world.asked == [("sts:TagSession", second)]
    chained = assume(world, second, tags=[{"key": "x", "value": "y"}])
    assert chained.session_tags == {"Team": "red", "x": "y"}
    with pytest.raises(InvalidInput, match="conflicts with a transitive tag key"):
        assume(world, second, tags=[{"key": "team", "value": "blue"}])
    with pytest.raises(InvalidInput, match="must be included in the requested tags"):
        assume(world, second, transitive_tag_keys=["y"])
    with pytest.raises(InvalidInput, match="Duplicate tag keys"):
        assume(world, second, tags=[{"key": "a", "value": ""}, {"key": "A", "value": ""}])


def test_a_source_identity_stays(world: Any, ann: Caller) -> None:
    first, second = role(world, "first"), role(world, "second")
    world("attach_role_policy", role_name="first", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess")
    session = assume(world, first, source_identity="ann@example.com")
    assert session.source_identity == "ann@example.com"
    world.caller = session
    assert assume(world, second).source_identity == "ann@example.com"
    assert world.asked == [("sts:SetSourceIdentity", second)]
    with pytest.raises(Denied, match="sts:SetSourceIdentity"):
        assume(world, second, source_identity="bob@example.com")


def test_what_is_not_supported_is_said(world: Any, ann: Caller) -> None:
    with pytest.raises(InvalidInput, match="ProvidedContexts"):
        assume(world, role(world, "r"), provided_contexts=[{"provider_arn": "arn:aws:iam::aws:contextProvider/x"}])
    with pytest.raises(Denied, match="sts:AssumeRoot"):
        world("assume_root", of="sts", target_principal="111122223333", task_policy_arn={"arn": S3_READER})


def test_a_user_takes_a_session_of_itself(world: Any, ann: Caller) -> None:
    answer = world("get_session_token", of="sts", duration_seconds=900)["credentials"]
    session = opened(world, answer)
    assert (session.arn, session.kind, session.mfa_present) == (ann.arn, "IAMUser", False)
    assert answer["expiration"] == moment(world.now) + timedelta(minutes=15)
    assert world.may(session, "s3:GetObject")
    assert world.may(session, "sts:AssumeRole")
    assert not world.may(session, "iam:ListUsers")
    assert world.may(replace(session, mfa_present=True), "iam:ListUsers")
    world.caller = session
    for function, parameters in (("get_session_token", {}), ("get_federation_token", {"name": "bob"})):
        with pytest.raises(Denied, match="with session credentials"):
            world(function, of="sts", **parameters)


def test_sessions_of_root_last_an_hour(world: Any) -> None:
    session = opened(world, world("get_session_token", of="sts")["credentials"])
    assert session.kind == "Root"
    assert session.session_expires == world.now + 3_600_000


def test_a_federated_user_may_what_user_and_policy_allow(world: Any, ann: Caller) -> None:
    answer = world("get_federation_token", of="sts", name="Bob", policy=allow("s3:*", "iam:*"))
    session = opened(world, answer["credentials"])
    assert answer["federated_user"] == {
        "federated_user_id": "111122223333:Bob", "arn": "arn:aws:sts::111122223333:federated-user/Bob",
    }  # fmt: skip
    assert (session.kind, session.principal) == ("FederatedUser", ann.arn)
    assert world.may(session, "s3:GetObject")
    assert not world.may(session, "sqs:ListQueues")
    assert not world.may(session, "iam:ListUsers")
    nothing = opened(world, world("get_federation_token", of="sts", name="Eve")["credentials"])
    assert not world.may(nothing, "s3:GetObject")
    world("detach_user_policy", user_name="ann", policy_arn="arn:aws:iam::aws:policy/AdministratorAccess")
    assert not world.may(session, "s3:GetObject")


def test_a_federated_user_of_root(world: Any) -> None:
    answer = world("get_federation_token", of="sts", name="Bob", policy_arns=[{"arn": S3_READER}])
    session = opened(world, answer["credentials"])
    assert world.may(session, "s3:GetObject")
    assert not world.may(session, "s3:PutObject")


def test_an_authorisation_message_is_read_again(world: Any) -> None:
    message = encode_authorization_message(world.keyring, "111122223333", {"allowed": False})
    told = world("decode_authorization_message", of="sts", encoded_message=message)
    assert json.loads(told["decoded_message"]) == {"allowed": False}
    for wrong in ("", "made up", message[:-4] + "AAAA", encode_authorization_message(world.keyring, "9" * 12, {})):
        with pytest.raises(InvalidInput) as caught:
            world("decode_authorization_message", of="sts", encoded_message=wrong)
        assert caught.value.code == "InvalidAuthorizationMessageException"


def test_the_account_of_a_key(world: Any) -> None:
    world.user("ann")
    key = world("create_access_key", user_name="ann")["access_key"]["access_key_id"]
    assert world("get_access_key_info", of="sts", access_key_id=key) == {"account": "111122223333"}
    with pytest.raises(InvalidInput):
        world("get_access_key_info", of="sts", access_key_id="nonsense-and-more")
