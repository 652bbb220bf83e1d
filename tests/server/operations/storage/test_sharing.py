import json
from typing import Any

import pytest

from headrace.server.errors import Denied, InvalidInput, NotFound
from headrace.server.operations.storage.access_lists import AUTHENTICATED_USERS, account_of, canonical_id
from headrace.server.operations.storage.access_logs import pending
from headrace.server.operations.storage.deliveries import deliver_access_logs
from headrace.server.operations.storage.permissions import existing_tags, granted
from headrace.server.operations.storage.policies import is_public
from headrace.server.security.credentials import ANONYMOUS, Caller, root
from headrace.server.security.policy import PolicySet, Principal, Question, evaluate

MAIN, OTHER = "111111111111", "222222222222"


def allowed(storage: Any, caller: Caller, action: str, resource: str) -> bool:
    question = Question(action, f"arn:aws:s3:::{resource}", Principal.of(caller), {}, MAIN)
    decision = evaluate(question, PolicySet())
    with storage.metadata.reading() as connection:
        return decision.allowed or granted(connection, decision, question, PolicySet())


@pytest.fixture
def shared(storage: Any) -> Any:
    storage.legacy = True
    storage.delete_bucket(bucket="bucket")
    storage.create_bucket(bucket="bucket")
    return storage


def test_canned_lists_open_buckets_and_objects(shared: Any) -> None:
    shared.put("private", b"x")
    shared.put("public", b"x", acl="public-read")
    shared.put("known", b"x", acl="authenticated-read")
    for caller, keys in ((ANONYMOUS, {"public"}), (root(OTHER), {"public", "known"})):
        for key in ("private", "public", "known", "absent"):
            assert allowed(shared, caller, "s3:GetObject", f"bucket/{key}") == (key in keys), (caller.kind, key)
        assert not allowed(shared, caller, "s3:ListBucket", "bucket")
        assert not allowed(shared, caller, "s3:PutObject", "bucket/new")
    shared.put_bucket_acl(bucket="bucket", acl="public-read-write")
    for action, resource in (
        ("s3:ListBucket", "bucket"),
        ("s3:PutObject", "bucket/new"),
        ("s3:DeleteObject", "bucket/private"),
        ("s3:GetObject", "bucket/absent"),
    ):
        assert allowed(shared, ANONYMOUS, action, resource)
    assert not allowed(shared, ANONYMOUS, "s3:GetObject", "bucket/private")
    assert not allowed(shared, ANONYMOUS, "s3:PutBucketAcl", "bucket")
    block = {"ignore_public_acls": True}
    shared.put_public_access_block(bucket="bucket", public_access_block_configuration=block)
    assert not allowed(shared, ANONYMOUS, "s3:ListBucket", "bucket")
    assert not allowed(shared, ANONYMOUS, "s3:GetObject", "bucket/public")


