"""A whole platform in this process, asked as clients ask it: signed requests in, answers out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import botocore.session
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.serialize import create_serializer

from headrace.cli.assembly import application_of
from headrace.cli.opening import open_platform
from headrace.server.app import Application
from headrace.server.clock import system_clock
from headrace.server.messages import Request, Response
from headrace.server.security.credentials import Caller, create_access_key, root
from headrace.server.settings import Settings

HOST = "127.0.0.1:4599"
MODELS = botocore.session.Session()


@dataclass
class Wire:
    """One request as it is sent, before it is signed; `service` is the signing name."""

    service: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@cache
def writer(service: str, protocol: str) -> tuple[Any, list[Wire]]:
    """Return a client that sends nothing, and the list where it leaves what it would send."""
    config = Config(s3={"addressing_style": "path"}, parameter_validation=False, inject_host_prefix=False)
    client = MODELS.create_client(
        service, region_name="us-east-1", endpoint_url=f"http://{HOST}", aws_access_key_id="AKIA",
        aws_secret_access_key="x", config=config,
    )  # fmt: skip
    if protocol:
        client._serializer = create_serializer(protocol, include_validation=False)
        client.meta.service_model.__dict__["resolved_protocol"] = protocol
    sent: list[Wire] = []

    def keep(request: Any, **_: Any) -> None:
        url, body = urlsplit(request.url), request.body or b""
        data = body.read() if hasattr(body, "read") else body
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        kept = {name: value for name, value in headers.items() if name not in UNSIGNED}
        content = data if isinstance(data, bytes) else data.encode()
        sent.append(Wire(client.meta.service_model.signing_name, request.method, url.path, url.query, kept, content))
        raise ConnectionAbortedError

    client.meta.events.register("before-send.*", keep)
    return client, sent


def written(service: str, operation: str, parameters: dict[str, Any], protocol: str = "") -> Wire:
    """Return what botocore sends for a call, in one of the protocols that the service speaks."""
    client, sent = writer(service, protocol)
    with pytest.raises(ConnectionAbortedError):
        client._make_api_call(operation, parameters)
    return sent.pop()


UNSIGNED = {
    "authorization", "x-amz-date", "x-amz-content-sha256", "amz-sdk-invocation-id", "amz-sdk-request", "user-agent",
    "content-length", "expect", "host",
}  # fmt: skip


class Inside:
    """A platform on a temporary folder; `ahead` is how many milliseconds its clock is ahead of the world's."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.platform = application.platform
        self.ahead = 0
        platform = self.platform
        with platform.metadata.writing() as connection:
            key = create_access_key(connection, platform.keyring, root(platform.account), now=platform.clock())
        self.credentials = Credentials(key.access_key_id, key.secret)

    def key_of(self, user: Caller) -> Credentials:
        """Return a new key of a user."""
        with self.platform.metadata.writing() as connection:
            key = create_access_key(connection, self.platform.keyring, user, now=self.platform.clock())
        return Credentials(key.access_key_id, key.secret)

    def signed(self, wire: Wire, credentials: Credentials | None = None) -> list[tuple[str, str]]:
        """Return a request's headers with the signature of root, or of other credentials."""
        url = f"http://{HOST}{wire.path}" + (f"?{wire.query}" if wire.query else "")
        made = AWSRequest(wire.method, url, {**wire.headers, "host": HOST}, wire.body)
        kind = S3SigV4Auth if wire.service == "s3" else SigV4Auth
        kind(credentials or self.credentials, wire.service, "us-east-1").add_auth(made)
        return [(name.lower(), str(value)) for name, value in made.headers.items()]

    def send(self, wire: Wire, headers: Sequence[tuple[str, str]] | None = None) -> Response:
        """Return the answer to a request that is signed by root, or has `headers` as they are."""
        request = Request(
            wire.method,
            wire.path,
            wire.query,
            tuple(self.signed(wire) if headers is None else headers),
            wire.body,
            "127.0.0.1",
            request_id=str(uuid4()),
        )
        door = next(entrance.door for entrance in self.application.entrances if entrance.takes(request))
        response = self.application.guard.answer(door, request).response
        if not isinstance(response.body, bytes):
            response.body = b"".join(response.body)
        return response


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """Give a platform for the tests of one module."""
    found: list[Inside] = []
    settings = Settings(data=tmp_path_factory.mktemp("inside") / "data")
    with open_platform(settings, lambda: system_clock() + (found[0].ahead if found else 0)) as opened:
        application = application_of(opened.platform)
        found.append(Inside(application))
        try:
            yield found[0]
        finally:
            application.close()


@pytest.fixture(scope="session", name="written")
def give_written() -> Any:
    """Give the function that writes a request as botocore does."""
    return written
