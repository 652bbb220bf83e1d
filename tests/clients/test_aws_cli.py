"""The AWS CLI, version 1, in a shell, as the documentation shows it."""

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def bucket(server: Any, request: pytest.FixtureRequest) -> str:
    name = f"cli-{abs(hash(request.node.name)) % 10**9}"
    server.client("s3").create_bucket(Bucket=name)
    return name


EARLIER = 1_700_000_000
"""When the files were written: S3 tells times in whole seconds, so a file of the last second would be newer than itself."""


def test_files_are_copied_and_listed(server: Any, shell: Any, bucket: str, tmp_path: Path) -> None:
    large = os.urandom(20 << 20)
    (tmp_path / "large ü.bin").write_bytes(large)
    shell(f"aws s3 cp 'large ü.bin' s3://{bucket}/folder/ --no-progress")
    assert f"{len(large)} large ü.bin" in shell(f"aws s3 ls s3://{bucket}/folder/")
    shell(f"aws s3 cp 's3://{bucket}/folder/large ü.bin' back --no-progress")
    assert (tmp_path / "back").read_bytes() == large
    shell(f"aws s3 mv 's3://{bucket}/folder/large ü.bin' s3://{bucket}/moved --no-progress")
    assert server.client("s3").head_object(Bucket=bucket, Key="moved")["ContentLength"] == len(large)


def test_folders_are_kept_in_step(server: Any, shell: Any, bucket: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    for number in range(12):
        (folder / "inner" / f"{number}.txt").write_text(str(number))
        os.utime(folder / "inner" / f"{number}.txt", (EARLIER, EARLIER))
    assert shell(f"aws s3 sync folder s3://{bucket}/kept").count("upload:") == 12
    assert shell(f"aws s3 sync folder s3://{bucket}/kept") == ""
    (folder / "inner" / "3.txt").unlink()
    (folder / "inner" / "4.txt").write_text("other and longer")
    said = shell(f"aws s3 sync folder s3://{bucket}/kept --delete")
    assert (said.count("upload:"), said.count("delete:")) == (1, 1)
    shell(f"aws s3 sync s3://{bucket}/kept back")
    assert {path.name: path.read_text() for path in (tmp_path / "back/inner").iterdir()} == {
        path.name: path.read_text() for path in (folder / "inner").iterdir()
    }
    shell(f"aws s3 rb s3://{bucket} --force")
    assert bucket not in [each["Name"] for each in server.client("s3").list_buckets()["Buckets"]]


def test_a_presigned_address_opens(server: Any, shell: Any, bucket: str) -> None:
    server.client("s3").put_object(Bucket=bucket, Key="shared", Body=b"for whoever has the address")
    address = shell(f"aws s3 presign s3://{bucket}/shared --expires-in 60 --endpoint-url {server.endpoint}").strip()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=20) as answer:
        assert answer.read() == b"for whoever has the address"


def test_the_caller_is_known(server: Any, shell: Any) -> None:
    known = json.loads(shell("aws sts get-caller-identity"))
    assert known["Account"] == server.client("sts").get_caller_identity()["Account"]
