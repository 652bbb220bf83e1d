"""Managed policies, their versions and attachments, inline policies, and AWS's own policies."""

import json
from typing import Any
from urllib.parse import unquote

import pytest

from headrace.server.errors import AlreadyExists, InUse, InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.identity.managed import aws_policies
from headrace.server.security.policy import parse_policy

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
)


def allow(action: str, resource: Any = "*") -> str:
    statement = {"Sid": "One", "Effect": "Allow", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make(world: Any, name: str = "p", **parameters: Any) -> str:
    arn: str = world("create_policy", policy_name=name, policy_document=allow("s3:*"), **parameters)["policy"]["arn"]
    return arn


def test_a_policy_is_made_and_described(world_of_each: Any) -> None:
    world = world_of_each
    made = world(
        "create_policy", policy_name="p", path="/x/", policy_document=allow("s3:*"), description="all of S3",
        tags=[{"key": "a", "value": "b"}],
    )["policy"]  # fmt: skip
    assert made["arn"] == "arn:aws:iam::111122223333:policy/x/p"
    assert made["policy_id"].startswith("ANPA")
    told = world("get_policy", policy_arn=made["arn"])["policy"]
    assert told == made | {"description": "all of S3"}
    assert (told["default_version_id"], told["attachment_count"], told["is_attachable"]) == ("v1", 0, True)
    version = world("get_policy_version", policy_arn=made["arn"], version_id="v1")["policy_version"]
    assert unquote(version["document"]) == allow("s3:*")
    with pytest.raises(AlreadyExists, match=r"A policy called P already exists\. Duplicate names are not allowed\."):
        make(world, "P")


@pytest.mark.parametrize(
    "document",
    [
        "",
        "nonsense",
        "{}",
        allow("s3"),
        allow("s3:*", []),
        allow("s3:*").replace("Resource", "Resources"),
        allow("s3:*").replace('"Sid"', '"Principal": "*", "Sid"'),
        allow("s3:*").replace("2012-10-17", "2020-01-01"),
    ],
)
def test_a_malformed_document_is_refused(world: Any, document: str) -> None:
    arn = make(world)
    world.user("ann")
    for function, parameters in (
        ("create_policy", {"policy_name": "q"}),
        ("create_policy_version", {"policy_arn": arn}),
        ("put_user_policy", {"user_name": "ann", "policy_name": "q"}),
    ):
        with pytest.raises(InvalidInput) as caught:
            world(function, policy_document=document, **parameters)
        assert caught.value.code == "MalformedPolicyDocument"


def test_white_space_does_not_count(world: Any) -> None:
    big = json.dumps(json.loads(allow("s3:*", [f"arn:aws:s3:::{'b' * 50}{number}" for number in range(70)])), indent=40)
    assert len(big) > 6144
    world("create_policy", policy_name="spaced", policy_document=big)
    too_big = allow("s3:*", [f"arn:aws:s3:::{'b' * 50}{number}" for number in range(90)])
    with pytest.raises(LimitExceeded, match="Cannot exceed quota for PolicySize: 6144"):
        world("create_policy", policy_name="big", policy_document=too_big)


def test_versions_come_and_go(world_of_each: Any) -> None:
    world = world_of_each
    arn = make(world)
    for number in range(2, 6):
        answer = world("create_policy_version", policy_arn=arn, policy_document=allow(f"sqs:Get{number}"))
        assert answer["policy_version"]["version_id"] == f"v{number}"
    with pytest.raises(LimitExceeded, match="A managed policy can have up to 5 versions"):
        world("create_policy_version", policy_arn=arn, policy_document=allow("sqs:*"))
    with pytest.raises(InUse, match=r"Cannot delete the default version of a policy\."):
        world("delete_policy_version", policy_arn=arn, version_id="v1")
    world("set_default_policy_version", policy_arn=arn, version_id="v3")
    world("delete_policy_version", policy_arn=arn, version_id="v1")
    latest = world("create_policy_version", policy_arn=arn, policy_document=allow("sqs:*"), set_as_default=True)
    assert latest["policy_version"] == latest["policy_version"] | {"version_id": "v6", "is_default_version": True}
    listed = world.every("list_policy_versions", "versions", policy_arn=arn)
    assert [each["version_id"] for each in listed] == ["v6", "v5", "v4", "v3", "v2"]
    assert [each["version_id"] for each in listed if each["is_default_version"]] == ["v6"]
    assert world("get_policy", policy_arn=arn)["policy"]["default_version_id"] == "v6"
    with pytest.raises(NotFound, match="version v1 does not exist"):
        world("get_policy_version", policy_arn=arn, version_id="v1")


def test_a_policy_in_use_is_not_deleted(world: Any) -> None:
    arn = make(world)
    world.user("ann")
    world("attach_user_policy", user_name="ann", policy_arn=arn)
    with pytest.raises(InUse, match=r"Cannot delete a policy attached to entities\."):
        world("delete_policy", policy_arn=arn)
    world("detach_user_policy", user_name="ann", policy_arn=arn)
    world("create_policy_version", policy_arn=arn, policy_document=allow("sqs:*"))
    with pytest.raises(InUse, match="more than one version"):
        world("delete_policy", policy_arn=arn)
    world("delete_policy_version", policy_arn=arn, version_id="v2")
    world("delete_policy", policy_arn=arn)
    with pytest.raises(NotFound, match=rf"Policy {arn} was not found\."):
        world("get_policy", policy_arn=arn)
    assert make(world) == arn


def test_policies_are_attached_to_users_groups_and_roles(world_of_each: Any) -> None:
    world = world_of_each
    arn = make(world, path="/x/")
    world.user("u")
    world("create_group", group_name="g")
    world("create_role", role_name="r", assume_role_policy_document=TRUST)
    for noun, name in (("user", "u"), ("group", "g"), ("role", "r")):
        owner = {f"{noun}_name": name}
        for each in (arn, ADMINISTRATOR, arn):
            world(f"attach_{noun}_policy", policy_arn=each, **owner)
        listed = world.every(f"list_attached_{noun}_policies", "attached_policies", page=1, **owner)
        assert listed == [
            {"policy_name": "p", "policy_arn": arn},
            {"policy_name": "AdministratorAccess", "policy_arn": ADMINISTRATOR},
        ]
        [below] = world(f"list_attached_{noun}_policies", path_prefix="/x/", **owner)["attached_policies"]
        assert below["policy_arn"] == arn
    assert world("get_policy", policy_arn=arn)["policy"]["attachment_count"] == 3
    assert world("get_policy", policy_arn=ADMINISTRATOR)["policy"]["attachment_count"] == 3
    having = world("list_entities_for_policy", policy_arn=arn)
    assert [each["user_name"] for each in having["policy_users"]] == ["u"]
    assert [each["group_name"] for each in having["policy_groups"]] == ["g"]
    assert [each["role_name"] for each in having["policy_roles"]] == ["r"]
    roles = world("list_entities_for_policy", policy_arn=arn, entity_filter="Role")
    assert (roles["policy_users"], len(roles["policy_roles"])) == ([], 1)
    first = world("list_entities_for_policy", policy_arn=arn, max_items=1)
    rest = world("list_entities_for_policy", policy_arn=arn, marker=first["marker"])
    assert sum(len(page[f"policy_{noun}s"]) for page in (first, rest) for noun in ("user", "group", "role")) == 3
    world("detach_role_policy", role_name="r", policy_arn=arn)
    with pytest.raises(NotFound, match=rf"Policy {arn} was not found\."):
        world("detach_role_policy", role_name="r", policy_arn=arn)
    with pytest.raises(NotFound, match="does not exist or is not attachable"):
        world("attach_role_policy", role_name="r", policy_arn=f"{arn}q")


def test_a_boundary_counts_apart(world: Any) -> None:
    arn = make(world)
    world.user("u", permissions_boundary=arn)
    told = world("get_policy", policy_arn=arn)["policy"]
    assert (told["attachment_count"], told["permissions_boundary_usage_count"]) == (0, 1)
    used = world("list_entities_for_policy", policy_arn=arn, policy_usage_filter="PermissionsBoundary")
    assert len(used["policy_users"]) == 1
    assert not world("list_entities_for_policy", policy_arn=arn, policy_usage_filter="PermissionsPolicy")[
        "policy_users"
    ]
    [own] = world("list_policies", scope="Local", policy_usage_filter="PermissionsBoundary")["policies"]
    assert own["arn"] == arn
    with pytest.raises(InUse):
        world("delete_policy", policy_arn=arn)
    world("delete_user_permissions_boundary", user_name="u")
    world("delete_policy", policy_arn=arn)


def test_ten_policies_are_attached_at_most(world: Any) -> None:
    world.user("u")
    for number in range(10):
        world("attach_user_policy", user_name="u", policy_arn=make(world, f"p{number}"))
    with pytest.raises(LimitExceeded, match="Cannot exceed quota for PoliciesPerUser: 10"):
        world("attach_user_policy", user_name="u", policy_arn=ADMINISTRATOR)


def test_policies_are_listed_aws_first(world_of_each: Any) -> None:
    world = world_of_each
    own = [make(world, name, path="/x/") for name in ("b", "a", "c")]
    everything = [each["arn"] for each in world.every("list_policies", "policies", page=40)]
    assert everything[-3:] == sorted(own)
    assert len(everything) == len(set(everything)) == 3 + len(aws_policies())
    assert [each["arn"] for each in world.every("list_policies", "policies", scope="Local")] == sorted(own)
    assert len(world.every("list_policies", "policies", page=50, scope="AWS")) == len(aws_policies())
    exact = world.every("list_policies", "policies", page=len(aws_policies()))
    assert [each["arn"] for each in exact] == everything
    roles = world.every("list_policies", "policies", page=1000, path_prefix="/service-role/")
    assert {each["path"] for each in roles} == {"/service-role/"}
    world.user("u")
    world("attach_user_policy", user_name="u", policy_arn=ADMINISTRATOR)
    world("attach_user_policy", user_name="u", policy_arn=own[0])
    attached = world.every("list_policies", "policies", page=1, only_attached=True)
    assert [each["arn"] for each in attached] == [ADMINISTRATOR, own[0]]


def test_policies_of_aws_are_there_and_stay(world: Any) -> None:
    for name in ("AmazonS3FullAccess", "service-role/AmazonPersonalizeFullAccess", "job-function/ViewOnlyAccess"):
        arn = f"arn:aws:iam::aws:policy/{name}"
        told = world("get_policy", policy_arn=arn)["policy"]
        assert told["arn"] == arn
        version = world("get_policy_version", policy_arn=arn, version_id="v1")["policy_version"]
        assert json.loads(unquote(version["document"]))["Version"] == "2012-10-17"
        for function in ("delete_policy", "create_policy_version"):
            with pytest.raises(NotFound):
                world(function, policy_arn=arn, **({"policy_document": allow("s3:*")} if "version" in function else {}))
    with pytest.raises(NotFound):
        world("get_policy", policy_arn="arn:aws:iam::aws:policy/AmazonPersonalizeFullAccess")


def test_every_policy_of_aws_is_one() -> None:
    for key, policy in aws_policies().items():
        assert policy.path + policy.name == key
        assert parse_policy(policy.document).statements, key
        assert policy.description.endswith("."), key
    assert len({policy.id for policy in aws_policies().values()}) == len(aws_policies())


def test_inline_policies(world_of_each: Any) -> None:
    world = world_of_each
    world.user("u")
    world("create_group", group_name="g")
    world("create_role", role_name="r", assume_role_policy_document=TRUST)
    for noun, name in (("user", "u"), ("group", "g"), ("role", "r")):
        owner = {f"{noun}_name": name}
        for policy in ("b", "a", "c"):
            world(f"put_{noun}_policy", policy_name=policy, policy_document=allow("s3:*"), **owner)
        spaced = allow("sqs:*").replace(",", " ,\n")
        world(f"put_{noun}_policy", policy_name="a", policy_document=spaced, **owner)
        told = world(f"get_{noun}_policy", policy_name="a", **owner)
        assert unquote(told["policy_document"]) == spaced
        assert told[f"{noun}_name"] == name
        assert world.every(f"list_{noun}_policies", "policy_names", **owner) == ["a", "b", "c"]
        world(f"delete_{noun}_policy", policy_name="a", **owner)
        for function in ("get", "delete"):
            with pytest.raises(NotFound, match=rf"The {noun} policy with name a cannot be found\."):
                world(f"{function}_{noun}_policy", policy_name="a", **owner)


def test_inline_policies_share_a_size(world: Any) -> None:
    world.user("u")
    large = allow("s3:*", ["arn:aws:s3:::" + "b" * 1400])
    world("put_user_policy", user_name="u", policy_name="a", policy_document=large)
    world("put_user_policy", user_name="u", policy_name="a", policy_document=large)
    with pytest.raises(LimitExceeded, match="Maximum policy size of 2048 bytes exceeded for user u"):
        world("put_user_policy", user_name="u", policy_name="b", policy_document=large)
