"""What temporary credentials, roles, boundaries and lost keys allow, as boto3 meets it."""

import base64
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

READ = {"Effect": "Allow", "Action": ["s3:GetObject", "iam:ListRoles"], "Resource": "*"}
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def keys_of(credentials: dict[str, Any]) -> dict[str, str]:
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def refused(call: Callable[..., Any], /, **parameters: Any) -> str:
    """Return the message of a call that must be refused for lack of permission."""
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert error.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "403")
    return error.value.response["Error"]["Message"]


@pytest.fixture
def bucket(client: Callable[..., Any]) -> str:
    name = f"b-{secrets.token_hex(6)}"
    client("s3").create_bucket(Bucket=name)
    client("s3").put_object(Bucket=name, Key="key", Body=b"x")
    return name


@pytest.fixture
def role(client: Callable[..., Any]) -> Callable[..., str]:
    """Return a function that makes a role: whom it trusts, under which condition, and what it may do."""

    def make(trusted: str, *statements: dict[str, Any], condition: dict[str, Any] | None = None, **more: Any) -> str:
        iam, name = client("iam"), f"role-{secrets.token_hex(4)}"
        actions = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]
        trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": actions}
        made = iam.create_role(
            RoleName=name,
            AssumeRolePolicyDocument=policy(trust | ({"Condition": condition} if condition else {})),
            **more,
        )
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(*statements))
        arn: str = made["Role"]["Arn"]
        return arn

    return make


def assume(sts: Any, arn: str, **more: Any) -> dict[str, str]:
    return keys_of(sts.assume_role(RoleArn=arn, RoleSessionName="session", **more)["Credentials"])


def test_a_boundary_is_the_most_that_a_user_may_do(client: Any, person: Any, bucket: str) -> None:
    limit = client("iam").create_policy(PolicyName=f"l-{secrets.token_hex(4)}", PolicyDocument=policy(READ))
    arn = limit["Policy"]["Arn"]
    someone = person(ALL, PermissionsBoundary=arn)
    assert someone.client("s3").get_object(Bucket=bucket, Key="key")["ContentLength"] == 1
    message = refused(someone.client("s3").put_object, Bucket=bucket, Key="other", Body=b"")
    assert "no permissions boundary allows the s3:PutObject action" in message
    refused(someone.client("iam").delete_user_permissions_boundary, UserName=someone.name)


def test_a_session_policy_narrows_a_role(person: Any, role: Any, bucket: str) -> None:
    someone = person(ALL)
    arn = role(someone.arn, ALL)
    sts = someone.client("sts")
    whole, narrow = assume(sts, arn), assume(sts, arn, Policy=policy(READ))
    assert someone.client("s3", **whole).put_object(Bucket=bucket, Key="a", Body=b"")["ETag"]
    assert someone.client("s3", **narrow).get_object(Bucket=bucket, Key="key")["ContentLength"] == 1
    assert "no session policy" in refused(someone.client("s3", **narrow).put_object, Bucket=bucket, Key="a", Body=b"")


