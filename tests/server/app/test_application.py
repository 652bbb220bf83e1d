"""The application in process: faults of a door still end in an answer of the service, never in plain text."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headrace.aws.gateway import Gateway
from headrace.cli.opening import open_platform
from headrace.server.app import Application, Entrance
from headrace.server.context import Platform
from headrace.server.messages import Request, Response
from headrace.server.settings import Settings


class FaultyGateway(Gateway):
    """AWS's door with a fault: `fails` names the methods that raise, once each."""

    def __init__(self, platform: Platform, *fails: str) -> None:
        super().__init__(platform)
        self.fails = list(fails)

    def _fail(self, name: str) -> None:
        if name in self.fails:
            self.fails.remove(name)
            raise KeyError(f"secret value in {name}")

    def streams(self, request: Request) -> bool:
        self._fail("streams")
        return super().streams(request)

    def authenticate(self, request: Request, connection: Any) -> Any:
        self._fail("authenticate")
        return super().authenticate(request, connection)

    def refuse(self, request: Request, error: Exception) -> tuple[Response, str]:
        self._fail("refuse")
        response, code = super().refuse(request, error)
        if "header" in self.fails:
            self.fails.remove("header")
            response.headers["x-odd"] = "a\r\nb: c"
        return response, code


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with open_platform(Settings(data=tmp_path / "data", idle_seconds=0.2)) as opened:
        yield opened.platform


def ask(
    platform: Platform,
    door: Gateway,
    headers: dict[str, str],
    path: str = "/",
    method: str = "POST",
    body: bytes = b"",
    client: str = "127.0.0.1",
) -> tuple[int, dict[str, str], bytes]:
    """Send one request through the application and return status, headers and body of its answer."""
    application = Application(platform, [Entrance(lambda _: True, door)])
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": (client, 5), "scheme": "http",
    }  # fmt: skip
    try:
        asyncio.run(application(scope, receive, send))
    finally:
        application.close()
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:])


JSON = {
    "host": "localhost",
    "x-amz-target": "Logs_20140328.DescribeLogGroups",
    "content-type": "application/x-amz-json-1.1",
}


@pytest.mark.parametrize(
    "faults", [("authenticate",), ("refuse",), ("authenticate", "refuse"), ("header",)], ids=" and ".join
)
def test_faults_are_told_in_the_service_s_words(platform: Platform, faults: tuple[str, ...]) -> None:
    status, headers, body = ask(platform, FaultyGateway(platform, *faults), JSON, body=b"{}")
    assert status == 500
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert json.loads(body)["__type"] in ("InternalFailure", "InternalServerError", "ServiceUnavailableException")
    assert b"secret" not in body


def test_a_fault_before_the_guard_is_told_too(platform: Platform) -> None:
    headers = {"host": "localhost", "content-length": str(1 << 20)}
    status, _, body = ask(platform, FaultyGateway(platform, "streams"), headers, "/bucket/key", "PUT", b"a" * (1 << 20))
    assert status == 500
    assert b"<Code>InternalError</Code>" in body


def test_a_door_that_has_no_words_left_gives_an_empty_answer(platform: Platform) -> None:
    status, _, body = ask(platform, FaultyGateway(platform, *["refuse"] * 9), JSON, body=b"{}")
    assert (status, body) == (503, b"")


def test_health_is_bad_while_the_metadata_store_is_away(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    door = Gateway(platform)
    assert ask(platform, door, {}, "/healthz", "GET")[0] == 200

    def away() -> Any:
        raise ConnectionError("away")

    monkeypatch.setattr(platform.metadata.readers, "connect", away)
    status, _, body = ask(platform, door, {}, "/healthz", "GET")
    assert (status, body) == (503, b'{"status":"metadata store unavailable"}\n')


def test_own_pages_take_no_other_methods(platform: Platform) -> None:
    assert ask(platform, Gateway(platform), {}, "/healthz", "POST")[0] == 405


def test_metrics_are_for_this_machine_or_for_holders_of_the_token(platform: Platform) -> None:
    door = Gateway(platform)
    elsewhere = {"path": "/metrics", "method": "GET", "client": "203.0.113.9"}
    assert ask(platform, door, {}, "/metrics", "GET")[0] == 200
    for headers in ({}, {"authorization": "Bearer "}, {"authorization": "Bearer guessed"}):
        assert ask(platform, door, headers, **elsewhere)[0] == 403
    with_token = replace(platform, settings=platform.settings.model_copy(update={"metrics_token": "chosen"}))
    assert ask(with_token, door, {"authorization": "Bearer guessed"}, **elsewhere)[0] == 403
    assert ask(with_token, door, {"authorization": "Bearer chosen"}, **elsewhere)[0] == 200


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_signed_requests_reach_a_bucket_of_that_name(platform: Platform, path: str) -> None:
    signed = {
        "host": "localhost",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIAX/20260101/us-east-1/s3/aws4_request",
    }
    status, _, body = ask(platform, Gateway(platform), signed, path, "GET")
    assert status in (400, 403)
    assert b"<Code>" in body
