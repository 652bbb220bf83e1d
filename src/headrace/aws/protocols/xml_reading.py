"""XML as values of shapes: no document types, no entities, compiled once a shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from headrace.aws.protocols.scalars import UnreadableError, text_reader
from headrace.aws.specification import Shape

Reader = Callable[[Element], Any]
STRICT = frozenset({"s3"})
"""Services that refuse elements which their schema does not have."""


def loads(body: bytes) -> Element:
    """Return the root element; raises UnreadableError on what is not well-formed, or declares a document type."""
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise UnreadableError("The XML is not well-formed") from None
    return root


def local_name(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition("}")[2] if name[:1] == "{" else name


def reader(shape: Shape) -> Reader:
    """Return the function from an element to a value of the model's casing; it raises UnreadableError."""
    return shape.compiled(_reader)


def structure_reader(shape: Shape, members: Mapping[str, Shape]) -> Reader:
    """Return the reader of a structure that has only these members in the body."""
    found = [(name, member) for name, member in members.items() if not member.has("xmlAttribute")]
    readers = {wire: _member(name, member) for name, member in found for wire in _names(name, member)}
    attributes = {
        member.wire_name(name).rpartition(":")[2]: name
        for name, member in members.items()
        if member.has("xmlAttribute")
    }
    strict, union = shape.service in STRICT, shape.has("union")

    def read(node: Element) -> Any:
        value: dict[str, Any] = {}
        for child in node:
            known = readers.get(local_name(child.tag))
            if known is not None:
                known(value, child)
            elif strict:
                raise UnreadableError(f"{shape.name} has no element {local_name(child.tag)[:80]}")
        for name, text in node.attrib.items() if attributes else ():
            if (known_as := attributes.get(local_name(name))) is not None:
                value[known_as] = text
        if union and len(value) != 1:
            raise UnreadableError(f"Exactly one member of the union {shape.name} must be set")
        return value

    return read


def _reader(shape: Shape) -> Reader:
    if shape.kind == "structure":
        return structure_reader(shape, shape.members)
    if shape.kind == "list":
        inner, tag = reader(shape.member), shape.member.wire_name("member")
        return lambda node: [inner(child) for child in node if local_name(child.tag) == tag]
    if shape.kind == "map":
        pair = _pair(shape)
        return lambda node: dict(pair(child) for child in node if local_name(child.tag) == "entry")
    read = text_reader(shape)

    def read_scalar(node: Element) -> Any:
        if len(node):
            raise UnreadableError(f"{local_name(node.tag)[:80]} must not contain elements")
        return read(node.text or "")

    return read_scalar


def _pair(shape: Shape) -> Callable[[Element], tuple[Any, Any]]:
    key, value = reader(shape.key), reader(shape.value)
    key_tag, value_tag = shape.key.wire_name("key"), shape.value.wire_name("value")

    def read(node: Element) -> tuple[Any, Any]:
        found = {local_name(child.tag): child for child in node}
        if key_tag not in found or value_tag not in found:
            raise UnreadableError(f"An entry needs {key_tag} and {value_tag}")
        return key(found[key_tag]), value(found[value_tag])

    return read


def _member(name: str, shape: Shape) -> Callable[[dict[str, Any], Element], None]:
    """Return what puts one element into a structure's value."""
    if shape.kind == "list" and shape.has("flattened"):
        inner = reader(shape.member)
        return lambda value, node: value.setdefault(name, []).append(inner(node))
    if shape.kind == "map" and shape.has("flattened"):
        pair = _pair(shape)
        return lambda value, node: value.setdefault(name, {}).update((pair(node),))
    whole = reader(shape)

    def put(value: dict[str, Any], node: Element) -> None:
        if name in value:
            raise UnreadableError(f"{local_name(node.tag)[:80]} is there twice")
        value[name] = whole(node)

    return put


def _names(name: str, member: Shape) -> set[str]:
    """Return the element names of a member; a flattened list's may be that of its elements or its own."""
    wire = member.wire_name(name)
    flat = member.kind == "list" and member.has("flattened")
    return {local.rpartition(":")[2] for local in ({wire, member.member.wire_name(wire)} if flat else {wire})}
