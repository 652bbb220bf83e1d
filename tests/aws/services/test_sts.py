"""STS through boto3: sessions that then sign requests, and the conditions of trust policies."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

EVERYTHING = "arn:aws:iam::aws:policy/AdministratorAccess"
Make = Callable[..., Any]


def name(prefix: str = "x") -> str:
    return f"{prefix}-{uuid4().hex[:12]}"


def policy(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def code_of(call: Callable[..., Any], **parameters: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def iam(client: Make) -> Any:
    return client("iam")


@pytest.fixture
def account(client: Make) -> str:
    found: str = client("sts").get_caller_identity()["Account"]
    return found


@pytest.fixture
def user(iam: Any, client: Make) -> tuple[str, Callable[[str], Any]]:
    """Make a user who may do everything; give its name and what makes its clients."""
    user_name = name("u")
    iam.create_user(UserName=user_name)
    iam.attach_user_policy(UserName=user_name, PolicyArn=EVERYTHING)
    key = iam.create_access_key(UserName=user_name)["AccessKey"]
    return user_name, lambda service: client(
        service, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )


@pytest.fixture
def within(client: Make) -> Callable[..., Any]:
    """Return a function that makes clients of temporary credentials."""

    def clients(answer: Any, service: str) -> Any:
        credentials = answer["Credentials"]
        return client(
            service,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )

    return clients


def trusting(iam: Any, account: str, *, condition: Any = None, actions: Any = "sts:AssumeRole", **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": actions}
    statement |= {"Condition": condition} if condition else {}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn: str = iam.create_role(RoleName=name("r"), AssumeRolePolicyDocument=document, **more)["Role"]["Arn"]
    return arn


def test_root_is_known(client: Make) -> None:
    told = client("sts").get_caller_identity()
    assert told["Arn"] == f"arn:aws:iam::{told['Account']}:root"
    assert told["UserId"] == told["Account"]


def test_a_role_is_assumed_and_its_session_signs(iam: Any, account: str, user: Any, within: Any, client: Make) -> None:
    _, theirs = user
    arn = trusting(iam, account, Path="/deep/")
    role = arn.rpartition("/")[2]
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=policy("iam:ListUsers"))
    answer = theirs("sts").assume_role(RoleArn=arn, RoleSessionName="me@work")
    told = within(answer, "sts").get_caller_identity()
    assert told["Arn"] == answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{account}:assumed-role/{role}/me@work"
    assert told["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    within(answer, "iam").list_users(MaxItems=1)
    assert code_of(within(answer, "iam").list_roles) == ("AccessDenied", 403)
    assert code_of(client("sts").assume_role, RoleArn=arn, RoleSessionName="root") == ("AccessDenied", 403)


def test_who_is_not_trusted_is_refused(iam: Any, account: str, user: Any) -> None:
    _, theirs = user
    document = json.loads(policy("sts:AssumeRole"))
    del document["Statement"][0]["Resource"]
    document["Statement"][0]["Principal"] = {"Service": "sagemaker.amazonaws.com"}
    made = iam.create_role(RoleName=name("r"), AssumeRolePolicyDocument=json.dumps(document))["Role"]
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole on resource") as caught:
        theirs("sts").assume_role(RoleArn=made["Arn"], RoleSessionName="me")
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    missing = {"RoleArn": f"arn:aws:iam::{account}:role/{name()}", "RoleSessionName": "me"}
    assert code_of(theirs("sts").assume_role, **missing) == ("AccessDenied", 403)


def test_the_external_id_must_fit(iam: Any, account: str, user: Any) -> None:
    _, theirs = user
    arn = trusting(iam, account, condition={"StringEquals": {"sts:ExternalId": "secret-7"}})
    asked = {"RoleArn": arn, "RoleSessionName": "me"}
    for wrong in ({}, {"ExternalId": "other"}):
        assert code_of(theirs("sts").assume_role, **asked, **wrong) == ("AccessDenied", 403)
    theirs("sts").assume_role(**asked, ExternalId="secret-7")


def test_tags_need_to_be_allowed(iam: Any, account: str, user: Any, within: Any) -> None:
    _, theirs = user
    untagged = trusting(iam, account)
    tags = [{"Key": "team", "Value": "red"}]
    asked = {"RoleSessionName": "me", "Tags": tags}
    assert code_of(theirs("sts").assume_role, RoleArn=untagged, **asked) == ("AccessDenied", 403)
    arn = trusting(iam, account, actions=["sts:AssumeRole", "sts:TagSession"])
    document = json.loads(policy("iam:ListUsers"))
    document["Statement"][0]["Condition"] = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    iam.put_role_policy(RoleName=arn.rpartition("/")[2], PolicyName="p", PolicyDocument=json.dumps(document))
    within(theirs("sts").assume_role(RoleArn=arn, **asked), "iam").list_users(MaxItems=1)
    plain = theirs("sts").assume_role(RoleArn=arn, RoleSessionName="me")
    assert code_of(within(plain, "iam").list_users) == ("AccessDenied", 403)


def test_durations_are_limited(iam: Any, account: str, user: Any) -> None:
    _, theirs = user
    asked = {"RoleArn": trusting(iam, account), "RoleSessionName": "me"}
    assert code_of(theirs("sts").assume_role, **asked, DurationSeconds=3601) == ("ValidationError", 400)


def test_session_policies_limit(iam: Any, account: str, user: Any, within: Any) -> None:
    _, theirs = user
    arn = trusting(iam, account)
    iam.attach_role_policy(RoleName=arn.rpartition("/")[2], PolicyArn=EVERYTHING)
    answer = theirs("sts").assume_role(RoleArn=arn, RoleSessionName="me", Policy=policy("iam:ListUsers"))
    assert answer["PackedPolicySize"] > 0
    within(answer, "iam").list_users(MaxItems=1)
    assert code_of(within(answer, "iam").list_roles) == ("AccessDenied", 403)


def test_codes_of_a_device_count_in_trust_policies(iam: Any, account: str, user: Any, within: Any) -> None:
    user_name, theirs = user
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name("d"))["VirtualMFADevice"]
    shown = TOTP(base64.b32decode(device["Base32StringSeed"]), 6, SHA1(), 30)
    now = int(time.time())
    serial = device["SerialNumber"]
    iam.enable_mfa_device(
        UserName=user_name, SerialNumber=serial,
        AuthenticationCode1=shown.generate(now - 60).decode(), AuthenticationCode2=shown.generate(now - 30).decode(),
    )  # fmt: skip
    arn = trusting(iam, account, condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    asked = {"RoleArn": arn, "RoleSessionName": "me"}
    sts = theirs("sts")
    assert code_of(sts.assume_role, **asked) == ("AccessDenied", 403)
    assert code_of(sts.assume_role, **asked, SerialNumber=serial, TokenCode="000000") == ("AccessDenied", 403)
    code = shown.generate(now - 30).decode()
    assert sts.assume_role(**asked, SerialNumber=serial, TokenCode=code)["Credentials"]
    assert code_of(sts.assume_role, **asked, SerialNumber=serial, TokenCode=code) == ("AccessDenied", 403)
    session = sts.get_session_token(SerialNumber=serial, TokenCode=shown.generate(now).decode())
    within(session, "sts").assume_role(**asked)
    within(session, "iam").list_users(MaxItems=1)


def test_sessions_of_users_and_federated_users(user: Any, within: Any) -> None:
    user_name, theirs = user
    session = theirs("sts").get_session_token(DurationSeconds=900)
    assert within(session, "sts").get_caller_identity()["Arn"].endswith(f":user/{user_name}")
    assert code_of(within(session, "iam").list_users)[1] == 403
    assert code_of(within(session, "sts").get_session_token) == ("AccessDenied", 403)
    federated = theirs("sts").get_federation_token(Name="bob", Policy=policy("s3:ListAllMyBuckets"))
    assert within(federated, "sts").get_caller_identity()["Arn"].endswith(":federated-user/bob")
    within(federated, "s3").list_buckets()
    assert code_of(within(federated, "s3").create_bucket, Bucket=name("b")) == ("AccessDenied", 403)


def test_sessions_end_with_their_user(iam: Any, client: Make, within: Any) -> None:
    user_name = name("u")
    iam.create_user(UserName=user_name)
    key = iam.create_access_key(UserName=user_name)["AccessKey"]
    theirs = client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    session = theirs.get_session_token()
    assert within(session, "sts").get_caller_identity()
    iam.delete_access_key(UserName=user_name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=user_name)
    assert code_of(within(session, "sts").get_caller_identity)[1] == 403


def test_refusals_can_be_decoded(iam: Any, client: Make) -> None:
    user_name = name("u")
    iam.create_user(UserName=user_name)
    key = iam.create_access_key(UserName=user_name)["AccessKey"]
    theirs = client("iam", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    with pytest.raises(ClientError) as caught:
        theirs.list_users()
    message = caught.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-authorization-message"]
    decoded = json.loads(client("sts").decode_authorization_message(EncodedMessage=message)["DecodedMessage"])
    assert decoded["allowed"] is False
    assert decoded["context"]["action"] == "iam:ListUsers"
    wrong = {"EncodedMessage": "made up"}
    assert code_of(client("sts").decode_authorization_message, **wrong) == ("InvalidAuthorizationMessageException", 400)


def test_the_rest(client: Make, account: str) -> None:
    sts = client("sts")
    key = sts.get_session_token()["Credentials"]["AccessKeyId"]
    assert sts.get_access_key_info(AccessKeyId=key)["Account"] == account
    root = {"TargetPrincipal": account, "TaskPolicyArn": {"arn": EVERYTHING}}
    assert code_of(sts.assume_root, **root) == ("AccessDenied", 403)
