"""Raw HTTP against a running server whose patience is short."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

PATIENCE = {"HEADRACE_HEAD_SECONDS": "0.6", "HEADRACE_IDLE_SECONDS": "0.8", "HEADRACE_LOG_LEVEL": "info"}


class UnsignedPayload(S3SigV4Auth):
    """Signs everything but the body."""

    def payload(self, request: AWSRequest) -> str:
        return "UNSIGNED-PAYLOAD"


@dataclass
class Answer:
    """One HTTP answer, read from a socket."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Wire:
    """A server, spoken to byte by byte."""

    server: Any
    held: list[socket.socket] = field(default_factory=list)

    @property
    def host(self) -> str:
        return urlsplit(self.server.endpoint).netloc

    def connect(self) -> socket.socket:
        place = urlsplit(self.server.endpoint)
        connection = socket.create_connection((place.hostname, place.port), timeout=20)
        self.held.append(connection)
        return connection

    def signed(
        self, method: str, path: str, body: bytes | None = b"", *, service: str = "s3", **headers: str
    ) -> dict[str, str]:
        """Return the headers of a signed request; a `body` of None is signed as UNSIGNED-PAYLOAD."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = AWSRequest(method, f"http://{self.host}{path}", headers=named, data=body or b"")
        keys = self.server.credentials
        credentials = Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
        signer = S3SigV4Auth if service == "s3" else SigV4Auth
        (UnsignedPayload if body is None else signer)(credentials, service, "us-east-1").add_auth(request)
        return {"Host": self.host, **dict(request.headers)}

    def head(self, method: str, path: str, headers: dict[str, str], version: str = "1.1") -> bytes:
        lines = [f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def whoami(self, **headers: str) -> bytes:
        body = b"Action=GetCallerIdentity&Version=2011-06-15"
        form = {"Content_Type": "application/x-www-form-urlencoded; charset=utf-8"}
        signed = self.signed("POST", "/", body, service="sts", **form)
        return self.head("POST", "/", signed | {"Content-Length": str(len(body))} | headers) + body

    def staged(self) -> list[str]:
        return [each.name for each in (self.server.data / "objects" / "staging").iterdir()]

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.server.log.splitlines()]


def read(connection: socket.socket, method: str = "GET") -> Answer:
    """Read one answer, its body as long as its head says."""
    data = b""
    while b"\r\n\r\n" not in data:
        some = connection.recv(65536)
        if not some:
            assert not data, data
            raise ConnectionError("closed without an answer")
        data += some
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if status.split()[1] == "100":
        assert not body
        return Answer(100, headers)
    length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
    while len(body) < length:
        some = connection.recv(1 << 20)
        assert some, "the body ended early"
        body += some
    return Answer(int(status.split()[1]), headers, body)


def closed(connection: socket.socket) -> bool:
    """Tell whether the server closes the connection (the socket's timeout is the deadline)."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def eventually(holds: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait until something holds; returns it, or what it was at the deadline."""
    deadline = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory, start: Callable[..., Any]) -> Iterator[Wire]:
    """Start a server that waits less than a second for heads and bodies."""
    server = start(tmp_path_factory.mktemp("hasty") / "data", environment=PATIENCE)
    yield Wire(server)
    server.process.terminate()
    server.process.communicate(timeout=40)
    assert server.process.returncode == 0


@pytest.fixture
def wire(hasty: Wire) -> Iterator[Wire]:
    """Return that server; what a test connects is closed after it."""
    yield hasty
    while hasty.held:
        hasty.held.pop().close()


@pytest.fixture(scope="module")
def bucket(hasty: Wire) -> str:
    hasty.server.client("s3").create_bucket(Bucket="limits")
    return "limits"


@pytest.fixture
def tools() -> SimpleNamespace:
    """Return what reads answers and waits."""
    return SimpleNamespace(read=read, closed=closed, eventually=eventually)
