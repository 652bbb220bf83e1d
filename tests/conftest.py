"""A running server, and clients of it, for every room's tests."""

import configparser
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest


@dataclass
class RunningServer:
    """A `headrace serve` of its own process; `credentials` are its root user's."""

    endpoint: str
    proxy: str
    data: Path
    process: subprocess.Popen[str]
    credentials: dict[str, str]
    clients: dict[Any, Any] = field(default_factory=dict)

    @property
    def log(self) -> str:
        """What the server wrote to standard error."""
        return (self.data.parent / f"{self.data.name}.log").read_text()

    def client(self, service: str, **options: Any) -> Any:
        """Return a boto3 client of the root user, or with `options` of boto3's own."""
        from botocore.config import Config

        arguments = {
            "endpoint_url": self.endpoint,
            "region_name": "us-east-1",
            "aws_access_key_id": self.credentials["aws_access_key_id"],
            "aws_secret_access_key": self.credentials["aws_secret_access_key"],
            "config": Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        } | options
        return models().client(service, **arguments)


@cache
def models() -> Any:
    """Return the boto3 session of all clients: it reads each service's model once."""
    import boto3

    return boto3.session.Session()


def start_server(data: Path, *flags: str, environment: dict[str, str] | None = None) -> RunningServer:
    """Start `headrace serve` on a free port and wait until it listens; the caller stops its process."""
    command = [sys.executable, "-m", "headrace", "serve", "--data", str(data), "--port", "0", "--proxy-port", "0"]
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HEADRACE_", "HTTP"))
    } | {"HEADRACE_LOG_LEVEL": "warning"}
    with (data.parent / f"{data.name}.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, *flags], stdout=subprocess.PIPE, stderr=log, text=True, env=variables | (environment or {})
        )
    assert process.stdout is not None
    said: dict[str, str] = {}
    while (line := process.stdout.readline()) != "\n":
        assert line, f"the server stopped: {(data.parent / f'{data.name}.log').read_text()}"
        name, _, value = line.partition(": ")
        said[name.strip()] = value.strip()
    parser = configparser.ConfigParser()
    parser.read(data / "credentials")
    return RunningServer(said["endpoint"], said.get("proxy", ""), data, process, dict(parser["default"]))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Start one server for all tests of this process; tests use names of their own and never expect it empty."""
    running = start_server(tmp_path_factory.mktemp("server") / "data")
    try:
        yield running
    finally:
        running.process.terminate()
        running.process.communicate(timeout=40)
        assert running.process.returncode == 0, "the server stops cleanly"


@pytest.fixture
def client(server: RunningServer) -> Callable[..., Any]:
    """Return a function that makes boto3 clients of the running server."""
    return server.client


@pytest.fixture(scope="session")
def start() -> Callable[..., RunningServer]:
    """Return `start_server`, for fixtures of other folders."""
    return start_server


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Return a function that starts a server of the test's own (data folder `tmp_path / name`), ended with the test."""
    started: list[RunningServer] = []

    def start(*flags: str, name: str = "data", environment: dict[str, str] | None = None) -> RunningServer:
        started.append(start_server(tmp_path / name, *flags, environment=environment))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()
