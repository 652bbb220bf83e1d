"""What users may do by the policies of their own: the same question to the server and to AWS's simulator."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

ALLOW, DENY = {"Effect": "Allow"}, {"Effect": "Deny"}
ANY = {"Resource": "*"}
REFUSALS = {"AccessDenied", "AccessDeniedException", "403"}


@dataclass
class Case:
    """A policy, a request, and the question to the policies that the request is; names begin with @."""

    id: str
    allowed: bool
    statements: list[dict[str, Any]]
    request: tuple[str, str, dict[str, Any]]
    resource: str
    action: str = ""
    context: dict[str, str | list[str]] = field(default_factory=dict)


def allow(*actions: str, on: Any = "*", where: dict[str, Any] | None = None) -> dict[str, Any]:
    return ALLOW | {"Action": list(actions), "Resource": on} | ({"Condition": where} if where else {})


def deny(*actions: str, on: Any = "*", where: dict[str, Any] | None = None) -> dict[str, Any]:
    return allow(*actions, on=on, where=where) | DENY


def get(key: str, bucket: str = "@bucket") -> tuple[str, str, dict[str, Any]]:
    return "s3", "get_object", {"Bucket": bucket, "Key": key}


def put(key: str, **parameters: Any) -> tuple[str, str, dict[str, Any]]:
    return "s3", "put_object", {"Bucket": "@bucket", "Key": key, "Body": b"x"} | parameters


def listing(**parameters: Any) -> tuple[str, str, dict[str, Any]]:
    return "s3", "list_objects_v2", {"Bucket": "@bucket"} | parameters


BUCKET, OBJECTS = "arn:aws:s3:::@bucket", "arn:aws:s3:::@bucket/"
IAM, LOGS = "arn:aws:iam::@account:", "arn:aws:logs:us-east-1:@account:log-group:"
TRAILS = "arn:aws:cloudtrail:us-east-1:@account:trail/"
ROLE = ("iam", "get_role", {"RoleName": "@role"})
NEW_ROLE = ("iam", "create_role", {"RoleName": "@new", "Path": "/team/a/", "AssumeRolePolicyDocument": "@trust"})
EVENTS = ("logs", "filter_log_events", {"logGroupName": "@group"})
TAGGED = (*NEW_ROLE[:2], NEW_ROLE[2] | {"Tags": [{"Key": "Team", "Value": "red"}]})
ON_TAGS = {"aws:RequestTag/Team": "red", "aws:TagKeys": ["Team"]}
REQUEST = {
    "aws:SourceIp": "127.0.0.1", "aws:SecureTransport": "false", "aws:RequestedRegion": "us-east-1",
    "aws:CurrentTime": "2030-01-01T00:00:00Z",
}  # fmt: skip


def given(**conditions: dict[str, Any]) -> dict[str, Any]:
    """Return a statement that allows reading objects under conditions."""
    return allow("s3:GetObject", where=conditions)


CASES = [
    Case("nothing", False, [], get("a/1"), OBJECTS + "a/1"),
    Case("key prefix", True, [allow("s3:GetObject", on=OBJECTS + "a/*")], get("a/1"), OBJECTS + "a/1"),
    Case("another key prefix", False, [allow("s3:GetObject", on=OBJECTS + "a/*")], get("b/1"), OBJECTS + "b/1"),
    Case("dots are no way out", False, [allow("s3:GetObject", on=OBJECTS + "a/*")], get("b/../a/1"), OBJECTS + "b/../a/1"),
    Case("an action in any case", True, [allow("S3:gEtObJeCt", on=OBJECTS + "a/?")], get("a/1"), OBJECTS + "a/1"),
    Case("a wildcard in the action", True, [allow("s3:Get*", on=OBJECTS + "*")], get("a/1"), OBJECTS + "a/1"),
    Case("a bucket is not its objects", False, [allow("s3:*", on=BUCKET)], get("a/1"), OBJECTS + "a/1"),
    Case("another bucket", False, [allow("s3:*", on=[BUCKET, OBJECTS + "*"])], get("a/1", "@other"), "arn:aws:s3:::@other/a/1"),
    Case("a denial wins", False, [allow("*"), deny("s3:GetObject", on=OBJECTS + "a/*")], get("a/1"), OBJECTS + "a/1"),
    Case("not these actions", True, [ALLOW | ANY | {"NotAction": "iam:*"}], get("a/1"), OBJECTS + "a/1"),
    Case("not this action", False, [ALLOW | ANY | {"NotAction": ["iam:*", "s3:Get*"]}], get("a/1"), OBJECTS + "a/1"),
    Case("not these resources", True, [ALLOW | {"Action": "s3:*", "NotResource": OBJECTS + "b/*"}], get("a/1"), OBJECTS + "a/1"),
    Case("not this resource", False, [ALLOW | {"Action": "s3:*", "NotResource": OBJECTS + "b/*"}], get("b/1"), OBJECTS + "b/1"),
    Case("the user's own folder", True, [allow("s3:GetObject", on=OBJECTS + "${aws:username}/*")], get("@person/1"), OBJECTS + "@person/1"),
    Case("another's folder", False, [allow("s3:GetObject", on=OBJECTS + "${aws:username}/*")], get("a/1"), OBJECTS + "a/1"),
    Case("a tag of the user in the key", True, [allow("s3:GetObject", on=OBJECTS + "${aws:PrincipalTag/folder}/*")], get("a/1"), OBJECTS + "a/1"),
    Case("a tag that the user lacks", False, [allow("s3:GetObject", on=OBJECTS + "${aws:PrincipalTag/none}/*")], get("a/1"), OBJECTS + "a/1"),
    Case("principal tag", True, [given(StringEquals={"aws:PrincipalTag/folder": "a"})], get("b/1"), OBJECTS + "b/1"),
    Case("another principal tag", False, [given(StringEquals={"aws:PrincipalTag/folder": "b"})], get("b/1"), OBJECTS + "b/1"),
    Case("source address", True, [given(IpAddress={"aws:SourceIp": "127.0.0.0/8"})], get("a/1"), OBJECTS + "a/1", context=REQUEST),
    Case("another source address", False, [given(NotIpAddress={"aws:SourceIp": "127.0.0.0/8"})], get("a/1"), OBJECTS + "a/1", context=REQUEST),
    Case("plain transport", True, [given(Bool={"aws:SecureTransport": "false"})], get("a/1"), OBJECTS + "a/1", context=REQUEST),
    Case("only secure transport", False, [allow("*"), deny("s3:*", where={"Bool": {"aws:SecureTransport": "false"}})], get("a/1"), OBJECTS + "a/1", context=REQUEST),
    Case("from a time on", True, [given(DateGreaterThan={"aws:CurrentTime": "2026-01-01T00:00:00Z"})], get("a/1"), OBJECTS + "a/1", context=REQUEST),
    Case("up to a time", False, [given(DateLessThan={"aws:CurrentTime": "2026-01-01T00:00:00Z"})], get("a/1"), OBJECTS + "a/1", context=REQUEST),
    Case("the region", True, [given(StringEquals={"aws:RequestedRegion": ["eu-west-1", "us-east-1"]})], get("a/1"), OBJECTS + "a/1", context=REQUEST),
    Case("another region", False, [given(StringEquals={"aws:RequestedRegion": "eu-west-1"})], get("a/1"), OBJECTS + "a/1", context=REQUEST),
    Case("the user agent", True, [given(StringLike={"aws:UserAgent": "*Boto3*"})], get("a/1"), OBJECTS + "a/1", context={"aws:UserAgent": "Boto3/1"}),
    Case("another user agent", False, [given(StringLike={"aws:UserAgent": "curl*"})], get("a/1"), OBJECTS + "a/1", context={"aws:UserAgent": "Boto3/1"}),
    Case("no MFA in a long-lived key", False, [given(Bool={"aws:MultiFactorAuthPresent": "true"})], get("a/1"), OBJECTS + "a/1"),
    Case("MFA if it can be told", True, [given(BoolIfExists={"aws:MultiFactorAuthPresent": "true"})], get("a/1"), OBJECTS + "a/1"),
    Case("signature in a header", True, [given(StringEquals={"s3:authType": "REST-HEADER"})], get("a/1"), OBJECTS + "a/1", context={"s3:authType": "REST-HEADER"}),
    Case("only signed URLs", False, [given(StringEquals={"s3:authType": "REST-QUERY-STRING"})], get("a/1"), OBJECTS + "a/1", context={"s3:authType": "REST-HEADER"}),
    Case("signature version", True, [given(StringEquals={"s3:signatureversion": "AWS4-HMAC-SHA256"})], get("a/1"), OBJECTS + "a/1", context={"s3:signatureversion": "AWS4-HMAC-SHA256"}),
    Case("a young signature", True, [given(NumericLessThan={"s3:signatureAge": "600000"})], get("a/1"), OBJECTS + "a/1", context={"s3:signatureAge": "12"}),
    Case("no TLS", False, [given(NumericGreaterThanEquals={"s3:TlsVersion": "1.2"})], get("a/1"), OBJECTS + "a/1"),
    Case("the account of the resource", True, [given(StringEquals={"aws:ResourceAccount": "@account"})], get("a/1"), OBJECTS + "a/1", context={"aws:ResourceAccount": "@account"}),
    Case("another account of the resource", False, [given(StringNotEquals={"aws:ResourceAccount": "@account"})], get("a/1"), OBJECTS + "a/1", context={"aws:ResourceAccount": "@account"}),
    Case("an object's tag", True, [given(StringEquals={"s3:ExistingObjectTag/kind": "open"})], get("a/1"), OBJECTS + "a/1", context={"s3:ExistingObjectTag/kind": "open"}),
    Case("an object without the tag", False, [given(StringEquals={"s3:ExistingObjectTag/kind": "open"})], get("b/1"), OBJECTS + "b/1"),
    Case("a version", False, [allow("s3:GetObject")], ("s3", "get_object", {"Bucket": "@bucket", "Key": "a/1", "VersionId": "null"}), OBJECTS + "a/1", action="s3:GetObjectVersion"),
    Case("prefix", True, [allow("s3:ListBucket", where={"StringLike": {"s3:prefix": "a/*"}})], listing(Prefix="a/1"), BUCKET, context={"s3:prefix": "a/1"}),
    Case("another prefix", False, [allow("s3:ListBucket", where={"StringLike": {"s3:prefix": "a/*"}})], listing(Prefix="b/"), BUCKET, context={"s3:prefix": "b/"}),
    Case("no prefix", False, [allow("s3:ListBucket", where={"StringLike": {"s3:prefix": "a/*"}})], listing(), BUCKET),
    Case("delimiter", True, [allow("s3:ListBucket", where={"StringEquals": {"s3:delimiter": "/"}})], listing(Delimiter="/"), BUCKET, context={"s3:delimiter": "/"}),
    Case("few keys", True, [allow("s3:ListBucket", where={"NumericLessThanEquals": {"s3:max-keys": "10"}})], listing(MaxKeys=5), BUCKET, context={"s3:max-keys": "5"}),
    Case("too many keys", False, [allow("s3:ListBucket", where={"NumericLessThanEquals": {"s3:max-keys": "10"}})], listing(MaxKeys=50), BUCKET, context={"s3:max-keys": "50"}),
    Case("an access list", False, [allow("s3:PutObject*"), deny("s3:PutObject", where={"StringEquals": {"s3:x-amz-acl": "public-read"}})], put("c/1", ACL="public-read"), OBJECTS + "c/1", context={"s3:x-amz-acl": "public-read"}),
    Case("encrypted", True, [allow("s3:PutObject", where={"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}})], put("c/2", ServerSideEncryption="AES256"), OBJECTS + "c/2", context={"s3:x-amz-server-side-encryption": "AES256"}),
    Case("not encrypted", False, [allow("s3:*"), deny("s3:PutObject", where={"Null": {"s3:x-amz-server-side-encryption": "true"}})], put("c/2"), OBJECTS + "c/2"),
    Case("tags of a new object", True, [allow("s3:PutObject*", where={"StringEquals": {"s3:RequestObjectTag/kind": "open"}})], put("c/3", Tagging="kind=open"), OBJECTS + "c/3", context={"s3:RequestObjectTag/kind": "open", "s3:RequestObjectTagKeys": ["kind"]}),
    Case("writing without tagging", False, [allow("s3:PutObject")], put("c/4", Tagging="kind=open"), OBJECTS + "c/4", action="s3:PutObjectTagging"),
    Case("a storage class", False, [allow("s3:PutObject", where={"StringEquals": {"s3:x-amz-storage-class": "STANDARD"}})], put("c/5", StorageClass="STANDARD_IA"), OBJECTS + "c/5", context={"s3:x-amz-storage-class": "STANDARD_IA"}),
    Case("an IAM path", True, [allow("iam:GetRole", on=IAM + "role/team/*")], ROLE, IAM + "role/team/a/@role"),
    Case("another IAM path", False, [allow("iam:GetRole", on=IAM + "role/other/*")], ROLE, IAM + "role/team/a/@role"),
    Case("a name without its path", False, [allow("iam:GetRole", on=IAM + "role/@role")], ROLE, IAM + "role/team/a/@role"),
    Case("a role's tag", True, [allow("iam:GetRole", where={"StringEquals": {"aws:ResourceTag/Team": "red"}})], ROLE, IAM + "role/team/a/@role", context={"aws:ResourceTag/Team": "red"}),
    Case("a role's tag by IAM's key", True, [allow("iam:GetRole", where={"StringEquals": {"iam:ResourceTag/Team": "red"}})], ROLE, IAM + "role/team/a/@role", context={"iam:ResourceTag/Team": "red"}),
    Case("a role's other tag", False, [allow("iam:GetRole", where={"StringEquals": {"iam:ResourceTag/Team": "blue"}})], ROLE, IAM + "role/team/a/@role", context={"iam:ResourceTag/Team": "red"}),
    Case("tag of role and user", True, [allow("iam:GetRole", where={"StringEquals": {"aws:ResourceTag/Folder": "${aws:PrincipalTag/folder}"}})], ROLE, IAM + "role/team/a/@role", context={"aws:ResourceTag/Folder": "a"}),
    Case("making a role in a path", True, [allow("iam:CreateRole", on=IAM + "role/team/*")], NEW_ROLE, IAM + "role/team/a/@new"),
    Case("making a role elsewhere", False, [allow("iam:CreateRole", on=IAM + "role/other/*")], NEW_ROLE, IAM + "role/team/a/@new"),
    Case("making a tagged role", True, [allow("iam:CreateRole", "iam:TagRole", where={"StringEquals": {"aws:RequestTag/Team": "red"}})], TAGGED, IAM + "role/team/a/@new", context=ON_TAGS),
    Case("making a role with another tag", False, [allow("iam:CreateRole", "iam:TagRole", where={"StringEquals": {"aws:RequestTag/Team": "blue"}})], TAGGED, IAM + "role/team/a/@new", context=ON_TAGS),
    Case("only known tag keys", False, [allow("iam:CreateRole", "iam:TagRole", where={"ForAllValues:StringEquals": {"aws:TagKeys": ["Cost"]}})], TAGGED, IAM + "role/team/a/@new", context=ON_TAGS),
    Case("tags need their own action", False, [allow("iam:CreateRole")], TAGGED, IAM + "role/team/a/@new", action="iam:TagRole", context=ON_TAGS),
    Case("a boundary is asked for", False, [allow("iam:CreateRole", where={"ArnLike": {"iam:PermissionsBoundary": IAM + "policy/limit"}})], NEW_ROLE, IAM + "role/team/a/@new"),
    Case("the user itself", True, [allow("iam:ListAccessKeys", on=IAM + "user/${aws:username}")], ("iam", "list_access_keys", {}), "@arn"),
    Case("which policy", True, [allow("iam:AttachRolePolicy", where={"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}})], ("iam", "attach_role_policy", {"RoleName": "@role", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}), IAM + "role/team/a/@role", context={"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}),
    Case("not that policy", False, [allow("iam:AttachRolePolicy", where={"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}})], ("iam", "attach_role_policy", {"RoleName": "@role", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}), IAM + "role/team/a/@role", context={"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    Case("only entities with the boundary", True, [allow("iam:PutRolePolicy", where={"ArnEquals": {"iam:PermissionsBoundary": IAM + "policy/@limit"}})], ("iam", "put_role_policy", {"RoleName": "@bounded", "PolicyName": "p", "PolicyDocument": "@nothing"}), IAM + "role/@bounded", context={"iam:PermissionsBoundary": IAM + "policy/@limit"}),
    Case("an entity without the boundary", False, [allow("iam:PutRolePolicy", where={"ArnEquals": {"iam:PermissionsBoundary": IAM + "policy/@limit"}})], ("iam", "put_role_policy", {"RoleName": "@role", "PolicyName": "p", "PolicyDocument": "@nothing"}), IAM + "role/team/a/@role"),
    Case("a log group", True, [allow("logs:FilterLogEvents", on=LOGS + "@group:*")], EVENTS, LOGS + "@group:log-stream:"),
    Case("another log group", False, [allow("logs:FilterLogEvents", on=LOGS + "@group-2:*")], EVENTS, LOGS + "@group:log-stream:"),
    Case("a log group by ARN", False, [allow("logs:FilterLogEvents"), deny("logs:*", on=LOGS + "@group:*")], ("logs", "filter_log_events", {"logGroupIdentifier": LOGS + "@group"}), LOGS + "@group:log-stream:"),
    Case("tags of a log group", False, [allow("logs:*"), deny("logs:TagResource", on=LOGS + "@group")], ("logs", "tag_resource", {"resourceArn": "@group", "tags": {"a": "b"}}), LOGS + "@group"),
    Case("a trail", True, [allow("cloudtrail:GetTrailStatus", on=TRAILS + "@trail")], ("cloudtrail", "get_trail_status", {"Name": "@trail"}), TRAILS + "@trail"),
    Case("a trail by ARN", True, [allow("cloudtrail:GetTrailStatus", on=TRAILS + "@trail")], ("cloudtrail", "get_trail_status", {"Name": TRAILS + "@trail"}), TRAILS + "@trail"),
    Case("another trail", False, [allow("cloudtrail:GetTrailStatus", on=TRAILS + "x*")], ("cloudtrail", "get_trail_status", {"Name": "@trail"}), TRAILS + "@trail"),
    Case("a namespace of metrics", True, [allow("cloudwatch:PutMetricData", where={"StringEquals": {"cloudwatch:namespace": "Ours"}})], ("cloudwatch", "put_metric_data", {"Namespace": "Ours", "MetricData": [{"MetricName": "m", "Value": 1}]}), "*", context={"cloudwatch:namespace": "Ours"}),
    Case("another namespace", False, [allow("cloudwatch:PutMetricData", where={"StringEquals": {"cloudwatch:namespace": "Ours"}})], ("cloudwatch", "put_metric_data", {"Namespace": "Theirs", "MetricData": [{"MetricName": "m", "Value": 1}]}), "*", context={"cloudwatch:namespace": "Theirs"}),
]  # fmt: skip


@dataclass
class World:
    """A user, what it may ask for, and the names of these."""

    person: Any
    root: Any
    names: dict[str, str]

    def named(self, value: Any) -> Any:
        """Return a value with the names in place of those that begin with @."""
        if isinstance(value, str):
            for name in sorted(self.names, key=len, reverse=True):
                value = value.replace(name, self.names[name])
            return value
        if isinstance(value, dict):
            return {self.named(key): self.named(each) for key, each in value.items()}
        return [self.named(each) for each in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def world(server: Any) -> World:
    mark = secrets.token_hex(4)
    iam, s3 = server.client("iam"), server.client("s3")
    trust = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"}
    names = {
        "@trust": json.dumps({"Version": "2012-10-17", "Statement": trust}),
        "@nothing": json.dumps({"Version": "2012-10-17", "Statement": deny("*")}),
        "@account": server.client("sts").get_caller_identity()["Account"],
        "@person": f"mia-{mark}",
        **{f"@{name}": f"{name}-{mark}" for name in ("bucket", "other", "role", "group", "trail", "limit", "bounded")},
        "@new": f"new-{mark}",
    }
    for bucket in (names["@bucket"], names["@other"]):
        s3.create_bucket(Bucket=bucket)
        for key in ("a/1", "b/1", f"{names['@person']}/1", "b/../a/1"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"x", Tagging="kind=open" if key == "a/1" else "")
    limit = iam.create_policy(PolicyName=names["@limit"], PolicyDocument=names["@nothing"])["Policy"]["Arn"]
    iam.create_role(RoleName=names["@bounded"], AssumeRolePolicyDocument=names["@trust"], PermissionsBoundary=limit)
    iam.create_role(
        RoleName=names["@role"],
        Path="/team/a/",
        AssumeRolePolicyDocument=names["@trust"],
        Tags=[{"Key": "Team", "Value": "red"}, {"Key": "Folder", "Value": "a"}],
    )
    server.client("logs").create_log_group(logGroupName=names["@group"])
    allow_trails(s3, names["@other"])
    server.client("cloudtrail").create_trail(Name=names["@trail"], S3BucketName=names["@other"])
    user = iam.create_user(UserName=names["@person"], Tags=[{"Key": "folder", "Value": "a"}])["User"]
    names["@arn"] = user["Arn"]
    key = iam.create_access_key(UserName=names["@person"])["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return World(
        {name: server.client(name, **keys) for name in ("s3", "iam", "logs", "cloudtrail", "cloudwatch")}, iam, names
    )


def allow_trails(s3: Any, bucket: str) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
    on = {"s3:GetBucketAcl": f"arn:aws:s3:::{bucket}", "s3:PutObject": f"arn:aws:s3:::{bucket}/*"}
    statements = [statement | {"Action": action, "Resource": resource} for action, resource in on.items()]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_server_does_what_the_simulator_says(world: World, case: Case) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": world.named(case.statements) or [deny("sqs:*")]})
    world.root.put_user_policy(UserName=world.names["@person"], PolicyName="own", PolicyDocument=document)
    service, operation, parameters = case.request
    code = ""
    try:
        getattr(world.person[service], operation)(**world.named(parameters))
    except ClientError as error:
        code = error.response["Error"]["Code"]
    finally:
        clear(world, operation)
    assert code == "" if case.allowed else code in REFUSALS
    simulated = world.root.simulate_principal_policy(
        PolicySourceArn=world.names["@arn"],
        ActionNames=[case.action or f"{service}:{action_of(operation)}"],
        ResourceArns=[world.named(case.resource)],
        ContextEntries=[entry(world.named(name), world.named(value)) for name, value in case.context.items()],
    )["EvaluationResults"][0]["EvalDecision"]
    assert (simulated == "allowed") is case.allowed


def action_of(operation: str) -> str:
    named = {"list_objects_v2": "ListBucket"}
    return named.get(operation) or operation.title().replace("_", "")


def entry(name: str, value: Any) -> dict[str, Any]:
    kinds = {
        "aws:SourceIp": "ip",
        "aws:SecureTransport": "boolean",
        "aws:CurrentTime": "date",
        "s3:max-keys": "numeric",
    }
    values = value if isinstance(value, list) else [value]
    kind = "stringList" if isinstance(value, list) else kinds.get(name, "string")
    return {"ContextKeyName": name, "ContextKeyValues": values, "ContextKeyType": kind}


def clear(world: World, operation: str) -> None:
    """Undo what one case leaves for the next."""
    if operation == "create_role":
        try:
            world.root.delete_role(RoleName=world.names["@new"])
        except world.root.exceptions.NoSuchEntityException:
            return
