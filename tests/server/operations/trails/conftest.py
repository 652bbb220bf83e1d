"""A whole server in this process, so that tests call deliveries at times of their choosing; clients speak HTTP to it."""

import configparser
import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import uvicorn
from botocore.config import Config

from headrace.cli.assembly import application_of
from headrace.cli.opening import open_platform
from headrace.server.clock import system_clock
from headrace.server.context import Platform
from headrace.server.operations.trails.delivery import deliver
from headrace.server.settings import load_settings

MINUTE = 60_000


@dataclass
class Bench:
    """The server; `later` is how far (ms) the next delivery lies ahead of the machine's clock."""

    platform: Platform
    endpoint: str
    key: dict[str, str]
    later: int = 0
    session: Any = field(default_factory=boto3.session.Session)
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        if (service, region) not in self.clients:
            config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
            self.clients[service, region] = self.session.client(
                service, endpoint_url=self.endpoint, region_name=region, config=config, **self.key
            )
        return self.clients[service, region]

    def deliver(self, ahead: int = 6 * MINUTE) -> int:
        """Let `ahead` pass, deliver, and return the time of it."""
        self.later += ahead
        now = system_clock() + self.later
        deliver(self.platform, now)
        return now

    def bucket(self, name: str, statements: list[dict[str, Any]] | None = None) -> str:
        """Make a bucket that CloudTrail may write to, by the policy that AWS's guide gives."""
        s3 = self.client("s3")
        s3.create_bucket(Bucket=name)
        service = {"Service": "cloudtrail.amazonaws.com"}
        owner = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}}
        given = statements or [
            {"Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{name}"},
            {
                "Effect": "Allow", "Principal": service, "Action": "s3:PutObject", "Condition": owner,
                "Resource": f"arn:aws:s3:::{name}/*",
            },
        ]  # fmt: skip
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": given}))
        return name

    def trail(self, name: str, **options: Any) -> dict[str, Any]:
        """Make a bucket and a trail of the same name, which logs."""
        region = options.pop("region", "us-east-1")
        trails = self.client("cloudtrail", region)
        made = trails.create_trail(Name=name, S3BucketName=self.bucket(name), **options)
        trails.start_logging(Name=name)
        return made

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        listed = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        return [each["Key"] for each in listed.get("Contents", [])]

    def content(self, bucket: str, key: str) -> Any:
        return json.loads(gzip.decompress(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()))

    def events(self, bucket: str) -> list[dict[str, Any]]:
        """Return all records of all log files in a bucket."""
        keys = [key for key in self.keys(bucket) if "/CloudTrail/" in key]
        return [record for key in keys for record in self.content(bucket, key)["Records"]]

    def validate(self, arn: str, start: int, end: int) -> subprocess.CompletedProcess[str]:
        """Run the unmodified `aws cloudtrail validate-logs`."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": self.key["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self.key["aws_secret_access_key"],
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        when = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(each // 1000)) for each in (start, end)]
        command = [sys.executable, "-m", "awscli", "cloudtrail", "validate-logs", "--trail-arn", arn, "--verbose",
                   "--start-time", when[0], "--end-time", when[1]]  # fmt: skip
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="session")
def session_bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    data = tmp_path_factory.mktemp("trails") / "data"
    settings = load_settings(data=data, port=0)
    with open_platform(settings) as opened:
        application = application_of(opened.platform)
        config = uvicorn.Config(application, host="127.0.0.1", port=0, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            deadline = time.monotonic() + 20
            while not server.started:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            parser = configparser.ConfigParser()
            parser.read(Path(data) / "credentials")
            port = server.servers[0].sockets[0].getsockname()[1]
            yield Bench(opened.platform, f"http://127.0.0.1:{port}", dict(parser["default"]))
        finally:
            server.should_exit = True
            thread.join(20)
            application.close()


@pytest.fixture
def bench(session_bench: Bench) -> Iterator[Bench]:
    """Return the server without trails; what else earlier tests did stays in it, so names are to be new."""
    session_bench.later = 0
    yield session_bench
    for each in session_bench.client("cloudtrail").list_trails()["Trails"]:
        session_bench.client("cloudtrail", each["HomeRegion"]).delete_trail(Name=each["Name"])
