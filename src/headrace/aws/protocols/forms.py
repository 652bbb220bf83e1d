"""Forms of the query protocol as values of shapes: `Tags.member.1.Key=a` and so on, compiled once a shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

from headrace.aws.protocols.http_request import check_query
from headrace.aws.protocols.scalars import UnreadableError, text_reader
from headrace.aws.specification import Shape
from headrace.server.messages import Request

Tree = dict[str | None, Any]
Reader = Callable[[Tree], Any]
TEXT = None
"""Under this name a tree holds its own text, beside its branches."""
_DEPTH = 64
FIELDS = 50_000
"""The most fields that one form may have."""


def fields(request: Request, body: bytes) -> Iterable[tuple[str, str]]:
    """Return the decoded fields of a request's query and form; raises UnreadableError on what is no form."""
    if request.query:
        check_query(request)
    if not body:
        return request.parameters
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except (UnicodeError, ValueError):
        raise UnreadableError("The form is malformed, is not UTF-8 or has too many fields") from None
    if b"%00" in body:
        raise UnreadableError("The form holds a zero character")
    return (*request.parameters, *pairs) if request.query else pairs


def form_tree(request: Request, body: bytes) -> Tree:
    """Return a form's fields as a tree along the dots of their names; raises UnreadableError."""
    tree: Tree = {}
    for name, value in fields(request, body):
        branch = tree
        if "." in name:
            if name.count(".") > _DEPTH:
                raise UnreadableError(f"The name of the field {name[:80]} nests too deep")
            for part in name.split("."):
                branch = branch.setdefault(part, {})
        else:
            branch = branch.setdefault(name, {})
        if TEXT in branch:
            raise UnreadableError(f"The field {name[:80]} is there twice")
        branch[TEXT] = value
    return tree


def reader(shape: Shape) -> Reader:
    """Return the function from a branch of the tree to a value of the model's casing; it raises UnreadableError."""
    return shape.compiled(_reader)


def _reader(shape: Shape) -> Reader:
    if shape.kind == "structure":
        return _structure(shape)
    if shape.kind == "list":
        tag = "" if shape.has("flattened") else shape.member.wire_name("member")
        return _list(shape, tag)
    if shape.kind == "map":
        return _map(shape)
    read = text_reader(shape)

    def read_scalar(branch: Tree) -> Any:
        if TEXT not in branch:
            raise UnreadableError(f"Unexpected structure where a {shape.kind} was expected")
        return read(branch[TEXT])

    return read_scalar


def _structure(shape: Shape) -> Reader:
    readers: dict[str | None, tuple[str, Reader]] = {}
    for name, member in shape.members.items():
        readers[member.wire_name(name)] = (name, reader(member))
        if member.kind == "list" and member.has("flattened"):
            readers.setdefault(member.member.wire_name(member.wire_name(name)), (name, reader(member)))

    def read(tree: Tree) -> Any:
        value = {}
        for wire, branch in tree.items():
            known = readers.get(wire)
            if known is not None:
                value[known[0]] = known[1](branch)
        return value

    return read


def _list(shape: Shape, tag: str) -> Reader:
    inner = reader(shape.member)

    def read(branch: Tree) -> Any:
        numbered = branch.get(tag, {}) if tag else branch
        return [inner(each) for each in _in_order(numbered)]

    return read


def _map(shape: Shape) -> Reader:
    key, value = reader(shape.key), reader(shape.value)
    key_name, value_name = shape.key.wire_name("key"), shape.value.wire_name("value")
    flat = shape.has("flattened")

    def read(branch: Tree) -> Any:
        found = {}
        for entry in _in_order(branch if flat else branch.get("entry", {})):
            if key_name not in entry or value_name not in entry:
                raise UnreadableError(f"An entry needs {key_name} and {value_name}")
            found[key(entry[key_name])] = value(entry[value_name])
        return found

    return read


def _in_order(numbered: Tree) -> list[Tree]:
    """Return the branches "1", "2", … in the order of their numbers."""
    positions = [name for name in numbered if name is not None]
    for name in positions:
        if not (name.isascii() and name.isdigit() and len(name) < 10):
            raise UnreadableError(f"Expected the position of an element, not {name[:80]}")
    return [numbered[name] for name in sorted(positions, key=int)]
