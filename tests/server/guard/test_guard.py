"""The way of a call through the guard, behind a door of plain Python."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from headrace.cli.opening import open_platform
from headrace.server.context import Context, Platform
from headrace.server.errors import InvalidInput, OperationError, Unauthenticated, Unavailable
from headrace.server.guard import Call, Check, Evidence, Guard
from headrace.server.messages import Request, Response
from headrace.server.security.credentials import ANONYMOUS, Caller, root
from headrace.server.settings import Settings
from headrace.server.stores.metadata.tables.audit import AUDIT_EVENTS
from headrace.server.stores.metadata.tables.resources import TAGS
from headrace.server.stores.objects import Staged


class Whole:
    """Takes a body in as it is."""

    digests = ("md5",)

    def feed(self, block: bytes) -> tuple[bytes]:
        return (block,)

    def finish(self, staged: Staged) -> Staged:
        if staged.size == 3:
            raise InvalidInput("three bytes are refused")
        return staged


@dataclass
class PlainDoor:
    """A door whose one operation is `run`; `caller` None stands for a signature that is wrong."""

    run: Callable[..., Any]
    caller: Caller | None
    checks: tuple[Check, ...] = ()
    read_only: bool = False
    anonymous: bool = False
    body_member: str = ""
    refused: list[Exception] = field(default_factory=list)

    def streams(self, _: Request) -> bool:
        return bool(self.body_member)

    def authenticate(self, _request: Request, _connection: Connection) -> Evidence:
        if self.caller is None:
            raise Unauthenticated("wrong", code="SignatureDoesNotMatch")
        return Evidence(self.caller, "eu-west-1")

    def parse(self, _request: Request, _evidence: Evidence) -> Call:
        return Call(
            "iam", "Plain", self.run, {}, self.checks, "eu-west-1", self.read_only, "iam.amazonaws.com",
            body_member=self.body_member, anonymous=self.anonymous,
        )  # fmt: skip

    def intake(self, _request: Request, _evidence: Evidence, _call: Call) -> Whole:
        return Whole()

    def render(self, _request: Request, _call: Call, answer: Any) -> tuple[Response, Mapping[str, Any] | None]:
        return Response(200, body=json.dumps(answer).encode()), {"answer": answer}

    def refuse(self, _request: Request, error: Exception) -> tuple[Response, str]:
        self.refused.append(error)
        if isinstance(error, OperationError):
            return Response(error.status), error.code or "Refused"
        return Response(500), "InternalFailure"

    def named(self, _request: Request) -> tuple[str, str, str]:
        return "iam", "Plain", "iam.amazonaws.com"


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with open_platform(Settings(data=tmp_path / "data")) as opened:
        yield opened.platform


def request(body: bytes = b"") -> Request:
    return Request("POST", "/", "", (("user-agent", "test"),), body, "127.0.0.1", request_id="id-1")


def recorded(platform: Platform) -> list[dict[str, Any]]:
    with platform.metadata.reading() as connection:
        texts = connection.execute(select(AUDIT_EVENTS.c.document).order_by(AUDIT_EVENTS.c.id)).scalars()
        return [json.loads(text) for text in texts]


def tags(platform: Platform) -> list[str]:
    with platform.metadata.reading() as connection:
        return list(connection.execute(select(TAGS.c.key)).scalars())


def tag(context: Context) -> str:
    context.connection.execute(TAGS.insert().values(arn="arn:x", key="kept", value="v"))
    return "done"


def test_a_change_and_its_record_commit_together(platform: Platform) -> None:
    order: list[Any] = []

    def run(context: Context) -> str:
        context.after_commit(lambda: order.append(tags(platform)))
        context.after_commit(lambda: order[1])
        context.after_commit(lambda: order.append("last"))
        return tag(context)

    answered = Guard(platform).answer(PlainDoor(run, root(platform.account)), request())
    assert (answered.response.status, answered.response.body) == (200, b'"done"')
    assert order == [["kept"], "last"]
    [record] = recorded(platform)
    assert (record["eventName"], record["requestID"], record["awsRegion"]) == ("Plain", "id-1", "us-east-1")
    assert record["responseElements"] == {"answer": "done"}


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (InvalidInput("no", code="Wrong"), 400, "Wrong", "no"),
        (ValueError("confidential"), 500, "InternalFailure", "an internal error"),
    ],
)
def test_what_fails_leaves_nothing_but_its_record(
    platform: Platform, caplog: Any, error: Exception, status: int, code: str, message: str
) -> None:
    def run(context: Context) -> None:
        context.after_commit(lambda: pytest.fail("it was not committed"))
        tag(context)
        raise error

    door = PlainDoor(run, root(platform.account))
    answered = Guard(platform).answer(door, request())
    assert (answered.response.status, answered.error) == (status, code)
    assert door.refused == [error]
    assert tags(platform) == []
    [record] = recorded(platform)
    assert (record["errorCode"], record["errorMessage"]) == (code, message)
    assert len([each for each in caplog.records if each.exc_info]) == (status == 500)


def test_whoever_is_not_known_gets_no_further(platform: Platform) -> None:
    door = PlainDoor(lambda _: pytest.fail("it ran"), None)
    assert Guard(platform).answer(door, request()).response.status == 403
    assert [record["errorCode"] for record in recorded(platform)] == ["SignatureDoesNotMatch"]


@pytest.mark.parametrize("checks", [(), (Check("iam:GetUser"),)])
def test_unsigned_calls_are_refused_where_the_operation_does_not_take_them(
    platform: Platform, checks: tuple[Check, ...]
) -> None:
    door = PlainDoor(lambda _: pytest.fail("it ran"), ANONYMOUS, checks)
    assert Guard(platform).answer(door, request()).error == "AccessDenied"


def test_what_an_operation_asks_further_is_authorised_and_recorded(platform: Platform) -> None:
    user = Caller("IAMUser", platform.account, "arn:aws:iam::1:user/u", "AIDAX", "arn:aws:iam::1:user/u", "u")

    def run(context: Context) -> None:
        context.authorise("iam:PassRole", "arn:aws:iam::1:role/r")
        tag(context)

    guard = Guard(platform)
    assert guard.answer(PlainDoor(run, user), request()).error == "Refused"
    assert tags(platform) == []
    assert guard.answer(PlainDoor(run, root(platform.account)), request()).response.status == 200
    assert recorded(platform)[-1]["resources"][0]["ARN"] == "arn:aws:iam::1:role/r"


def test_a_reading_call_records_no_answer(platform: Platform) -> None:
    answered = Guard(platform).answer(PlainDoor(lambda _: {"a": 1}, root(platform.account), read_only=True), request())
    assert answered.response.body == b'{"a": 1}'
    [record] = recorded(platform)
    assert (record["readOnly"], record["responseElements"]) == (True, None)


@pytest.mark.parametrize(("body", "status"), [(b"four", 200), (b"two", 400)])
def test_a_body_is_staged_and_forgotten_when_refused(platform: Platform, body: bytes, status: int) -> None:
    def run(context: Context, *, body: Staged) -> int:
        del context
        return body.size

    door = PlainDoor(run, root(platform.account), body_member="body")
    answered = Guard(platform).answer(door, request(body))
    assert answered.response.status == status
    staged = [path for path in (platform.settings.data / "objects").rglob("*") if path.is_file()]
    assert len(staged) == (status == 200)


def test_a_stopping_server_records_nothing(platform: Platform) -> None:
    door = PlainDoor(lambda _: None, None)
    answered = Guard(platform).turn_away(door, request(), Unavailable("stopping", code="SlowDown"))
    assert (answered.response.status, answered.error) == (503, "SlowDown")
    assert recorded(platform) == []


def test_a_refusal_that_cannot_be_recorded_is_told_as_such(platform: Platform) -> None:
    with platform.metadata.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    door = PlainDoor(lambda _: None, None)
    last = Guard(platform).answer(door, request())
    for _ in range(200):
        if last.response.status != 403:
            break
        last = Guard(platform).answer(door, request(b"x"))
    assert (last.response.status, door.refused[-1].__class__) == (503, Unavailable)
