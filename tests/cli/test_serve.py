"""`headrace serve` from its start to its end, as a process: what it prints, how it stops, what it refuses."""

import http.client
import json
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from headrace.version import __version__

Headrace = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., Any]


class Upload:
    """An upload of 4 MiB of which the server has staged the first half."""

    def __init__(self, server: Any, bucket: str, key: str) -> None:
        server.client("s3").create_bucket(Bucket=bucket)
        signed = server.client("s3").generate_presigned_url("put_object", {"Bucket": bucket, "Key": key})
        place = urlsplit(signed)
        self.connection = http.client.HTTPConnection(place.netloc, timeout=30)
        self.connection.putrequest("PUT", f"{place.path}?{place.query}")
        self.connection.putheader("Content-Length", str(4 << 20))
        self.connection.endheaders()
        self.connection.send(b"a" * (2 << 20))
        self.staging = server.data / "objects" / "staging"
        deadline = time.monotonic() + 20
        while not self.left() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert self.left()

    def left(self) -> list[str]:
        return [path.name for path in self.staging.iterdir()]

    def finish(self) -> int:
        self.connection.send(b"b" * (2 << 20))
        return self.connection.getresponse().status


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_requests_in_flight_finish_and_then_it_ends(serve: Serve, number: signal.Signals) -> None:
    server = serve()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="flight")
    large = os.urandom(1 << 20) * 30
    s3.put_object(Bucket="flight", Key="down", Body=large)
    download = s3.get_object(Bucket="flight", Key="down")["Body"]
    begin = download.read(1000)
    upload = Upload(server, "flying", "up")
    server.process.send_signal(number)
    place = urlsplit(server.endpoint)
    deadline = time.monotonic() + 10
    with pytest.raises(ConnectionRefusedError):
        while time.monotonic() < deadline:
            socket.create_connection((place.hostname, place.port)).close()
            time.sleep(0.05)
    assert server.process.poll() is None
    assert begin + download.read() == large
    assert upload.finish() == 200
    upload.connection.close()
    assert server.process.wait(20) == 0
    assert not (server.data / "server.json").exists()
    assert server.log == ""
    again = serve()
    assert again.client("s3").head_object(Bucket="flying", Key="up")["ContentLength"] == 4 << 20


def test_a_second_signal_ends_at_once_and_leaves_nothing_partial(serve: Serve) -> None:
    server = serve()
    upload = Upload(server, "flying", "up")
    server.process.terminate()
    time.sleep(0.3)
    assert server.process.poll() is None
    server.process.terminate()
    assert server.process.wait(10) == 0
    assert upload.left() == []
    upload.connection.close()


def test_what_outlasts_its_grace_is_cut_off(serve: Serve) -> None:
    server = serve(environment={"HEADRACE_GRACE_SECONDS": "1"})
    place = urlsplit(server.endpoint)
    with socket.create_connection((place.hostname, place.port), timeout=20) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
        time.sleep(0.3)
        server.process.terminate()
        assert server.process.wait(15) == 0
        assert b"Internal Server Error" not in connection.recv(1000)


def test_after_a_kill_the_next_start_needs_no_repair(serve: Serve) -> None:
    server = serve()
    upload = Upload(server, "kept", "half")
    server.client("s3").put_object(Bucket="kept", Key="whole", Body=b"answered")
    server.process.kill()
    server.process.wait()
    upload.connection.close()
    assert upload.left()
    again = serve()
    assert again.credentials == server.credentials
    assert upload.left() == []
    s3 = again.client("s3")
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="kept")["Contents"]] == ["whole"]
    assert s3.get_object(Bucket="kept", Key="whole")["Body"].read() == b"answered"


