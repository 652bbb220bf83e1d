"""Roles, their trust policies, instance profiles, and roles that belong to AWS services."""

import json
from typing import Any
from urllib.parse import unquote

import pytest

from headrace.server.errors import AlreadyExists, InUse, InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.identity import last_use
from headrace.server.resources import by_arn
from headrace.server.security.credentials import Caller

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def trust(principal: Any, action: Any = "sts:AssumeRole") -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=1)


SERVICE = trust({"Service": "sagemaker.amazonaws.com"})


def test_a_role_is_made_and_described(world_of_each: Any) -> None:
    world = world_of_each
    made = world(
        "create_role", role_name="Train", path="/ml/", assume_role_policy_document=SERVICE, description="d",
        max_session_duration=7200, permissions_boundary=READ, tags=[{"key": "a", "value": "b"}],
    )["role"]  # fmt: skip
    assert made["arn"] == "arn:aws:iam::111122223333:role/ml/Train"
    assert made["role_id"].startswith("AROA")
    assert unquote(made["assume_role_policy_document"]) == SERVICE
    assert " " not in made["assume_role_policy_document"]
    assert "+" not in made["assume_role_policy_document"]
    assert made["role_last_used"] == {}
    assert world("get_role", role_name="Train")["role"] == made
    [listed] = world("list_roles", path_prefix="/ml/")["roles"]
    assert "tags" not in listed
    assert listed["max_session_duration"] == 7200
    with world.metadata.reading() as connection:
        stored = by_arn(connection, made["arn"])
    assert stored is not None
    assert stored.policy == SERVICE


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "invalid Json|Json|JSON"),
        ("[]", "."),
        (trust({"AWS": "arn:aws:iam::111122223333:role/nobody"}), "Invalid principal in policy: .*role/nobody"),
        (trust({"AWS": "arn:aws:iam::111122223333:user/p/nobody"}), "Invalid principal in policy"),
        (trust({"AWS": "nonsense"}), "Invalid principal in policy"),
        (trust({"Service": "sagemaker.amazonaws.com"}, "s3:GetObject"), "AssumeRole policy may only specify STS"),
        (SERVICE.replace('"Action"', '"Resource": "*", "Action"'), "Has prohibited field Resource"),
        ('{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}', "Principal"),
    ],
)
def test_a_bad_trust_policy_is_refused(world: Any, document: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        world("create_role", role_name="r", assume_role_policy_document=document)
    assert caught.value.code == "MalformedPolicyDocument"
    with pytest.raises(NotFound):
        world("get_role", role_name="r")


def test_a_trust_policy_names_users_roles_and_accounts(world: Any) -> None:
    ann = world.user("ann")
    for principal in (ann.arn, "111122223333", "arn:aws:iam::111122223333:root", "arn:aws:iam::999999999999:role/x"):
        world("create_role", role_name=f"r{len(principal)}", assume_role_policy_document=trust({"AWS": principal}))
    assert len(world("list_roles")["roles"]) == 4


def test_a_trust_policy_is_of_limited_size(world: Any) -> None:
    long = trust({"Service": [f"service-{number}.amazonaws.com" for number in range(100)]})
    with pytest.raises(LimitExceeded):
        world("create_role", role_name="r", assume_role_policy_document=long)


def test_a_role_is_changed(world: Any) -> None:
    world("create_role", role_name="r", assume_role_policy_document=SERVICE, description="old")
    assert world("update_role", role_name="r", max_session_duration=43200) == {}
    assert world("update_role_description", role_name="r", description="new")["role"]["description"] == "new"
    assert world("get_role", role_name="r")["role"]["max_session_duration"] == 43200
    other = trust({"Service": "forecast.amazonaws.com"})
    world("update_assume_role_policy", role_name="r", policy_document=other)
    assert unquote(world("get_role", role_name="r")["role"]["assume_role_policy_document"]) == other
    with pytest.raises(InvalidInput):
        world("update_assume_role_policy", role_name="r", policy_document="{}")
    world("put_role_permissions_boundary", role_name="r", permissions_boundary=READ)
    world("delete_role_permissions_boundary", role_name="r")
    assert "permissions_boundary" not in world("get_role", role_name="r")["role"]


def test_a_role_in_use_is_not_deleted(world: Any) -> None:
    world("create_role", role_name="r", assume_role_policy_document=SERVICE)
    with pytest.raises(AlreadyExists, match=r"Role with name R already exists\."):
        world("create_role", role_name="R", assume_role_policy_document=SERVICE)
    world("create_instance_profile", instance_profile_name="p")
    world("add_role_to_instance_profile", instance_profile_name="p", role_name="r")
    world("attach_role_policy", role_name="r", policy_arn=READ)
    with pytest.raises(InUse, match="must detach all policies first"):
        world("delete_role", role_name="r")
    world("detach_role_policy", role_name="r", policy_arn=READ)
    with pytest.raises(InUse, match="must remove roles from instance profile first"):
        world("delete_role", role_name="r")
    world("remove_role_from_instance_profile", instance_profile_name="p", role_name="r")
    world("delete_role", role_name="r")
    with pytest.raises(NotFound, match=r"The role with name r cannot be found\."):
        world("delete_role", role_name="r")


def test_an_instance_profile_holds_one_role(world_of_each: Any) -> None:
    world = world_of_each
    for name in "rs":
        world("create_role", role_name=name, assume_role_policy_document=SERVICE)
    made = world("create_instance_profile", instance_profile_name="p", path="/x/", tags=[{"key": "k", "value": "v"}])
    assert made["instance_profile"]["instance_profile_id"].startswith("AIPA")
    with pytest.raises(AlreadyExists, match=r"Instance Profile p already exists\."):
        world("create_instance_profile", instance_profile_name="p")
    world("add_role_to_instance_profile", instance_profile_name="p", role_name="r")
    with pytest.raises(LimitExceeded, match="InstanceSessionsPerInstanceProfile: 1"):
        world("add_role_to_instance_profile", instance_profile_name="p", role_name="s")
    profile = world("get_instance_profile", instance_profile_name="p")["instance_profile"]
    assert [each["role_name"] for each in profile["roles"]] == ["r"]
    assert [each["role_name"] for each in world("list_instance_profiles")["instance_profiles"][0]["roles"]] == ["r"]
    [held] = world("list_instance_profiles_for_role", role_name="r")["instance_profiles"]
    assert held["instance_profile_name"] == "p"
    with pytest.raises(InUse):
        world("delete_instance_profile", instance_profile_name="p")
    with pytest.raises(NotFound):
        world("remove_role_from_instance_profile", instance_profile_name="p", role_name="s")
    world("remove_role_from_instance_profile", instance_profile_name="p", role_name="r")
    world("delete_instance_profile", instance_profile_name="p")
    with pytest.raises(NotFound, match=r"Instance Profile p cannot be found\."):
        world("get_instance_profile", instance_profile_name="p")


def test_a_role_of_a_service_is_made_and_deleted_but_not_changed(world: Any) -> None:
    name = "AWSServiceRoleForAmazonSageMakerNotebooks"
    made = world("create_service_linked_role", aws_service_name="sagemaker.amazonaws.com")["role"]
    assert made["arn"].endswith(f":role/aws-service-role/sagemaker.amazonaws.com/{name}")
    [attached] = world("list_attached_role_policies", role_name=name)["attached_policies"]
    assert attached["policy_name"] == "AmazonSageMakerNotebooksServiceRolePolicy"
    with pytest.raises(InvalidInput, match="has been taken"):
        world("create_service_linked_role", aws_service_name="sagemaker.amazonaws.com")
    for function, parameters in (
        ("delete_role", {}),
        ("attach_role_policy", {"policy_arn": READ}),
        ("update_role", {"description": "x"}),
        ("update_assume_role_policy", {"policy_document": SERVICE}),
    ):
        with pytest.raises(InvalidInput, match="only modifiable by AWS") as caught:
            world(function, role_name=name, **parameters)
        assert caught.value.code == "UnmodifiableEntity"
    task = world("delete_service_linked_role", role_name=name)["deletion_task_id"]
    assert task.startswith(f"task/aws-service-role/sagemaker.amazonaws.com/{name}/")
    assert world("get_service_linked_role_deletion_status", deletion_task_id=task) == {"status": "SUCCEEDED"}
    with pytest.raises(NotFound):
        world("get_service_linked_role_deletion_status", deletion_task_id=task[:-3] + "abc")
    with pytest.raises(NotFound):
        world("get_role", role_name=name)


def test_a_service_without_a_role_of_its_own_is_refused(world: Any) -> None:
    with pytest.raises(InvalidInput, match=r"made\.up"):
        world("create_service_linked_role", aws_service_name="made.up")
    with pytest.raises(InvalidInput, match="Custom suffix is not allowed"):
        world("create_service_linked_role", aws_service_name="sagemaker.amazonaws.com", custom_suffix="x")
    made = world("create_service_linked_role", aws_service_name="autoscaling.amazonaws.com", custom_suffix="x")["role"]
    assert made["role_name"] == "AWSServiceRoleForAutoScaling_x"


def test_the_last_use_of_a_role_is_told_at_once_and_after_a_restart(world_of_each: Any) -> None:
    world = world_of_each
    made = world("create_role", role_name="r", assume_role_policy_document=SERVICE)["role"]
    arn = "arn:aws:sts::111122223333:assumed-role/r/s"
    session = Caller("AssumedRole", "111122223333", arn, f"{made['role_id']}:s", made["arn"])
    for _ in range(2):
        world.now += 1000
        last_use.note(world.metadata, session, "s3", "eu-west-1", world.now)
        told = world("get_role", role_name="r")["role"]["role_last_used"]
        assert last_use.settle(world.metadata) == 1
        assert last_use.settle(world.metadata) == 0
        kept = world("get_role", role_name="r")["role"]["role_last_used"]
        assert told == kept
        assert kept["region"] == "eu-west-1"
        assert kept["last_used_date"].timestamp() * 1000 == world.now
