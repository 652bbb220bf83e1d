"""What buckets allow by policies of their own: users, root, everybody, signed URLs, single keys of one request."""

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

NOBODY = Config(signature_version=UNSIGNED, s3={"addressing_style": "path"}, retries={"max_attempts": 0})


@pytest.fixture
def s3(client: Callable[..., Any]) -> Any:
    return client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"b-{secrets.token_hex(6)}"
    s3.create_bucket(Bucket=name)
    s3.delete_public_access_block(Bucket=name)
    for key in ("open/1", "closed/1"):
        s3.put_object(Bucket=name, Key=key, Body=b"x")
    return name


@pytest.fixture
def nobody(client: Callable[..., Any]) -> Any:
    return client("s3", config=NOBODY, aws_access_key_id=None, aws_secret_access_key=None)


def let(s3: Any, bucket: str, *statements: dict[str, Any]) -> None:
    """Give a bucket a policy, with the bucket in place of @."""
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    s3.put_bucket_policy(Bucket=bucket, Policy=text.replace("@", f"arn:aws:s3:::{bucket}"))


def allow(who: Any, action: str, on: str = "@/*", **conditions: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": who, "Action": action, "Resource": on}
    return statement | ({"Condition": conditions} if conditions else {})


def read(s3: Any, bucket: str, key: str = "open/1") -> bool:
    """Tell whether a client may read an object."""
    try:
        return bool(s3.get_object(Bucket=bucket, Key=key)["ContentLength"])
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDenied", error
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        return False


def test_a_bucket_lets_a_user_in_without_a_policy_of_its_own(s3: Any, bucket: str, person: Any) -> None:
    someone, other = person(), person()
    assert not read(someone.client("s3"), bucket)
    let(s3, bucket, allow({"AWS": someone.arn}, "s3:GetObject", "@/open/*"))
    assert read(someone.client("s3"), bucket)
    assert not read(someone.client("s3"), bucket, "closed/1")
    assert not read(other.client("s3"), bucket)


def test_a_bucket_of_the_account_leaves_it_to_the_users_policies(s3: Any, bucket: str, person: Any) -> None:
    someone = person()
    let(s3, bucket, allow({"AWS": f"arn:aws:iam::{someone.arn.split(':')[4]}:root"}, "s3:GetObject"))
    assert not read(someone.client("s3"), bucket)
    someone.may({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
    assert read(someone.client("s3"), bucket)


def test_a_denial_binds_administrators_and_root_who_may_lift_it(s3: Any, bucket: str, person: Any) -> None:
    someone = person({"Effect": "Allow", "Action": "*", "Resource": "*"})
    let(s3, bucket, {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["@", "@/*"]})
    assert not read(someone.client("s3"), bucket)
    assert not read(s3, bucket)
    for call in (someone.client("s3").delete_bucket_policy, s3.list_objects_v2):
        with pytest.raises(ClientError, match="AccessDenied"):
            call(Bucket=bucket)
    assert "Deny" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=bucket)
    assert read(s3, bucket)


def test_everybody_reads_what_is_public_and_no_more(s3: Any, bucket: str, nobody: Any, person: Any) -> None:
    assert not read(nobody, bucket)
    let(s3, bucket, allow("*", "s3:GetObject", "@/open/*"))
    assert read(nobody, bucket)
    assert read(person().client("s3"), bucket)
    assert not read(nobody, bucket, "closed/1")
    for refused in (nobody.list_objects_v2, nobody.get_bucket_policy, nobody.delete_bucket):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused(Bucket=bucket)
    with pytest.raises(ClientError, match="AccessDenied"):
        nobody.put_object(Bucket=bucket, Key="open/2", Body=b"")
    s3.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True, "BlockPublicPolicy": True}
    )
    assert not read(nobody, bucket)
    assert not read(nobody, bucket, "closed/1")
    with pytest.raises(ClientError, match="AccessDenied"):
        let(s3, bucket, allow("*", "s3:GetObject"))


def test_everybody_under_a_condition(s3: Any, bucket: str, nobody: Any) -> None:
    here = {"IpAddress": {"aws:SourceIp": "127.0.0.1"}}
    let(s3, bucket, allow("*", "s3:GetObject", "@/open/*", **here), allow("*", "s3:GetObject", "@/closed/*", Bool={"aws:SecureTransport": "true"}))  # fmt: skip
    assert read(nobody, bucket)
    assert not read(nobody, bucket, "closed/1")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "10.0.0.1"}, {"Forwarded": "for=10.0.0.1;proto=https"}, {"X-Forwarded-Proto": "https"},
        {"X-Real-IP": "10.0.0.1"}, {"X-HTTP-Method-Override": "DELETE"}, {"X-Forwarded-Host": "other"},
        {"x-amz-source-ip": "10.0.0.1"}, {"Referer": "https://trusted.example/page"},
    ],
)  # fmt: skip
def test_what_clients_say_of_themselves_does_not_count(
    server: Any, s3: Any, bucket: str, headers: dict[str, str]
) -> None:
    let(
        s3,
        bucket,
        allow("*", "s3:GetObject", "@/open/*", IpAddress={"aws:SourceIp": "10.0.0.0/8"}),
        allow("*", "s3:GetObject", "@/open/*", Bool={"aws:SecureTransport": "true"}),
        allow("*", "s3:DeleteObject", "@/open/*"),
    )
    answer = urllib3.request("GET", f"{server.endpoint}/{bucket}/open/1", headers=headers)
    assert answer.status == 403
    assert read(s3, bucket)


