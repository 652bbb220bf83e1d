"""`kill -9` of a server at work, again and again: what it answered is there, the rest is there whole or not at all."""

import hashlib
import json
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

ROUNDS = 3
BUCKET = "kept"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
Worker = Callable[["Work"], None]


@dataclass
class Work:
    """What clients do until the server dies: `answered` is what it said yes to, `removed` what it said is gone."""

    iam: Any
    s3: Any
    seed: int
    answered: dict[str, set[str]] = field(default_factory=lambda: {"user": set(), "object": set(), "key": set()})
    removed: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def run(self, worker: Worker) -> None:
        try:
            worker(self)
        except (BotoCoreError, ResponseParserError):
            return
        except ClientError as error:
            self.faults.append(str(error))


def make_users(work: Work) -> None:
    for number in count():
        name = f"user-{work.seed}-{number}"
        work.iam.create_user(UserName=name)
        work.answered["user"].add(name)
        work.iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=POLICY)
        work.answered["key"].add(work.iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"])


def body_of(key: str) -> bytes:
    return key.encode() * 20_000


def put_objects(work: Work) -> None:
    for number in count():
        key = f"object-{work.seed}-{number}"
        work.s3.put_object(Bucket=BUCKET, Key=key, Body=body_of(key))
        work.answered["object"].add(key)
        if number % 3 == 2:
            gone = f"object-{work.seed}-{number - 1}"
            work.answered["object"].remove(gone)
            work.s3.delete_object(Bucket=BUCKET, Key=gone)
            work.removed.add(gone)


def complete_uploads(work: Work) -> None:
    for number in count():
        key = f"parts-{work.seed}-{number}"
        upload = work.s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        part = {"Bucket": BUCKET, "Key": key, "UploadId": upload, "PartNumber": 1, "Body": body_of(key)}
        parts = [{"PartNumber": 1, "ETag": work.s3.upload_part(**part)["ETag"]}]
        work.s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
        work.answered["object"].add(key)


def pages(client: Any, operation: str, member: str, **parameters: Any) -> list[Any]:
    found: list[Any] = client.get_paginator(operation).paginate(**parameters).build_full_result().get(member, [])
    return found


def check_users(server: Any, answered: dict[str, set[str]]) -> None:
    """Every answered user and key is there, and the audit trail tells of each user that is there, and of no other."""
    iam, trail = server.client("iam"), server.client("cloudtrail")
    there = {user["UserName"] for user in pages(iam, "list_users", "Users")}
    assert answered["user"] <= there
    wanted = [{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}]
    events = pages(trail, "lookup_events", "Events", LookupAttributes=wanted)
    made = [json.loads(event["CloudTrailEvent"]) for event in events]
    names = [record["requestParameters"]["userName"] for record in made if "errorCode" not in record]
    assert sorted(names) == sorted(there)
    keys = {
        key["AccessKeyId"]
        for name in there
        for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
        if name.startswith("user-")
    }
    assert answered["key"] <= keys


def check_objects(server: Any, answered: set[str], removed: set[str]) -> None:
    """Every answered object is there, none that was removed, and each that is there is whole."""
    s3 = server.client("s3")
    there = {each["Key"]: each["ETag"] for each in pages(s3, "list_objects_v2", "Contents", Bucket=BUCKET)}
    assert answered <= set(there)
    assert not removed & set(there)
    for key, tag in there.items():
        body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert body == body_of(key)
        digest = hashlib.md5(body)
        assert tag.strip('"') in (digest.hexdigest(), f"{hashlib.md5(digest.digest()).hexdigest()}-1")
    open_uploads = pages(s3, "list_multipart_uploads", "Uploads", Bucket=BUCKET)
    assert len({each["UploadId"] for each in open_uploads}) == len(open_uploads)
    for each in open_uploads:
        s3.abort_multipart_upload(Bucket=BUCKET, Key=each["Key"], UploadId=each["UploadId"])


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_was_answered_outlives_kills(request: pytest.FixtureRequest, serve: Any, database: str) -> None:
    flags = ("--database", request.getfixturevalue("postgresql").create()) if database == "postgresql" else ()
    moments = random.Random(7)
    answered: dict[str, set[str]] = {"user": set(), "object": set(), "key": set()}
    removed: set[str] = set()
    server = serve(*flags)
    server.client("s3").create_bucket(Bucket=BUCKET)
    for seed in range(ROUNDS):
        work = Work(server.client("iam"), server.client("s3"), seed, answered, removed)
        threads = [
            threading.Thread(target=work.run, args=[each]) for each in (make_users, put_objects, complete_uploads)
        ]
        before = {kind: len(answered[kind]) for kind in ("user", "object")}
        for thread in threads:
            thread.start()
        threads[0].join(moments.uniform(0.1, 0.5))
        while threads[0].is_alive() and any(len(answered[kind]) == count for kind, count in before.items()):
            threads[0].join(0.05)
        server.process.kill()
        server.process.wait()
        for thread in threads:
            thread.join()
        assert not work.faults
        server = serve(*flags)
        check_users(server, answered)
        check_objects(server, answered["object"], removed)
    assert len(answered["user"]) >= ROUNDS
    assert len(answered["object"]) >= ROUNDS
    assert not list((server.data / "objects" / "staging").iterdir())
    assert server.log == ""
