"""Values of shapes as XML text, compiled once a shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from headrace.aws.protocols.scalars import text_writer
from headrace.aws.specification import Shape, UnknownMemberError

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
Parts = list[str]
Writer = Callable[[Parts, Any], None]

_NOT_PLAIN = re.compile('[&<>"\x00-\x1f\x7f-\x9f\ufffe\uffff]')
_IMPOSSIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "\n", "\t": "\t"}


def escape(text: str) -> str:
    """Return text with markup escaped; control characters become references, so that none is changed on the way."""
    if not _NOT_PLAIN.search(text):
        return text
    return _NOT_PLAIN.sub(lambda found: _ENTITIES.get(found[0]) or f"&#x{ord(found[0]):X};", text)


def legible(text: str) -> str:
    """Return text escaped for an error, which every parser must take: what XML can't hold is replaced."""
    return escape(_IMPOSSIBLE.sub("\ufffd", text))


def members_writer(shape: Shape, members: Mapping[str, Shape]) -> Writer:
    """Return what writes a structure's content of these members."""
    writers = {
        name: element(member, _element_name(member, name))
        for name, member in members.items()
        if not member.has("xmlAttribute")
    }

    def write(parts: Parts, value: Any) -> None:
        for name, each in value.items():
            if each is None:
                continue
            writer = writers.get(name)
            if writer is not None:
                writer(parts, each)
            elif name not in members:
                raise UnknownMemberError(f"{shape.service} {shape.name} has no member {name!r} in its body")

    return write


def element(shape: Shape, tag: str) -> Writer:
    """Return what writes a value as an element of this name, or as several where the shape is flattened."""
    if shape.kind == "list":
        return _list(shape, tag)
    if shape.kind == "map":
        return _map(shape, tag)
    opening, closing = f"<{tag}{namespace(shape)}", f"</{tag}>"
    if shape.kind != "structure":
        text = text_writer(shape)

        def write_scalar(parts: Parts, value: Any) -> None:
            parts.append(f"{opening}>{escape(text(value))}{closing}")

        return write_scalar
    content, write_attributes = shape.compiled(_content), _attributes(shape)

    def write_structure(parts: Parts, value: Any) -> None:
        parts.append(f"{opening}{write_attributes(value)}>" if write_attributes else f"{opening}>")
        content(parts, value)
        parts.append(closing)

    return write_structure


def namespace(shape: Shape) -> str:
    """Return the declaration of a shape's namespace, or an empty text."""
    found = shape.traits.get("xmlNamespace")
    if not found:
        return ""
    if isinstance(found, str):
        return f' xmlns="{found}"'
    prefix = found.get("prefix")
    return f' xmlns{f":{prefix}" if prefix else ""}="{found["uri"]}"'


def _content(shape: Shape) -> Writer:
    return members_writer(shape, shape.members)


def attributes(shape: Shape, value: Any) -> str:
    """Return those members of a structure's value that are attributes, as they stand in its opening tag."""
    write = _attributes(shape)
    return write(value) if write else ""


def _attributes(shape: Shape) -> Callable[[Any], str] | None:
    """Return what writes a structure's members that are attributes; a prefix is the one its namespace declares."""
    names = {name: member.wire_name(name) for name, member in shape.members.items() if member.has("xmlAttribute")}
    if not names:
        return None
    return lambda value: "".join(
        f' {wire}="{escape(str(value[name]))}"' for name, wire in names.items() if value.get(name) is not None
    )


def _element_name(member: Shape, name: str) -> str:
    if member.kind == "list" and member.has("flattened"):
        return member.member.wire_name(member.wire_name(name))
    return member.wire_name(name)


def _list(shape: Shape, tag: str) -> Writer:
    if shape.has("flattened"):
        each_element = element(shape.member, tag)

        def write_flat(parts: Parts, value: Any) -> None:
            for each in value:
                if each is not None:
                    each_element(parts, each)

        return write_flat
    inner = element(shape.member, shape.member.wire_name("member"))
    opening, closing = f"<{tag}{namespace(shape)}>", f"</{tag}>"

    def write(parts: Parts, value: Any) -> None:
        parts.append(opening)
        for each in value:
            if each is not None:
                inner(parts, each)
        parts.append(closing)

    return write


def _map(shape: Shape, tag: str) -> Writer:
    flat = shape.has("flattened")
    key, value_of = element(shape.key, shape.key.wire_name("key")), element(shape.value, shape.value.wire_name("value"))
    entry = f"<{tag}{namespace(shape)}>" if flat else "<entry>"
    entry_end = f"</{tag}>" if flat else "</entry>"
    opening, closing = ("", "") if flat else (f"<{tag}{namespace(shape)}>", f"</{tag}>")

    def write(parts: Parts, value: Any) -> None:
        parts.append(opening)
        for name, each in value.items():
            if each is not None:
                parts.append(entry)
                key(parts, name)
                value_of(parts, each)
                parts.append(entry_end)
        parts.append(closing)

    return write
