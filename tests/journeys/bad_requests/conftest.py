"""Sends requests that no client library would, and reads the log after them."""

import http.client
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import fromstring

import cbor2
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SECRET = "confidential-in-a-request"
"""Is in bodies and headers of these requests, and must not be in the log."""


@dataclass
class Answer:
    """What came back: `code` and `message` as the protocol tells them."""

    status: int
    headers: dict[str, str]
    body: bytes
    code: str = ""
    message: str = ""


@dataclass
class Sender:
    """Sends requests that no client library would; `keys` are root's."""

    host: str
    port: int
    keys: Credentials

    def sign(self, service: str, method: str, path: str, headers: dict[str, str], body: bytes) -> dict[str, str]:
        """Return the headers with a signature."""
        host = f"{self.host}:{self.port}"
        made = AWSRequest(method, f"http://{host}{path}", {**headers, "host": host}, body)
        (S3SigV4Auth if service == "s3" else SigV4Auth)(self.keys, service, "us-east-1").add_auth(made)
        return {name.lower(): str(value) for name, value in made.headers.items()}

    def send(
        self,
        service: str,
        method: str = "POST",
        path: str = "/",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        signed: dict[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a request signed as it is sent, or with the headers `signed`; within ten seconds."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in (signed or self.sign(service, method, path, headers or {}, body)).items():
                connection.putheader(name, value.encode("utf-8", "surrogateescape"))
            if "transfer-encoding" not in (headers or {}):
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return understood(Answer(response.status, found, response.read()))
        finally:
            connection.close()

    def call(self, service: str, target: str, body: bytes, **headers: str) -> Answer:
        """Send an AWS JSON request."""
        given = {"content-type": "application/x-amz-json-1.1", "x-amz-target": target, **headers}
        return self.send(service, body=body, headers=given)

    def form(self, service: str, body: bytes, kind: str = "application/x-www-form-urlencoded") -> Answer:
        """Send a form of the query protocol."""
        return self.send(service, body=body, headers={"content-type": kind})


def understood(answer: Answer) -> Answer:
    """Read code and message of an error in whichever protocol it is; anything else is a failure."""
    kind = answer.headers.get("content-type", "")
    if answer.status < 400 or not answer.body:
        return answer
    if "xml" in kind:
        root = fromstring(answer.body)
        tags = {node.tag.rpartition("}")[2]: node.text or "" for node in root.iter()}
        answer.code, answer.message = tags["Code"], tags["Message"]
    else:
        assert "json" in kind or "cbor" in kind, (kind, answer.body)
        told = cbor2.loads(answer.body) if "cbor" in kind else json.loads(answer.body)
        answer.code = told["__type"].rpartition("#")[2]
        answer.message = told.get("message", told.get("Message", ""))
    return answer


@pytest.fixture(scope="module")
def sender(server: Any) -> Iterator[Sender]:
    url = urlsplit(server.endpoint)
    log = server.data.parent / f"{server.data.name}.log"
    before = log.stat().st_size
    keys = Credentials(server.credentials["aws_access_key_id"], server.credentials["aws_secret_access_key"])
    yield Sender(url.hostname or "", url.port or 0, keys)
    written = log.read_bytes()[before:].decode(errors="replace")
    assert "Traceback" not in written, written
    assert SECRET not in written
    assert keys.secret_key not in written


@pytest.fixture(scope="module")
def bucket(server: Any) -> str:
    name = f"bad-{secrets.token_hex(6)}"
    server.client("s3").create_bucket(Bucket=name)
    return name