def test_grants_to_an_account(shared: Any) -> None:
    identity = canonical_id(OTHER)
    assert (account_of(identity), account_of(canonical_id(OTHER)[:-1] + "0"), account_of("x")) == (OTHER, None, None)
    shared.put("key", b"x", grant_read=f'id="{identity}"', grant_write_acp=f"id={identity}")
    assert allowed(shared, root(OTHER), "s3:GetObject", "bucket/key")
    assert allowed(shared, root(OTHER), "s3:PutObjectAcl", "bucket/key")
    assert not allowed(shared, root(OTHER), "s3:GetObjectAcl", "bucket/key")
    assert not allowed(shared, root("333333333333"), "s3:GetObject", "bucket/key")
    user = Caller("IAMUser", OTHER, f"arn:aws:iam::{OTHER}:user/u", "AIDA", f"arn:aws:iam::{OTHER}:user/u")
    assert not allowed(shared, user, "s3:GetObject", "bucket/key"), "the account's own policies must allow it too"
    shown = shared.get_object_acl(bucket="bucket", key="key")
    assert [each["permission"] for each in shown["grants"]] == ["READ", "WRITE_ACP"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"grant_read": "id=unknown"}, "InvalidArgument"),
        ({"grant_read": "uri=http://example.com"}, "InvalidArgument"),
        ({"grant_read": 'emailAddress="a@b.c"'}, "UnresolvableGrantByEmailAddress"),
        ({"grant_read": "anybody"}, "InvalidArgument"),
        ({"acl": "public-read", "grant_read": f"id={canonical_id(OTHER)}"}, "InvalidRequest"),
    ],
)
def test_grants_that_name_nobody(shared: Any, given: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        shared.put_bucket_acl(bucket="bucket", **given)
    assert caught.value.code == code


def test_public_lists_can_be_blocked_and_lists_be_off(shared: Any) -> None:
    block = {"block_public_acls": True}
    shared.put_public_access_block(bucket="bucket", public_access_block_configuration=block)
    with pytest.raises(Denied):
        shared.put("key", acl="public-read")
    enforced = {"rules": [{"object_ownership": "BucketOwnerEnforced"}]}
    shared.put_bucket_ownership_controls(bucket="bucket", ownership_controls=enforced)
    for call in (
        lambda: shared.put("key", acl="private"),
        lambda: shared.put_bucket_acl(bucket="bucket", acl="public-read"),
    ):
        with pytest.raises(InvalidInput) as caught:
            call()
        assert caught.value.code == "AccessControlListNotSupported"
    shared.put("key", acl="bucket-owner-full-control")


def test_a_missing_bucket_is_for_the_operation_to_tell(storage: Any) -> None:
    assert allowed(storage, root(OTHER), "s3:GetObject", "nowhere/key")
    assert allowed(storage, root(OTHER), "s3:CreateBucket", "bucket"), "it answers that the name is taken"
    assert not allowed(storage, ANONYMOUS, "s3:CreateBucket", "other")


def test_policies_see_the_tags_of_objects(storage: Any) -> None:
    storage.put("key", tagging="colour=red")
    with storage.metadata.reading() as connection:
        assert existing_tags(connection, "arn:aws:s3:::bucket/key") == {"s3:ExistingObjectTag/colour": ("red",)}
        assert existing_tags(connection, "arn:aws:s3:::bucket") == {}


def statement(**members: Any) -> str:
    whole = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [whole | members]})


def test_a_policy_is_stored_as_it_was_given(shared: Any) -> None:
    with pytest.raises(NotFound) as caught:
        shared.get_bucket_policy(bucket="bucket")
    assert caught.value.code == "NoSuchBucketPolicy"
    shared.put_bucket_policy(bucket="bucket", policy=statement())
    assert shared.get_bucket_policy(bucket="bucket") == {"policy": statement()}
    assert shared.get_bucket_policy_status(bucket="bucket") == {"policy_status": {"is_public": True}}
    shared.put_public_access_block(bucket="bucket", public_access_block_configuration={"restrict_public_buckets": True})
    shared.caller = root(OTHER)
    with pytest.raises(Denied):
        shared.list_objects_v2(bucket="bucket")
    shared.caller = root(MAIN)
    shared.delete_bucket_policy(bucket="bucket")


def test_public_policies_can_be_blocked(storage: Any) -> None:
    with pytest.raises(Denied):
        storage.put_bucket_policy(bucket="bucket", policy=statement())
    storage.put_bucket_policy(bucket="bucket", policy=statement(Principal={"AWS": OTHER}))


@pytest.mark.parametrize(
    "policy",
    [
        "no json",
        "[]",
        "{}",
        statement(Effect="Maybe"),
        statement(Action="ec2:RunInstances"),
        statement(Resource="arn:aws:s3:::elsewhere/*"),
        statement(Resource="*"),
        statement(Principal={"AWS": "arn:aws:iam::nobody:root"}),
        json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket"}]}),
        statement(Sid="x" * 21_000),
    ],
)
def test_policies_that_are_none(shared: Any, policy: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        shared.put_bucket_policy(bucket="bucket", policy=policy)
    assert caught.value.code == "MalformedPolicy"


@pytest.mark.parametrize(
    ("condition", "public"),
    [
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, False),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, True),
        ({"StringLike": {"aws:Referer": "https://example.com/*"}}, True),
    ],
)
def test_what_public_means(condition: Any, public: bool) -> None:
    assert is_public(json.loads(statement(Condition=condition))) is public


