"""Event streams from server to client: framed messages, one an event, as they come.

Source: Smithy, "Amazon Event Stream Specification".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zlib import crc32

from headrace.aws.protocols.scalars import epoch
from headrace.aws.specification import Shape
from headrace.server.errors import OperationError
from headrace.server.messages import Response

CONTENT_TYPE = "application/vnd.amazon.eventstream"


@dataclass(frozen=True)
class EventFormat:
    """How a protocol writes the structures within events; `opens` tells that an initial response comes first.

    `write` takes a shape, those of its members that go into the payload, and the value.
    """

    content_type: str
    write: Callable[[Shape, dict[str, Shape], Any], bytes]
    opens: bool


def stream_response(shape: Shape, result: dict[str, Any], headers: dict[str, str], form: EventFormat) -> Response:
    """Return an answer whose body is the stream of events that the result holds; shape is the operation's output."""
    name = shape.event_member
    events = result.get(name, ())
    stream = shape.members[name]
    opening = b""
    if form.opens:
        members = {each: member for each, member in shape.members.items() if each != name}
        payload = form.write(shape, members, {each: value for each, value in result.items() if each != name})
        opening = _event("initial-response", form.content_type, payload, {})
    return Response(200, {**headers, "Content-Type": CONTENT_TYPE}, _messages(opening, stream, events, form))


def message(headers: dict[str, Any], payload: bytes) -> bytes:
    """Return one message: prelude, headers, payload, each under a CRC-32."""
    encoded = b"".join(_header(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", 16 + len(encoded) + len(payload), len(encoded))
    framed = b"".join((prelude, struct.pack(">I", crc32(prelude)), encoded, payload))
    return framed + struct.pack(">I", crc32(framed))


def _messages(opening: bytes, stream: Shape, events: Iterable[dict[str, Any]], form: EventFormat) -> Iterator[bytes]:
    if opening:
        yield opening
    try:
        for event in events:
            for name, value in event.items():
                yield _encoded(stream.members[name], name, value, form)
    except OperationError as error:
        yield _failure(stream, error, form)
    finally:
        close = getattr(events, "close", None)
        if close:
            close()


def _encoded(shape: Shape, name: str, value: dict[str, Any], form: EventFormat) -> bytes:
    headers = {
        each: value[each] for each, member in shape.members.items() if member.has("eventheader") and each in value
    }
    payload = next((each for each, member in shape.members.items() if member.has("eventpayload")), "")
    if payload:
        member, content = shape.members[payload], value.get(payload)
        if member.kind == "blob":
            return _event(name, "application/octet-stream", content or b"", headers)
        if member.kind == "string":
            return _event(name, "text/plain", (content or "").encode(), headers)
        return _event(name, form.content_type, form.write(member, dict(member.members), content or {}), headers)
    members = {each: member for each, member in shape.members.items() if not member.has("eventheader")}
    body = {each: content for each, content in value.items() if each in members}
    if shape.has("exception"):
        return _exception(name, form.content_type, form.write(shape, members, body))
    return _event(name, form.content_type, form.write(shape, members, body) if members else b"", headers)


def _failure(stream: Shape, error: OperationError, form: EventFormat) -> bytes:
    for name, shape in stream.members.items():
        if shape.has("exception") and error.code in {name, shape.name}:
            key = next((each for each in shape.members if each.lower() == "message"), "")
            return _exception(
                name, form.content_type, form.write(shape, dict(shape.members), {key: error.message} if key else {})
            )
    headers = {
        ":message-type": "error",
        ":error-code": error.code or "InternalFailure",
        ":error-message": error.message,
    }
    return message(headers, b"")


def _exception(name: str, content_type: str, payload: bytes) -> bytes:
    return message({":message-type": "exception", ":exception-type": name, ":content-type": content_type}, payload)


def _event(name: str, content_type: str, payload: bytes, headers: dict[str, Any]) -> bytes:
    described = {":message-type": "event", ":event-type": name}
    if payload:
        described[":content-type"] = content_type
    return message({**described, **headers}, payload)


def _header(name: str, value: Any) -> bytes:
    encoded = name.encode()
    return bytes((len(encoded),)) + encoded + _header_value(value)


def _header_value(value: Any) -> bytes:
    if value is True or value is False:
        return b"\x00" if value else b"\x01"
    if isinstance(value, int):
        return struct.pack(">Bi", 4, value) if -(2**31) <= value < 2**31 else struct.pack(">Bq", 5, value)
    if isinstance(value, datetime):
        return struct.pack(">Bq", 8, round(epoch(value) * 1000))
    content, kind = (value, 6) if isinstance(value, bytes) else (str(value).encode(), 7)
    return struct.pack(">BH", kind, len(content)) + content
