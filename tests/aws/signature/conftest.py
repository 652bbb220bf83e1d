"""Requests signed by botocore's own signers, as they arrive at the server."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import BaseSigner, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from headrace.aws.signature import Verified, authenticate
from headrace.server.errors import OperationError
from headrace.server.messages import Request
from headrace.server.security.credentials import AccessKey, Caller

ACCESS_KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "token/of+a=session"


@dataclass(frozen=True)
class Signing:
    """Signs with botocore and authenticates against one key, whose session token may be TOKEN."""

    key: AccessKey

    def find_key(self, access_key_id: str, token: str | None) -> AccessKey | None:
        return self.key if access_key_id == ACCESS_KEY_ID and token in (None, TOKEN) else None

    def header(
        self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None, *,
        service: str = "s3", token: str | None = None, context: dict[str, Any] | None = None,
    ) -> Request:  # fmt: skip
        signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials(token), service, "eu-central-1")
        return signed(signer, method, url, body, headers, context)

    def query(
        self, method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None, *,
        service: str = "s3", token: str | None = None, expires: int = 3600,
    ) -> Request:  # fmt: skip
        kind = S3SigV4QueryAuth if service == "s3" else SigV4QueryAuth
        signer = kind(credentials(token), service, "eu-central-1", expires=expires)
        return replace(signed(signer, method, url, b"", headers), body=body)

    def authenticate(self, request: Request, *, service: str = "s3", later: int = 0, **options: Any) -> Verified:
        return authenticate(
            request, service=service, find_key=self.find_key, now=int(time.time() * 1000) + later * 1000, **options
        )

    def identity_call(self) -> Request:
        form = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        body = b"Action=GetCallerIdentity&Version=2011-06-15"
        return self.header("POST", "https://sts.amazonaws.com/", body, form, service="sts")

    def logs_call(self) -> Request:
        target = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "Logs_20140328.DescribeLogGroups"}
        return self.header("POST", "https://logs.amazonaws.com/", b"{}", target, service="logs")

    def refusal(self, request: Request, **options: Any) -> tuple[str, int]:
        """Return code and status of the refusal that the request must meet."""
        with pytest.raises(OperationError) as refused:
            self.authenticate(request, **options)
        assert refused.value.message
        return refused.value.code, refused.value.status

    def having(self, **changes: Any) -> "Signing":
        return Signing(replace(self.key, **changes))


def credentials(token: str | None = None) -> Credentials:
    return Credentials(ACCESS_KEY_ID, SECRET, token)


def signed(
    signer: BaseSigner, method: str, url: str, body: bytes = b"",
    headers: dict[str, str] | None = None, context: dict[str, Any] | None = None,
) -> Request:  # fmt: skip
    asked = AWSRequest(method, url, data=body, headers=headers or {})
    asked.context.update(context or {})
    signer.add_auth(asked)
    sent = asked.prepare()
    address = urlsplit(sent.url)
    lines = [
        (name.lower(), value.decode() if isinstance(value, bytes) else value) for name, value in sent.headers.items()
    ]
    if "host" not in dict(lines):
        lines.append(("host", address.netloc))
    return Request(method, address.path or "/", address.query, tuple(lines), body)


@pytest.fixture
def signing() -> Signing:
    return Signing(AccessKey(ACCESS_KEY_ID, SECRET, Caller("IAMUser", "1", "arn:ann", "AIDA", "arn:ann")))


@pytest.fixture
def sign() -> Callable[..., Request]:
    """Sign with any of botocore's signers."""
    return signed


@pytest.fixture
def changed() -> Callable[..., Request]:
    """Change parts of a request; headers by name, None to leave one out."""

    def change(request: Request, headers: dict[str, str | None] | None = None, **parts: Any) -> Request:
        lines = [(name, value) for name, value in request.headers if name not in (headers or {})]
        lines += [(name, value) for name, value in (headers or {}).items() if value is not None]
        return replace(request, headers=tuple(lines), **parts)

    return change
