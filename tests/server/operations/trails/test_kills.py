"""Deliveries killed with SIGKILL at every step: each event is in one visible log file, and the chain holds."""

import gzip
import json
import signal
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

from headrace.cli.opening import open_platform
from headrace.server.clock import system_clock
from headrace.server.context import Context, Platform
from headrace.server.operations.storage.buckets import create_bucket
from headrace.server.operations.storage.listing import list_objects_v2
from headrace.server.operations.storage.objects import get_object
from headrace.server.operations.storage.policies import put_bucket_policy
from headrace.server.operations.trails import delivery, status, trails
from headrace.server.resources import Place
from headrace.server.security import audit
from headrace.server.security.credentials import root
from headrace.server.settings import load_settings

MINUTE, HOUR = 60_000, 3_600_000
STEPS = ["stage after", "commit before", "commit after", "put after", "logs before", "logs after", "digest after"]
BUCKET = "kills"


def context(platform: Platform, connection: Any) -> Context:
    place = Place(platform.account, "us-east-1")
    return Context(platform, connection, root(platform.account), place, system_clock(), "", lambda *_: None)


def begin(platform: Platform) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:*",
                "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
            }
        ],
    }  # fmt: skip
    with platform.metadata.writing() as connection:
        asked = context(platform, connection)
        create_bucket(asked, bucket=BUCKET)
        put_bucket_policy(asked, bucket=BUCKET, policy=json.dumps(policy))
        trails.create_trail(asked, name=BUCKET, s3_bucket_name=BUCKET, enable_log_file_validation=True)
        status.start_logging(asked, name=BUCKET)


def call(platform: Platform, name: str) -> None:
    entry = audit.Entry(root(platform.account), "sts", name, "us-east-1", platform.account, system_clock())
    with platform.metadata.writing() as connection:
        audit.record(connection, entry)


def files(platform: Platform, part: str) -> list[Any]:
    with platform.metadata.reading() as connection:
        asked = context(platform, connection)
        listed = list_objects_v2(asked, bucket=BUCKET).get("contents") or []
        found = [
            (each["key"], get_object(asked, bucket=BUCKET, key=each["key"])) for each in listed if part in each["key"]
        ]
        return [json.loads(gzip.decompress(b"".join(answer["body"]))) for _, answer in found]


def test_no_event_is_lost_or_delivered_twice_whatever_step_is_killed(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path / "data")
    now = system_clock()
    with open_platform(settings) as opened:
        begin(opened.platform)
    script = Path(__file__).parent / "delivering.py"
    for number, step in enumerate(STEPS):
        with open_platform(settings) as opened:
            call(opened.platform, f"Call{number}")
        now += HOUR + 6 * MINUTE
        command = [sys.executable, str(script), str(settings.data), str(now), step]
        killed = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert killed.returncode == -signal.SIGKILL, (step, killed.stderr)
    with open_platform(settings) as opened:
        platform = opened.platform
        for _ in range(2):
            now += HOUR + 6 * MINUTE
            delivery.deliver(platform, now)
        names = Counter(record["eventName"] for file in files(platform, "/CloudTrail/") for record in file["Records"])
        digests = sorted(files(platform, "Digest"), key=lambda digest: digest["digestEndTime"])
        named = Counter(file["s3Object"] for digest in digests for file in digest["logFiles"])
    assert names == {f"Call{number}": 1 for number in range(len(STEPS))}
    assert set(named.values()) == {1}
    assert len(named) > 1
    for earlier, later in pairwise(digests):
        assert later["previousDigestS3Object"] == earlier["digestS3Object"]
        assert later["digestStartTime"] == earlier["digestEndTime"]
