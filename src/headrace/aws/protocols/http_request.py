"""The parts of an HTTP request that a REST operation's input is bound to: path, query, headers, payload."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from headrace.aws.protocols.contract import host_labels
from headrace.aws.protocols.scalars import UnreadableError, read_blob, text_reader
from headrace.aws.specification import Operation, Shape
from headrace.server.messages import Request

_LABEL = re.compile(r"\{([^{}+]+)(\+?)\}")
_HEADER_ITEM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*?))\s*(?:,|$)')
_ESCAPED = re.compile(r"\\(.)")

Put = Callable[[dict[str, Any], Request], None]


@dataclass(frozen=True)
class Binding:
    """Where an operation's input comes from: `labels` are (member, name in the path, reader), `body` the rest."""

    labels: tuple[tuple[str, str, Callable[[str], Any]], ...]
    others: tuple[Put, ...]
    body: Mapping[str, Shape]


def bound(operation: Operation, request: Request, labels: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the members of the input that come from path, query and headers; raises UnreadableError."""
    if operation.input is None:
        return {}
    check_query(request)
    binding = operation.input.compiled(_bind)()
    found: dict[str, Any] = {}
    if binding.labels:
        texts = path_labels(operation, request.path) if labels is None else labels
        for name, wire, read in binding.labels:
            if wire in texts:
                found[name] = read(texts[wire])
    for put in binding.others:
        put(found, request)
    if operation.host_prefix:
        for name, text in host_labels(operation, request).items():
            if name in operation.input.members:
                found.setdefault(name, text)
    return found


def check_query(request: Request) -> None:
    """Raise UnreadableError on a query that is not UTF-8 or holds a zero."""
    if "%" not in request.query:
        return
    raw = unquote_to_bytes(request.query)
    if b"\0" in raw:
        raise UnreadableError("The query holds a zero character")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableError("The query is not valid UTF-8") from None


def body_members(shape: Shape) -> Mapping[str, Shape]:
    """Return the members that are neither in the path, the query, a header nor the status."""
    found: Binding = shape.compiled(_bind)()
    return found.body


def path_labels(operation: Operation, path: str) -> dict[str, str]:
    """Return the decoded labels of a path, or nothing where it does not match."""
    found = path_pattern(operation.path).fullmatch(path)
    return {name: decoded(text) for name, text in _named(operation.path, found)} if found else {}


@cache
def path_pattern(template: str) -> re.Pattern[str]:
    """Return the pattern of a path template; a label ends at a slash, a greedy one ({Key+}) takes slashes too."""
    literals = _LABEL.split(template)
    parts = [re.escape(literals[0])]
    for position in range(1, len(literals), 3):
        parts.append("(.+)" if literals[position + 1] else "([^/]+)")
        parts.append(re.escape(literals[position + 2]))
    return re.compile("".join(parts), re.DOTALL)


def label_names(template: str) -> tuple[str, ...]:
    """Return the names of a path template's labels in their order."""
    return tuple(name for name, _ in _LABEL.findall(template))


def decoded(text: str) -> str:
    """Return percent-encoded text decoded once; raises UnreadableError on what is not UTF-8 or holds a zero."""
    if "%00" in text:
        raise UnreadableError("The path holds a zero character")
    try:
        return unquote(text, errors="strict") if "%" in text else text
    except UnicodeDecodeError:
        raise UnreadableError("The path is not valid UTF-8") from None


def read_payload(operation: Operation, request: Request, read: Callable[[Shape, bytes], Any]) -> dict[str, Any]:
    """Return the member that is the whole body, where it came; `read` reads a structure's bytes."""
    name = operation.payload
    if operation.input is None or name == operation.body_member:
        return {}
    shape, body = operation.input.members[name], request.body or b""
    if shape.kind == "blob":
        return {name: body} if body or name in operation.input.traits.get("required", ()) else {}
    if not body:
        return {}
    if shape.kind == "string":
        try:
            return {name: body.decode("utf-8")}
        except UnicodeDecodeError:
            raise UnreadableError("The body is not valid UTF-8") from None
    value = read(shape, body)
    return {} if value is None else {name: value}


def _named(template: str, found: re.Match[str]) -> list[tuple[str, str]]:
    return list(zip(label_names(template), found.groups(), strict=True))


def _bind(shape: Shape) -> Callable[[], Binding]:
    labels, others, body = [], [], {}
    named = {member.wire_name(name) for name, member in shape.members.items() if _location(member) == "querystring"}
    for name, member in shape.members.items():
        location, wire = _location(member), member.wire_name(name)
        if location == "uri":
            labels.append((name, wire, text_reader(member)))
        elif location == "querystring":
            others.append(_query_map(name, member, named) if member.kind == "map" else _query(name, wire, member))
        elif location == "header":
            others.append(_header(name, wire.lower(), member))
        elif location == "headers":
            others.append(_prefix(name, wire.lower()))
        elif location != "statusCode":
            body[name] = member
    binding = Binding(tuple(labels), tuple(others), body)
    return lambda: binding


def _location(member: Shape) -> str:
    return str(member.traits.get("location", ""))


def _query(name: str, wire: str, member: Shape) -> Put:
    many = member.kind == "list"
    read = text_reader(member.member if many else member)

    def put(found: dict[str, Any], request: Request) -> None:
        texts = [text for key, text in request.parameters if key == wire] if request.query else []
        if texts:
            found[name] = [read(text) for text in texts] if many else read(texts[0])

    return put


def _query_map(name: str, member: Shape, named: set[str]) -> Put:
    """Return what takes the whole query into a map of lists, or what no other member names into a map of texts."""
    many = member.value.kind == "list"

    def put(found: dict[str, Any], request: Request) -> None:
        taken: dict[str, Any] = {}
        for key, text in request.parameters:
            if many:
                taken.setdefault(key, []).append(text)
            elif key not in named:
                taken.setdefault(key, text)
        if taken:
            found[name] = taken

    return put


def _header(name: str, wire: str, member: Shape) -> Put:
    if member.kind == "list":
        times = member.member.kind == "timestamp" and member.member.traits.get("timestampFormat", "rfc822") == "rfc822"
        read_item = text_reader(member.member, "rfc822")
        split = _split_times if times else _split

        def read_list(text: str) -> Any:
            return [read_item(item) for item in split(text)]

        read: Callable[[str], Any] = read_list
    elif member.has("jsonvalue"):
        read = _json_value
    else:
        read = text_reader(member, "rfc822")

    def put(found: dict[str, Any], request: Request) -> None:
        text = request.header.get(wire)
        if text is not None:
            found[name] = read(text)

    return put


def _prefix(name: str, prefix: str) -> Put:
    def put(found: dict[str, Any], request: Request) -> None:
        taken = {key[len(prefix) :]: text for key, text in request.header.items() if key.startswith(prefix)}
        if taken:
            found[name] = taken

    return put


def _json_value(text: str) -> Any:
    try:
        return json.loads(read_blob(text))
    except ValueError:
        raise UnreadableError("A header is not base64 of JSON") from None


def _split(text: str) -> list[str]:
    """Split a header's list; an element in quotes may hold commas."""
    items, position = [], 0
    while position < len(text):
        found = _HEADER_ITEM.match(text, position)
        if found is None or found.end() == position:
            raise UnreadableError(f"The header list '{text[:80]}' is malformed")
        items.append(found[2] if found[1] is None else _ESCAPED.sub(r"\1", found[1]))
        position = found.end()
    return items


def _split_times(text: str) -> list[str]:
    """Split a header's list of HTTP dates, each of which holds a comma itself."""
    parts = text.split(",")
    return [",".join(parts[position : position + 2]) for position in range(0, len(parts), 2)]
