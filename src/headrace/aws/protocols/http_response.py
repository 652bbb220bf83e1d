"""The parts of an HTTP response that a REST operation's output is bound to: status, headers, payload."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from headrace.aws.protocols.scalars import text_writer
from headrace.aws.specification import Shape

_UNSAFE = re.compile(r"[^\x20-\x7e\t]")
_QUOTED = re.compile(r'[",]')

Put = Callable[[dict[str, str], Any], None]


class Outline:
    """Where an operation's output, or an error's members, go: `headers` and `status` by member, `body` the rest."""

    def __init__(self, shape: Shape):
        self.headers: dict[str, Put] = {}
        self.status = ""
        self.payload: str = shape.traits.get("payload", "")
        self.body: dict[str, Shape] = {}
        for name, member in shape.members.items():
            location, wire = member.traits.get("location"), member.wire_name(name)
            if location == "header":
                self.headers[name] = _header(wire, member)
            elif location == "headers":
                self.headers[name] = _prefix(wire)
            elif location == "statusCode":
                self.status = name
            else:
                self.body[name] = member

    def split(self, result: Mapping[str, Any], status: int) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Return the status, the headers, and what is left for the body; a part of a whole answers 206."""
        headers: dict[str, str] = {}
        rest: dict[str, Any] = {}
        for name, value in result.items():
            put = self.headers.get(name)
            if value is None:
                continue
            if put is not None:
                put(headers, value)
            elif name == self.status:
                status = int(value)
            else:
                rest[name] = value
        return 206 if status == 200 and "Content-Range" in headers else status, headers, rest


def outline(shape: Shape) -> Outline:
    """Return the outline of a shape, made once."""
    found: Outline = shape.compiled(_outline)()
    return found


def safe_header(value: str) -> str:
    """Return text that can stand in a header: what is not printable ASCII is encoded as RFC 2047 says."""
    if not _UNSAFE.search(value):
        return value
    return f"=?UTF-8?B?{base64.b64encode(value.encode()).decode()}?="


def _outline(shape: Shape) -> Callable[[], Outline]:
    made = Outline(shape)
    return lambda: made


def _header(wire: str, member: Shape) -> Put:
    if member.kind == "list":
        write_item = text_writer(member.member, "rfc822")
        quoted = member.member.kind == "string"

        def write_list(value: Any) -> str:
            items = (write_item(each) for each in value if each is not None)
            return ", ".join(_quote(item) if quoted else item for item in items)

        write: Callable[[Any], str] = write_list
    elif member.has("jsonvalue"):
        write = _json_value
    else:
        write = text_writer(member, "rfc822")

    def put(headers: dict[str, str], value: Any) -> None:
        if value != []:
            headers[wire] = safe_header(write(value))

    return put


def _prefix(wire: str) -> Put:
    def put(headers: dict[str, str], value: Any) -> None:
        for name, text in value.items():
            headers[f"{wire}{name}"] = safe_header(str(text))

    return put


def _quote(item: str) -> str:
    if not _QUOTED.search(item):
        return item
    escaped = item.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _json_value(value: Any) -> str:
    return base64.b64encode(json.dumps(value, separators=(",", ":")).encode()).decode()
