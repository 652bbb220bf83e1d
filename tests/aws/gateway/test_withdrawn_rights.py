"""What is taken away is refused at once, though the same request was allowed a moment before."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

Client = Callable[..., Any]
LISTS_USERS = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}}
)


@pytest.fixture
def user(client: Client) -> Iterator[tuple[str, Any, str]]:
    """Make a user who may list users: its name, a client of it, the id of its key."""
    iam, name = client("iam"), f"user-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=LISTS_USERS)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    options = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    mine = client("iam", **options)
    for _ in range(3):
        mine.list_users()
    yield name, mine, key["AccessKeyId"]


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as raised:
        call()
    return str(raised.value.response["Error"]["Code"])


def test_a_deleted_key(client: Client, user: tuple[str, Any, str]) -> None:
    name, mine, key = user
    client("iam").delete_access_key(UserName=name, AccessKeyId=key)
    assert refused(mine.list_users) == "InvalidClientTokenId"


def test_an_inactive_key_and_back(client: Client, user: tuple[str, Any, str]) -> None:
    name, mine, key = user
    client("iam").update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
    assert refused(mine.list_users) == "InvalidClientTokenId"
    client("iam").update_access_key(UserName=name, AccessKeyId=key, Status="Active")
    mine.list_users()


def test_a_deleted_inline_policy(client: Client, user: tuple[str, Any, str]) -> None:
    name, mine, _ = user
    client("iam").delete_user_policy(UserName=name, PolicyName="inline")
    assert refused(mine.list_users) == "AccessDenied"


def test_a_detached_managed_policy_and_a_new_version_of_it(client: Client, user: tuple[str, Any, str]) -> None:
    name, mine, _ = user
    iam = client("iam")
    iam.delete_user_policy(UserName=name, PolicyName="inline")
    arn = iam.create_policy(PolicyName=f"{name}-policy", PolicyDocument=LISTS_USERS)["Policy"]["Arn"]
    iam.attach_user_policy(UserName=name, PolicyArn=arn)
    mine.list_users()
    nothing = LISTS_USERS.replace("iam:ListUsers", "iam:ListRoles")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=nothing, SetAsDefault=True)
    assert refused(mine.list_users) == "AccessDenied"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    mine.list_users()
    iam.detach_user_policy(UserName=name, PolicyArn=arn)
    assert refused(mine.list_users) == "AccessDenied"


def test_a_boundary_and_a_group_left(client: Client, user: tuple[str, Any, str]) -> None:
    name, mine, _ = user
    iam = client("iam")
    narrow = LISTS_USERS.replace("iam:ListUsers", "iam:ListRoles")
    boundary = iam.create_policy(PolicyName=f"{name}-boundary", PolicyDocument=narrow)["Policy"]["Arn"]
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=boundary)
    assert refused(mine.list_users) == "AccessDenied"
    iam.delete_user_permissions_boundary(UserName=name)
    mine.list_users()
    group = f"{name}-group"
    iam.create_group(GroupName=group)
    iam.put_group_policy(GroupName=group, PolicyName="inline", PolicyDocument=LISTS_USERS)
    iam.add_user_to_group(GroupName=group, UserName=name)
    iam.delete_user_policy(UserName=name, PolicyName="inline")
    mine.list_users()
    iam.remove_user_from_group(GroupName=group, UserName=name)
    assert refused(mine.list_users) == "AccessDenied"


def test_tags_that_a_policy_asks_for(client: Client, user: tuple[str, Any, str]) -> None:
    name, mine, _ = user
    iam = client("iam")
    document = json.loads(LISTS_USERS)
    document["Statement"]["Condition"] = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
    iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=json.dumps(document))
    assert refused(mine.list_users) == "AccessDenied"
    iam.tag_user(UserName=name, Tags=[{"Key": "team", "Value": "blue"}])
    mine.list_users()
    iam.untag_user(UserName=name, TagKeys=["team"])
    assert refused(mine.list_users) == "AccessDenied"


def test_a_role_whose_sessions_lose_their_policy_or_their_role(client: Client) -> None:
    iam, name = client("iam"), f"role-{uuid4().hex[:8]}"
    account = client("sts").get_caller_identity()["Account"]
    trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=LISTS_USERS)
    admin, admin_name = _administrator(client)
    given = admin("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    mine = client(
        "iam",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    mine.list_users()
    forged = client(
        "iam",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"][:-8] + "AAAAAAA=",
    )
    assert refused(forged.list_users) == "InvalidClientTokenId"
    iam.delete_role_policy(RoleName=name, PolicyName="inline")
    assert refused(mine.list_users) == "AccessDenied"
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=LISTS_USERS)
    mine.list_users()
    iam.delete_role_policy(RoleName=name, PolicyName="inline")
    iam.delete_role(RoleName=name)
    assert refused(mine.list_users) in ("AccessDenied", "InvalidClientTokenId")
    iam.delete_user_policy(UserName=admin_name, PolicyName="all")


def _administrator(client: Client) -> tuple[Client, str]:
    """Return clients of a user who may do all: the root user may not assume roles."""
    iam, name = client("iam"), f"admin-{uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    everything = LISTS_USERS.replace("iam:ListUsers", "*")
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=everything)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    options = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return lambda service: client(service, **options), name