def test_what_it_prints_and_never_prints(serve: Serve) -> None:
    server = serve(environment={"HEADRACE_LOG_LEVEL": "debug"})
    secret = server.credentials["aws_secret_access_key"]
    server.client("sts").get_caller_identity()
    made = server.client("iam").create_user(UserName="someone")["User"]["UserName"]
    key = server.client("iam").create_access_key(UserName=made)["AccessKey"]
    with pytest.raises(ClientError):
        server.client("s3", aws_secret_access_key="wrong" * 8).list_buckets()
    server.process.terminate()
    rest, _ = server.process.communicate(timeout=20)
    assert rest == ""
    assert server.endpoint.startswith("http://127.0.0.1:")
    for hidden in (secret, key["SecretAccessKey"], "Signature=", "wrong" * 8):
        assert hidden not in server.log
    signing_key = (server.data / "keys" / "signing.key").read_bytes()
    assert signing_key.hex() not in server.log
    lines = [json.loads(line) for line in server.log.splitlines()]
    known = {line["operation"]: line for line in lines if line["logger"] == "headrace.requests"}
    asked = known["GetCallerIdentity"]
    assert set(asked) == {
        "time", "level", "logger", "request_id", "service", "operation", "status", "milliseconds", "caller", "client"
    }  # fmt: skip
    assert (asked["service"], asked["status"], asked["client"]) == ("sts", 200, "127.0.0.1")
    assert asked["caller"].endswith(":root")
    assert known["ListBuckets"]["error"] == "SignatureDoesNotMatch"
    for path in (server.data, server.data / "keys"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (server.data / "credentials", server.data / "keys" / "signing.key", server.data / "keys" / "ca.key"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_log_as_text_and_silent(serve: Serve) -> None:
    server = serve("--log-format", "text", "--log-level", "info", name="text")
    server.client("sts").get_caller_identity()
    server.process.terminate()
    server.process.communicate(timeout=20)
    lines = server.log.splitlines()
    assert len(lines) == 1
    assert " info " in lines[0]
    assert " sts GetCallerIdentity 200 " in lines[0]
    silent = serve("--log-level", "warning", name="silent")
    silent.client("sts").get_caller_identity()
    silent.process.terminate()
    silent.process.communicate(timeout=20)
    assert silent.log == ""


@pytest.mark.parametrize("closed", ["reader gone", "closed"])
def test_nobody_need_read_what_it_prints(tmp_path: Path, closed: str) -> None:
    data = tmp_path / "data"
    command = [sys.executable, "-m", "headrace", "serve", "--data", str(data), "--port", "0", "--proxy-port", "0"]
    if closed == "closed":
        command = ["sh", "-c", 'exec "$@" >&- 2>&- <&-', "sh", *command]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.close()
    try:
        deadline = time.monotonic() + 30
        while not (data / "server.json").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert json.loads((data / "server.json").read_text())["pid"] == process.pid
        time.sleep(0.2)
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def test_a_second_server_on_the_folder_is_refused_with_the_first_one_s_process(
    serve: Serve, headrace: Headrace
) -> None:
    server = serve()
    refused = headrace("serve", "--data", server.data, "--port", "0")
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert f"is in use by process {server.process.pid}, started " in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert server.client("sts").get_caller_identity()["Account"]


def test_health_and_metrics(serve: Serve) -> None:
    import urllib.request

    server = serve()
    server.client("sts").get_caller_identity()

    def get(path: str) -> tuple[int, str]:
        with urllib.request.urlopen(server.endpoint + path, timeout=20) as answer:
            return answer.status, answer.read().decode()

    status, health = get("/healthz")
    assert (status, json.loads(health)["status"], json.loads(health)["version"]) == (200, "ok", __version__)
    status, metrics = get("/metrics")
    assert 'headrace_requests_total{operation="GetCallerIdentity",service="sts",status="200"} 1.0' in metrics
    assert "headrace_requests_open 0.0" in metrics


def test_it_allows_itself_many_connections(serve: Serve) -> None:
    soft = resource.prlimit(serve().process.pid, resource.RLIMIT_NOFILE)[0]
    assert soft == min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 65_536)


@pytest.mark.parametrize("command", [("serve",), ("env",), ("exec",), ("coverage",), ("keys", "recover")])
def test_help_shows_examples(headrace: Headrace, command: tuple[str, ...]) -> None:
    shown = headrace(*command, "--help", COLUMNS="200", TERM="dumb")
    assert shown.returncode == 0
    assert "Examples" in shown.stdout
    assert f"headrace {' '.join(command)}" in shown.stdout
