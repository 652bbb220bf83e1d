"""IAM through boto3: wire names, documents, paginators, waiters, error codes, and what policies then allow."""

import base64
import json
import time
from collections.abc import Callable
from datetime import datetime
from threading import Barrier, Thread
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READER = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
Make = Callable[..., Any]


def name(prefix: str = "x") -> str:
    return f"{prefix}-{uuid4().hex[:12]}"


def allow(*actions: str, resource: str = "*") -> dict[str, Any]:
    statement = {"Sid": "Some", "Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement]}


def code_of(call: Callable[..., Any], **parameters: Any) -> tuple[str, int]:
    """Return the error code and status of a refused call."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def iam(client: Make) -> Any:
    return client("iam")


@pytest.fixture
def signed_in(iam: Any, client: Make) -> Callable[..., Any]:
    """Return a function that makes a user with a policy, and gives clients with its key."""

    def user(user_name: str, *actions: str) -> Callable[[str], Any]:
        iam.create_user(UserName=user_name)
        if actions:
            iam.put_user_policy(UserName=user_name, PolicyName="p", PolicyDocument=json.dumps(allow(*actions)))
        key = iam.create_access_key(UserName=user_name)["AccessKey"]
        return lambda service: client(
            service, aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )

    return user


def test_users_roles_and_policies_have_aws_members(iam: Any) -> None:
    user, role, policy = name("u"), name("r"), name("p")
    made = iam.create_user(UserName=user, Path="/a/b/", Tags=[{"Key": "k", "Value": "ü @ b"}])["User"]
    assert made["Arn"].endswith(f":user/a/b/{user}")
    assert isinstance(made["CreateDate"], datetime)
    assert iam.get_user(UserName=user)["User"]["Tags"] == [{"Key": "k", "Value": "ü @ b"}]
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST), Description="für alle")
    told = iam.get_role(RoleName=role)["Role"]
    assert told["AssumeRolePolicyDocument"] == TRUST
    assert (told["MaxSessionDuration"], told["Description"]) == (3600, "für alle")
    arn = iam.create_policy(PolicyName=policy, PolicyDocument=json.dumps(allow("s3:*")))["Policy"]["Arn"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]
    assert version["Document"] == allow("s3:*")
    assert version["IsDefaultVersion"] is True
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    iam.put_role_policy(RoleName=role, PolicyName="in.line", PolicyDocument=json.dumps(allow("sqs:*")))
    assert iam.get_role_policy(RoleName=role, PolicyName="in.line")["PolicyDocument"] == allow("sqs:*")
    details = iam.get_paginator("get_account_authorization_details").paginate(Filter=["Role"]).build_full_result()
    [mine] = [each for each in details["RoleDetailList"] if each["RoleName"] == role]
    assert mine["RolePolicyList"][0]["PolicyDocument"] == allow("sqs:*")


def test_errors_have_aws_codes(iam: Any) -> None:
    user, role = name("u"), name("r")
    iam.create_user(UserName=user)
    assert code_of(iam.create_user, UserName=user) == ("EntityAlreadyExists", 409)
    assert code_of(iam.get_user, UserName=name()) == ("NoSuchEntity", 404)
    assert code_of(iam.create_role, RoleName=role, AssumeRolePolicyDocument="{}") == ("MalformedPolicyDocument", 400)
    assert code_of(iam.create_user, UserName="not/allowed") == ("ValidationError", 400)
    iam.attach_user_policy(UserName=user, PolicyArn=READER)
    assert code_of(iam.delete_user, UserName=user) == ("DeleteConflict", 409)
    for _ in range(2):
        iam.create_access_key(UserName=user)
    assert code_of(iam.create_access_key, UserName=user) == ("LimitExceeded", 409)
    duplicate = [{"Key": "a", "Value": ""}, {"Key": "A", "Value": ""}]
    assert code_of(iam.tag_user, UserName=user, Tags=duplicate) == ("InvalidInput", 400)
    assert code_of(iam.get_login_profile, UserName=user) == ("NoSuchEntity", 404)
    weak = {"UserName": user, "Password": "weak"}
    assert code_of(iam.create_login_profile, **weak) == ("PasswordPolicyViolation", 400)
    assert code_of(iam.create_saml_provider, Name="x", SAMLMetadataDocument="x" * 1000)[1] in (400, 501)


def test_boto3_paginates_and_waits(iam: Any) -> None:
    path = f"/{name()}/"
    users = sorted(name("u") for _ in range(5))
    for user in users:
        iam.create_user(UserName=user, Path=path)
    iam.get_waiter("user_exists").wait(UserName=users[0])
    pages = list(iam.get_paginator("list_users").paginate(PathPrefix=path, PaginationConfig={"PageSize": 2}))
    assert [len(page["Users"]) for page in pages] == [2, 2, 1]
    assert [each["UserName"] for page in pages for each in page["Users"]] == users
    of_aws = iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 50})
    arns = [each["Arn"] for page in of_aws for each in page["Policies"]]
    assert len(arns) == len(set(arns)) > 100
    for listing in ("list_roles", "list_groups", "list_instance_profiles", "list_virtual_mfa_devices"):
        assert list(iam.get_paginator(listing).paginate())
    role, policy, profile = name("r"), name("p"), name("i")
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.get_waiter("role_exists").wait(RoleName=role)
    arn = iam.create_policy(PolicyName=policy, PolicyDocument=json.dumps(allow("s3:*")))["Policy"]["Arn"]
    iam.get_waiter("policy_exists").wait(PolicyArn=arn)
    iam.create_instance_profile(InstanceProfileName=profile)
    iam.get_waiter("instance_profile_exists").wait(InstanceProfileName=profile)


def test_a_marker_of_another_listing_is_refused(iam: Any) -> None:
    for _ in range(2):
        iam.create_user(UserName=name("u"))
    marker = iam.list_users(MaxItems=1)["Marker"]
    assert code_of(iam.list_groups, Marker=marker)[1] == 400


def test_what_a_user_may_do_changes_at_once(iam: Any, signed_in: Callable[..., Any]) -> None:
    user, group = name("u"), name("g")
    theirs = signed_in(user)("iam")
    assert code_of(theirs.list_users) == ("AccessDenied", 403)
    iam.create_group(GroupName=group)
    iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=json.dumps(allow("iam:List*", "iam:GetUser")))
    iam.add_user_to_group(GroupName=group, UserName=user)
    assert theirs.list_users()["Users"]
    assert theirs.get_user()["User"]["UserName"] == user
    iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=READER)
    assert code_of(theirs.list_users) == ("AccessDenied", 403)
    iam.delete_user_permissions_boundary(UserName=user)
    theirs.list_users()
    iam.remove_user_from_group(GroupName=group, UserName=user)
    with pytest.raises(ClientError, match="is not authorized to perform: iam:ListUsers"):
        theirs.list_users()


def test_resources_are_authorised_with_their_paths(iam: Any, signed_in: Callable[..., Any], client: Make) -> None:
    account = client("sts").get_caller_identity()["Account"]
    user, role, other = name("u"), name("r"), name("r")
    theirs = signed_in(user)("iam")
    document = allow("iam:GetRole", resource=f"arn:aws:iam::{account}:role/team/*")
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(document))
    iam.create_role(RoleName=role, Path="/team/", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.create_role(RoleName=other, AssumeRolePolicyDocument=json.dumps(TRUST))
    assert theirs.get_role(RoleName=role)["Role"]["Path"] == "/team/"
    assert code_of(theirs.get_role, RoleName=other) == ("AccessDenied", 403)


def test_keys_stop_working_when_inactive_or_deleted(iam: Any, client: Make) -> None:
    user = name("u")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    theirs = client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    assert theirs.get_caller_identity()["Arn"].endswith(f":user/{user}")
    iam.update_user(UserName=user, NewUserName=user + "2")
    assert theirs.get_caller_identity()["Arn"].endswith(f":user/{user}2")
    iam.update_access_key(UserName=user + "2", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert code_of(theirs.get_caller_identity) == ("InvalidClientTokenId", 403)
    iam.delete_access_key(UserName=user + "2", AccessKeyId=key["AccessKeyId"])
    assert code_of(theirs.get_caller_identity) == ("InvalidClientTokenId", 403)


def test_devices_and_passwords(iam: Any) -> None:
    user = name("u")
    iam.create_user(UserName=user)
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name("d"))["VirtualMFADevice"]
    assert device["QRCodePNG"].startswith(b"\x89PNG")
    shown = TOTP(base64.b32decode(device["Base32StringSeed"]), 6, SHA1(), 30)
    now = int(time.time())
    codes = [shown.generate(now + shift).decode() for shift in (-30, 0)]
    asked = {"UserName": user, "SerialNumber": device["SerialNumber"]}
    wrong = {"AuthenticationCode1": codes[1], "AuthenticationCode2": codes[1]}
    assert code_of(iam.enable_mfa_device, **asked, **wrong) == ("InvalidAuthenticationCode", 403)
    iam.enable_mfa_device(**asked, AuthenticationCode1=codes[0], AuthenticationCode2=codes[1])
    assert iam.list_mfa_devices(UserName=user)["MFADevices"][0]["SerialNumber"] == device["SerialNumber"]
    iam.deactivate_mfa_device(**asked)
    iam.delete_virtual_mfa_device(SerialNumber=device["SerialNumber"])
    iam.create_login_profile(UserName=user, Password="Correct-horse-7", PasswordResetRequired=True)
    assert iam.get_login_profile(UserName=user)["LoginProfile"]["PasswordResetRequired"] is True


def test_reports_and_summaries(iam: Any) -> None:
    assert iam.get_account_summary()["SummaryMap"]["UsersQuota"] == 5000
    iam.generate_credential_report()
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    assert iam.get_credential_report()["Content"].startswith(b"user,arn,user_creation_time")


def test_the_simulator_answers(iam: Any) -> None:
    role = name("r")
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.attach_role_policy(RoleName=role, PolicyArn=READER)
    actions = ["s3:GetObject", "s3:PutObject"]
    results = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=actions)["EvaluationResults"]
    assert [each["EvalDecision"] for each in results] == ["allowed", "implicitDeny"]
    pages = iam.get_paginator("simulate_custom_policy").paginate(
        PolicyInputList=[json.dumps(allow("s3:*"))], ActionNames=actions, PaginationConfig={"PageSize": 1}
    )
    assert [page["EvaluationResults"][0]["EvalDecision"] for page in pages] == ["allowed", "allowed"]


def test_of_two_who_want_a_name_one_gets_it(client: Make) -> None:
    wanted, start = name("r"), Barrier(4)
    outcomes: list[str] = []

    def make(iam: Any) -> None:
        start.wait(10)
        try:
            iam.create_role(RoleName=wanted, AssumeRolePolicyDocument=json.dumps(TRUST))
            outcomes.append("made")
        except iam.exceptions.EntityAlreadyExistsException:
            outcomes.append("taken")

    threads = [Thread(target=make, args=(client("iam"),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["made", "taken", "taken", "taken"]


def test_secrets_stay_out_of_the_audit_trail(iam: Any, client: Make) -> None:
    user, password = name("u"), "Correct-horse-7"
    iam.create_user(UserName=user)
    iam.create_login_profile(UserName=user, Password=password)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]
    lookup = client("cloudtrail").get_paginator("lookup_events")
    told = "".join(event["CloudTrailEvent"] for page in lookup.paginate() for event in page["Events"])
    assert user in told
    seed = device["Base32StringSeed"].decode()
    for secret in (password, key["SecretAccessKey"], seed, base64.b64encode(seed.encode()).decode()):
        assert secret not in told


def test_the_last_use_of_keys_and_roles_is_told(iam: Any, client: Make) -> None:
    user = name("u")
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    theirs = client("sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]["ServiceName"] == "N/A"
    theirs.get_caller_identity()
    used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
    assert (used["UserName"], used["AccessKeyLastUsed"]["ServiceName"]) == (user, "sts")
    assert used["AccessKeyLastUsed"]["Region"] == "us-east-1"