def test_access_logs_are_delivered_to_their_bucket(storage: Any) -> None:
    storage.create_bucket(bucket="logs")
    storage.put("before")
    target = {"target_bucket": "logs", "target_prefix": "of-bucket/"}
    storage.put_bucket_logging(bucket="bucket", bucket_logging_status={"logging_enabled": target})
    storage.put("a b", b"123")
    storage.get("a b")
    assert storage.run(deliver_access_logs) == 1
    assert storage.run(pending) == []
    (listed,) = storage.list_objects_v2(bucket="logs")["contents"]
    assert listed["key"].startswith("of-bucket/2025-10-09-")
    lines = storage.get(listed["key"], bucket="logs").decode().splitlines()
    assert [line.split()[7:9] for line in lines] == [["REST.PUT.OBJECT", "a%2520b"], ["REST.GET.OBJECT", "a%2520b"]]
    assert lines[0].split()[:2] == [canonical_id(MAIN), "bucket"]
    with pytest.raises(InvalidInput) as caught:
        storage.put_bucket_logging(
            bucket="bucket", bucket_logging_status={"logging_enabled": target | {"target_bucket": "nowhere"}}
        )
    assert caught.value.code == "InvalidTargetBucketForLogging"


def test_preflights(storage: Any) -> None:
    from headrace.server.operations.storage.cross_origin import answer_preflight

    def ask(**given: Any) -> Any:
        return storage.run(answer_preflight, bucket="bucket", **given)

    rules = [
        {"allowed_methods": ["PUT"], "allowed_origins": ["https://*.example"], "allowed_headers": ["x-amz-*"],
         "expose_headers": ["ETag"], "max_age_seconds": 60},
        {"allowed_methods": ["GET"], "allowed_origins": ["*"]},
    ]  # fmt: skip
    with pytest.raises(Denied, match="CORS is not enabled"):
        ask(origin="https://a.example", method="GET")
    storage.put_bucket_cors(bucket="bucket", cors_configuration={"cors_rules": rules})
    answer = ask(origin="https://a.example", method="PUT", headers="X-Amz-Date, x-amz-acl")
    assert answer["Access-Control-Allow-Origin"] == "https://a.example"
    assert answer["Access-Control-Allow-Headers"] == "x-amz-date, x-amz-acl"
    assert (answer["Access-Control-Max-Age"], answer["Access-Control-Expose-Headers"]) == ("60", "ETag")
    assert ask(origin="http://any", method="GET")["Access-Control-Allow-Origin"] == "*"
    for given in (
        {"origin": "https://a.example", "method": "PUT", "headers": "content-type"},
        {"origin": "http://any", "method": "PUT"},
    ):
        with pytest.raises(Denied) as caught:
            ask(**given)
        assert caught.value.code == "AccessForbidden"
    with pytest.raises(InvalidInput):
        ask(method="GET")
    with pytest.raises(InvalidInput, match="unsupported HTTP method"):
        rule = {"allowed_methods": ["PATCH"], "allowed_origins": ["*"]}
        storage.put_bucket_cors(bucket="bucket", cors_configuration={"cors_rules": [rule]})


def test_default_encryption_is_told_and_echoed(storage: Any) -> None:
    default = {"sse_algorithm": "aws:kms", "kms_master_key_id": "arn:aws:kms:us-east-1:111111111111:key/k"}
    rules = [{"apply_server_side_encryption_by_default": default, "bucket_key_enabled": True}]
    assert storage.put("key")["server_side_encryption"] == "AES256"
    storage.put_bucket_encryption(bucket="bucket", server_side_encryption_configuration={"rules": rules})
    assert storage.get_bucket_encryption(bucket="bucket") == {"server_side_encryption_configuration": {"rules": rules}}
    answer = storage.put("key")
    assert (answer["server_side_encryption"], answer["bucket_key_enabled"]) == ("aws:kms", True)
    assert answer["ssekms_key_id"] == default["kms_master_key_id"]
    assert storage.put("key", server_side_encryption="AES256")["server_side_encryption"] == "AES256"
    with pytest.raises(InvalidInput, match="requires HTTP header"):
        storage.put("key", ssekms_key_id="k")


def test_an_authenticated_group_is_one(shared: Any) -> None:
    grant = {"grantee": {"type": "Group", "uri": AUTHENTICATED_USERS}, "permission": "READ"}
    policy = {"owner": {"id": canonical_id(MAIN)}, "grants": [grant]}
    shared.put_bucket_acl(bucket="bucket", access_control_policy=policy)
    assert shared.get_bucket_acl(bucket="bucket")["grants"] == [grant]
    assert shared.get_bucket_policy_status(bucket="bucket")["policy_status"]["is_public"]