def test_roles_chain_as_far_as_they_trust_and_may(person: Any, role: Any) -> None:
    someone = person({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    first = role(someone.arn, {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    second = role(first, READ)
    refused(assume, sts=someone.client("sts"), arn=second)
    chained = assume(someone.client("sts", **assume(someone.client("sts"), first)), second)
    iam = someone.client("iam", **chained)
    assert iam.list_roles(MaxItems=1)["Roles"]
    refused(iam.list_users)
    identity = someone.client("sts", **chained).get_caller_identity()["Arn"]
    assert identity == second.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/session"


def test_a_role_of_the_account_needs_the_users_policy_too(person: Any, role: Any) -> None:
    someone = person()
    account = someone.arn.split(":")[4]
    trusted = role(f"arn:aws:iam::{account}:root", READ)
    refused(assume, sts=someone.client("sts"), arn=trusted)
    someone.may({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": trusted})
    assert assume(someone.client("sts"), trusted)
    someone.may({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": trusted + "x"})
    refused(assume, sts=someone.client("sts"), arn=trusted)


@pytest.mark.parametrize(
    ("condition", "right", "wrong"),
    [
        ({"StringEquals": {"sts:ExternalId": "42"}}, {"ExternalId": "42"}, {"ExternalId": "43"}),
        ({"StringEquals": {"sts:ExternalId": "42"}}, {"ExternalId": "42"}, {}),
        ({"StringLike": {"sts:RoleSessionName": "ses*"}}, {}, {"RoleSessionName": "other"}),
        ({"StringEquals": {"aws:RequestTag/Team": "a"}}, {"Tags": [{"Key": "Team", "Value": "a"}]}, {"Tags": [{"Key": "Team", "Value": "b"}]}),
        ({"StringEquals": {"sts:SourceIdentity": "mia"}}, {"SourceIdentity": "mia"}, {"SourceIdentity": "eva"}),
        ({"StringLike": {"aws:PrincipalTag/team": "r*"}}, {}, None),
    ],
)  # fmt: skip
def test_the_conditions_of_a_trust_policy(person: Any, role: Any, condition: Any, right: Any, wrong: Any) -> None:
    someone = person(ALL, Tags=[{"Key": "team", "Value": "red"}])
    arn, sts = role(someone.arn, READ, condition=condition), someone.client("sts")
    assert assume(sts, arn, **right)
    if wrong is not None:
        refused(sts.assume_role, **{"RoleArn": arn, "RoleSessionName": "session", **wrong})
    else:
        refused(person(ALL).client("sts").assume_role, RoleArn=arn, RoleSessionName="session")


def test_tags_of_a_session_are_tags_of_its_principal(person: Any, role: Any) -> None:
    own = {"StringEquals": {"aws:PrincipalTag/Team": "${aws:ResourceTag/Team}"}}
    someone = person(ALL)
    iam = someone.client("iam")
    for team in ("red", "blue"):
        iam.create_user(UserName=f"{team}-{someone.name}", Tags=[{"Key": "Team", "Value": team}])
    arn = role(someone.arn, {"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*", "Condition": own})
    session = someone.client("iam", **assume(someone.client("sts"), arn, Tags=[{"Key": "Team", "Value": "red"}]))
    assert session.get_user(UserName=f"red-{someone.name}")["User"]
    refused(session.get_user, UserName=f"blue-{someone.name}")


def test_mfa_opens_what_asks_for_it(client: Any, person: Any, role: Any, bucket: str) -> None:
    with_mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "60"}}
    someone = person(
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": with_mfa},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"},
    )
    serial, seed = device(client("iam"), someone.name)
    code = codes(seed, 1)
    sts = someone.client("sts")
    guarded = role(someone.arn, READ, condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    refused(assume, sts=sts, arn=guarded)
    assert "invalid MFA" in refused(sts.get_session_token, SerialNumber=serial, TokenCode="000000")
    refused(sts.assume_role, RoleArn=guarded, RoleSessionName="session", SerialNumber=serial, TokenCode="000000")
    plain = keys_of(sts.get_session_token()["Credentials"])
    refused(someone.client("s3", **plain).get_object, Bucket=bucket, Key="key")
    session = keys_of(sts.get_session_token(SerialNumber=serial, TokenCode=code)["Credentials"])
    assert someone.client("s3", **session).get_object(Bucket=bucket, Key="key")["ContentLength"] == 1
    assert assume(someone.client("sts", **session), guarded)


def test_mfa_with_the_request_itself_opens_a_role(client: Any, person: Any, role: Any) -> None:
    someone = person({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    serial, seed = device(client("iam"), someone.name)
    guarded = role(someone.arn, READ, condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    assert assume(someone.client("sts"), guarded, SerialNumber=serial, TokenCode=codes(seed, 1))


def device(iam: Any, user: str) -> tuple[str, bytes]:
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"d-{user}")["VirtualMFADevice"]
    seed = base64.b32decode(made["Base32StringSeed"])
    serial: str = made["SerialNumber"]
    iam.enable_mfa_device(
        UserName=user, SerialNumber=serial, AuthenticationCode1=codes(seed, -1), AuthenticationCode2=codes(seed, 0)
    )
    return serial, seed


def codes(seed: bytes, steps: int) -> str:
    """Return the code that a device shows so many steps from now."""
    return TOTP(seed, 6, SHA1(), 30).generate(int(time.time()) + 30 * steps).decode()


def test_sessions_without_mfa_may_not_use_iam(person: Any) -> None:
    someone = person(ALL)
    session = keys_of(someone.client("sts").get_session_token()["Credentials"])
    assert someone.client("sts", **session).get_caller_identity()["Arn"] == someone.arn
    assert "explicit deny" in refused(someone.client("iam", **session).list_users)
    refused(someone.client("sts", **session).get_session_token)


def test_federated_users_may_what_both_policies_allow(person: Any, bucket: str) -> None:
    someone = person(READ, {"Effect": "Allow", "Action": ["sts:GetFederationToken", "sts:TagSession"], "Resource": "*"})
    sts = someone.client("sts")
    answer = sts.get_federation_token(Name="guest", Policy=policy(ALL), Tags=[{"Key": "Team", "Value": "red"}])
    keys = keys_of(answer["Credentials"])
    assert someone.client("s3", **keys).get_object(Bucket=bucket, Key="key")["ContentLength"] == 1
    refused(someone.client("s3", **keys).put_object, Bucket=bucket, Key="a", Body=b"")
    refused(someone.client("iam", **keys).list_roles)
    nothing = keys_of(sts.get_federation_token(Name="guest")["Credentials"])
    refused(someone.client("s3", **nothing).get_object, Bucket=bucket, Key="key")
    someone.may(
        READ, {"Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": "arn:aws:sts::*:federated-user/a*"}
    )
    refused(sts.get_federation_token, Name="guest")


def test_federated_sessions_do_not_pass_to_a_later_user_of_the_name(client: Any, person: Any, bucket: str) -> None:
    someone = person(READ, {"Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": "*"})
    keys = keys_of(someone.client("sts").get_federation_token(Name="guest", Policy=policy(ALL))["Credentials"])
    assert someone.client("s3", **keys).get_object(Bucket=bucket, Key="key")["ContentLength"] == 1
    forget(client("iam"), someone)
    client("iam").create_user(UserName=someone.name)
    someone.may(ALL)
    refused(someone.client("s3", **keys).get_object, Bucket=bucket, Key="key")


def forget(iam: Any, someone: Any) -> None:
    someone.may()
    iam.delete_access_key(UserName=someone.name, AccessKeyId=someone.keys["aws_access_key_id"])
    iam.delete_user(UserName=someone.name)


def test_keys_and_sessions_end_with_their_user(client: Any, person: Any) -> None:
    someone = person(ALL)
    session = keys_of(someone.client("sts").get_session_token()["Credentials"])
    key_id, iam = someone.keys["aws_access_key_id"], client("iam")
    iam.update_access_key(UserName=someone.name, AccessKeyId=key_id, Status="Inactive")
    assert unknown(someone.client("sts")) == "InvalidClientTokenId"
    iam.update_access_key(UserName=someone.name, AccessKeyId=key_id, Status="Active")
    assert someone.client("sts", **session).get_caller_identity()["Arn"] == someone.arn
    forget(iam, someone)
    assert unknown(someone.client("sts")) == "InvalidClientTokenId"
    assert unknown(someone.client("sts", **session)) == "InvalidClientTokenId"


def test_a_session_does_not_outlive_its_users_name(client: Any, person: Any) -> None:
    own = {"Effect": "Allow", "Action": "iam:*", "Resource": "arn:aws:iam::*:user/${aws:username}"}
    someone = person(own, {"Effect": "Allow", "Action": "sts:*", "Resource": "*"})
    session = keys_of(someone.client("sts").get_session_token()["Credentials"])
    client("iam").update_user(UserName=someone.name, NewUserName=f"{someone.name}-renamed")
    client("iam").create_user(UserName=someone.name)
    assert someone.client("sts").get_caller_identity()["Arn"] == f"{someone.arn}-renamed"
    assert unknown(someone.client("sts", **session)) == "InvalidClientTokenId"


def test_sessions_end_with_their_role(client: Any, person: Any, role: Any) -> None:
    someone = person(ALL)
    arn = role(someone.arn)
    session = someone.client("sts", **assume(someone.client("sts"), arn))
    assert session.get_caller_identity()["Arn"].endswith("/session")
    client("iam").delete_role(RoleName=arn.rpartition("/")[2])
    assert unknown(session) == "InvalidClientTokenId"


def test_sessions_can_be_revoked_by_their_time_of_issue(client: Any, person: Any, role: Any) -> None:
    someone = person(ALL)
    arn = role(someone.arn, ALL)
    session = someone.client("iam", **assume(someone.client("sts"), arn))
    assert session.list_roles(MaxItems=1)["Roles"]
    old = {"DateLessThan": {"aws:TokenIssueTime": "2100-01-01T00:00:00Z"}}
    revoked = policy({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": old})
    client("iam").put_role_policy(RoleName=arn.rpartition("/")[2], PolicyName="revoked", PolicyDocument=revoked)
    assert "explicit deny" in refused(session.list_roles)


def unknown(sts: Any) -> str:
    with pytest.raises(ClientError) as error:
        sts.get_caller_identity()
    code: str = error.value.response["Error"]["Code"]
    return code


def test_passing_a_role_on_needs_its_own_permission(client: Any, person: Any, role: Any) -> None:
    name = f"p-{secrets.token_hex(4)}"
    client("iam").create_instance_profile(InstanceProfileName=name)
    someone = person({"Effect": "Allow", "Action": "iam:AddRoleToInstanceProfile", "Resource": "*"})
    arn = role(someone.arn)
    add = someone.client("iam").add_role_to_instance_profile
    request = {"InstanceProfileName": name, "RoleName": arn.rpartition("/")[2]}
    assert f"iam:PassRole on resource: {arn}" in refused(add, **request)
    to = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": arn, "Condition": to}
    someone.may({"Effect": "Allow", "Action": "iam:AddRoleToInstanceProfile", "Resource": "*"}, passing)
    add(**request)
    profile = client("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
    assert [each["Arn"] for each in profile["Roles"]] == [arn]


def test_a_refusal_can_be_decoded_by_whoever_may(person: Any, bucket: str) -> None:
    denied = {"Sid": "Never", "Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    someone = person(ALL, denied)
    with pytest.raises(ClientError) as error:
        someone.client("s3").get_object(Bucket=bucket, Key="key")
    header = error.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-authorization-message"]
    decoded = someone.client("sts").decode_authorization_message(EncodedMessage=header)["DecodedMessage"]
    told = json.loads(decoded)
    assert (told["allowed"], told["explicitDeny"]) == (False, True)
    assert told["context"]["action"] == "s3:GetObject"
    assert told["context"]["resource"] == f"arn:aws:s3:::{bucket}/key"
    assert told["matchedStatements"]["items"][0]["statementId"] == "Never"
    refused(person(READ).client("sts").decode_authorization_message, EncodedMessage=header)