def test_signed_urls_only(s3: Any, bucket: str, person: Any) -> None:
    someone = person()
    let(s3, bucket, allow({"AWS": someone.arn}, "s3:GetObject", StringEquals={"s3:authType": "REST-QUERY-STRING"}))
    assert not read(someone.client("s3"), bucket)
    url = someone.client("s3").generate_presigned_url("get_object", {"Bucket": bucket, "Key": "open/1"})
    assert urllib3.request("GET", url).status == 200
    assert urllib3.request("GET", url.replace("open/1", "closed/1")).status == 403
    assert urllib3.request("DELETE", url).status == 403
    assert urllib3.request("GET", url + "&versionId=null").status == 403


def test_a_signed_url_may_no_more_than_its_signer(s3: Any, bucket: str, person: Any) -> None:
    someone = person({"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/open/*"})
    url = someone.client("s3").generate_presigned_url("get_object", {"Bucket": bucket, "Key": "open/1"})
    assert urllib3.request("GET", url).status == 200
    someone.may()
    assert urllib3.request("GET", url).status == 403


def test_many_deletions_are_allowed_key_by_key(s3: Any, bucket: str, person: Any) -> None:
    someone = person({"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{bucket}/open/*"})
    keys = ["open/1", "closed/1", "open/none"]
    answer = someone.client("s3").delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert [each["Key"] for each in answer["Deleted"]] == ["open/1", "open/none"]
    assert [(each["Key"], each["Code"]) for each in answer["Errors"]] == [("closed/1", "AccessDenied")]
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["closed/1"]


def test_versions_are_deleted_by_their_own_action(s3: Any, bucket: str, person: Any) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="open/1", Body=b"2")["VersionId"]
    someone = person({"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "*"})
    objects = [{"Key": "open/1", "VersionId": version}, {"Key": "open/1"}]
    answer = someone.client("s3").delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert [each["Code"] for each in answer["Errors"]] == ["AccessDenied"]
    assert [each["DeleteMarker"] for each in answer["Deleted"]] == [True]
    assert s3.get_object(Bucket=bucket, Key="open/1", VersionId=version)["Body"].read() == b"2"


def test_nobody_deletes_many_of_a_public_bucket(s3: Any, bucket: str, nobody: Any) -> None:
    let(s3, bucket, allow("*", "s3:*"))
    with pytest.raises(ClientError, match="AccessDenied"):
        nobody.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "open/1"}]})
    assert read(s3, bucket)


def copying(someone: Any, source: str) -> Any:
    """Return a client whose copies name their source as it is written here, which boto3 would encode."""
    s3 = someone.client("s3")

    def write(params: dict[str, Any], **_: Any) -> None:
        params["headers"]["x-amz-copy-source"] = source

    for operation in ("CopyObject", "UploadPartCopy"):
        s3.meta.events.register(f"before-call.s3.{operation}", write)
    return s3


@pytest.mark.parametrize(
    "source", ["{}/closed/1", "/{}/closed/1", "{}/closed%2F1", "{}/cl%6Fsed/1", "{}/closed/1?versionId=null"]
)
@pytest.mark.parametrize("may", ["open", "closed"])
def test_copies_need_the_right_to_read_their_source(
    server: Any, s3: Any, bucket: str, person: Any, source: str, may: str
) -> None:
    actions = ["s3:GetObject", "s3:GetObjectVersion"]
    reading = {"Effect": "Allow", "Action": actions, "Resource": f"arn:aws:s3:::{bucket}/{may}/*"}
    writing = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/open/*"}
    client = copying(person(reading, writing), source.format(bucket))
    request = {"Bucket": bucket, "Key": "open/copy", "CopySource": "as/written"}
    upload = client.create_multipart_upload(Bucket=bucket, Key="open/part")["UploadId"]
    part = {**request, "Key": "open/part", "UploadId": upload, "PartNumber": 1}
    for copy, parameters in ((client.copy_object, request), (client.upload_part_copy, part)):
        if may == "closed":
            assert copy(**parameters)["ResponseMetadata"]["HTTPStatusCode"] == 200
        else:
            with pytest.raises(ClientError, match="AccessDenied"):
                copy(**parameters)


@pytest.mark.parametrize(
    "query", ["?x=1&versionId=", "?%76ersionId=", "?versionId={}&versionId=", "?versionId=&versionId=", "?versionId="]
)
def test_the_version_that_is_copied_is_the_one_that_was_asked_for(
    s3: Any, bucket: str, person: Any, query: str
) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="closed/1", Body=b"new")
    reading = {"Effect": "Allow", "Action": "s3:GetObjectVersion", "Resource": "*"}
    someone = person(reading, {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"})
    source = f"{bucket}/closed/1{query.format('null')}" + ("null" if query != "?versionId=" else "")
    try:
        copying(someone, source).copy_object(Bucket=bucket, Key="open/copy", CopySource="as/written")
    except ClientError as error:
        assert error.response["Error"]["Code"] in ("AccessDenied", "NoSuchVersion", "InvalidArgument")
        return
    assert s3.get_object(Bucket=bucket, Key="open/copy")["Body"].read() == b"x", "the newest is not theirs to read"


def test_parts_go_into_uploads_of_their_own_key_only(s3: Any, bucket: str, person: Any) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="closed/2")["UploadId"]
    on_open = f"arn:aws:s3:::{bucket}/open/*"
    someone = person({"Effect": "Allow", "Action": "s3:*", "Resource": on_open}).client("s3")
    named = {"Bucket": bucket, "Key": "open/2", "UploadId": upload}
    for call, parameters in (
        (someone.upload_part, {**named, "PartNumber": 1, "Body": b"x"}),
        (someone.list_parts, named),
        (someone.abort_multipart_upload, named),
        (someone.complete_multipart_upload, {**named, "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "x"}]}}),
    ):
        with pytest.raises(ClientError, match="NoSuchUpload"):
            call(**parameters)
