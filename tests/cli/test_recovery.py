"""`headrace keys recover`: the documented way on without the signing key, from end to end."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

Headrace = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., Any]


def stop(server: Any) -> None:
    server.process.terminate()
    server.process.communicate(timeout=30)
    assert server.process.returncode == 0


def refused_start(headrace: Headrace, data: Path) -> str:
    refused = headrace("serve", "--data", data, "--port", "0", "--proxy-port", "0")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    return refused.stderr


def logging_trail(server: Any) -> None:
    s3, account = server.client("s3"), server.client("sts").get_caller_identity()["Account"]
    s3.create_bucket(Bucket="trails")
    allowed = [
        {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": action, "Resource": resource}
        for action, resource in (
            ("s3:GetBucketAcl", "arn:aws:s3:::trails"),
            ("s3:PutObject", f"arn:aws:s3:::trails/AWSLogs/{account}/*"),
        )
    ]  # fmt: skip
    s3.put_bucket_policy(Bucket="trails", Policy=json.dumps({"Version": "2012-10-17", "Statement": allowed}))
    trails = server.client("cloudtrail")
    trails.create_trail(Name="all", S3BucketName="trails", EnableLogFileValidation=True)
    trails.start_logging(Name="all")


def digests(server: Any, at_least: int) -> list[dict[str, Any]]:
    """Wait for so many digests with a signature, and return what is stored beside them."""
    s3, deadline = server.client("s3"), time.monotonic() + 30
    while True:
        keys = [
            each["Key"] for each in s3.list_objects_v2(Bucket="trails").get("Contents", []) if "-Digest" in each["Key"]
        ]
        if len(keys) >= at_least or time.monotonic() > deadline:
            return [s3.head_object(Bucket="trails", Key=key)["Metadata"] for key in keys]
        time.sleep(0.1)


def test_a_lost_signing_key(serve: Serve, headrace: Headrace) -> None:
    often = {"HEADRACE_TRAIL_SECONDS": "1", "HEADRACE_DIGEST_SECONDS": "1"}
    server = serve(environment=often)
    s3, iam = server.client("s3"), server.client("iam")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="a", Body=b"content")
    iam.create_user(UserName="someone")
    iam.attach_user_policy(UserName="someone", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    key = iam.create_access_key(UserName="someone")["AccessKey"]
    seed = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]
    now = int(time.time())
    codes = [TOTP(_decoded(seed), 6, SHA1(), 30).generate(at).decode() for at in (now - 30, now)]
    iam.enable_mfa_device(
        UserName="someone",
        SerialNumber=seed["SerialNumber"],
        AuthenticationCode1=codes[0],
        AuthenticationCode2=codes[1],
    )
    logging_trail(server)
    before = len(digests(server, 1))
    assert before
    stop(server)

    assert "there is nothing to recover" in headrace("keys", "recover", "--data", server.data).stderr
    (server.data / "keys" / "signing.key").unlink()
    assert "signing.key is missing; put it back from a backup, or run headrace keys recover" in refused_start(
        headrace, server.data
    )
    assert not (server.data / "keys" / "signing.key").exists()
    (server.data / "keys" / "signing.key").write_bytes(b"short")
    (server.data / "keys" / "signing.key").chmod(0o600)
    assert "or run headrace keys recover" in refused_start(headrace, server.data)

    done = headrace("keys", "recover", "--data", server.data)
    assert done.returncode == 0, done.stderr
    assert "has a new signing key and a new root access key" in done.stdout
    again = serve(environment=often)
    assert again.credentials != server.credentials
    assert again.credentials["aws_secret_access_key"] not in done.stdout + done.stderr
    assert again.client("s3").get_object(Bucket="kept", Key="a")["Body"].read() == b"content"
    iam = again.client("iam")
    assert [each["Status"] for each in iam.list_access_keys(UserName="someone")["AccessKeyMetadata"]] == ["Inactive"]
    assert (
        iam.list_attached_user_policies(UserName="someone")["AttachedPolicies"][0]["PolicyName"]
        == "AdministratorAccess"
    )
    assert iam.list_mfa_devices(UserName="someone")["MFADevices"] == []
    for lost in (key, {"AccessKeyId": server.credentials["aws_access_key_id"], "SecretAccessKey": "x" * 40}):
        with pytest.raises(ClientError) as refused:
            again.client(
                "sts", aws_access_key_id=lost["AccessKeyId"], aws_secret_access_key=lost["SecretAccessKey"]
            ).get_caller_identity()
        assert refused.value.response["Error"]["Code"] == "InvalidClientTokenId"
    fresh = iam.create_access_key(UserName="someone")["AccessKey"]
    known = again.client(
        "sts", aws_access_key_id=fresh["AccessKeyId"], aws_secret_access_key=fresh["SecretAccessKey"]
    ).get_caller_identity()
    assert known["Arn"].endswith("user/someone")
    assert len(digests(again, before + 1)) > before
    assert len(again.client("cloudtrail").list_public_keys()["PublicKeyList"]) == 2
    assert [each["Name"] for each in again.client("cloudtrail").list_trails()["Trails"]] == ["all"]


def _decoded(device: dict[str, Any]) -> bytes:
    import base64

    return base64.b32decode(device["Base32StringSeed"])


def test_it_needs_the_folder_for_itself(serve: Serve, headrace: Headrace) -> None:
    server = serve()
    refused = headrace("keys", "recover", "--data", server.data)
    assert refused.returncode == 2
    assert f"is in use by process {server.process.pid}" in refused.stderr


def test_there_must_be_something_to_recover(headrace: Headrace, tmp_path: Path) -> None:
    refused = headrace("keys", "recover", "--data", tmp_path / "new")
    assert refused.returncode == 2
    assert "there is no account in the data of" in refused.stderr


def test_the_metadata_may_be_elsewhere(serve: Serve, headrace: Headrace, tmp_path: Path) -> None:
    elsewhere = f"sqlite:///{tmp_path}/elsewhere.db"
    server = serve("--database", elsewhere)
    stop(server)
    (server.data / "keys" / "signing.key").unlink()
    done = headrace("keys", "recover", "--data", server.data, "--database", elsewhere)
    assert (done.returncode, done.stderr) == (0, "")
    again = serve("--database", elsewhere)
    assert again.client("sts").get_caller_identity()["Arn"].endswith(":root")
    stop(again)
