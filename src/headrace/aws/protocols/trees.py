"""Values as nested mappings and lists, which JSON and CBOR carry: read and written by shape, compiled once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headrace.aws.protocols.scalars import UnreadableError
from headrace.aws.specification import Shape, UnknownMemberError

Function = Callable[[Any], Any]


def same(value: Any) -> Any:
    """Return the value as it is."""
    return value


class TreeFormat:
    """How one format's scalars are read and written; structures, lists and maps are the same in all.

    `readers` and `writers` map a kind of scalar to what makes its function of a shape; `same` is none.
    """

    def __init__(
        self, readers: Mapping[str, Callable[[Shape], Function]], writers: Mapping[str, Callable[[Shape], Function]]
    ):
        self._readers = readers
        self._writers = writers
        self._make_reader = self._compile_reader
        self._make_writer = self._compile_writer

    def reader(self, shape: Shape) -> Function:
        """Return the function from a decoded value to one of the model's casing; it raises UnreadableError."""
        return shape.compiled(self._make_reader)

    def writer(self, shape: Shape) -> Function:
        """Return the function from a value of the model's casing to one that can be encoded."""
        return shape.compiled(self._make_writer)

    def structure_reader(self, shape: Shape, members: Mapping[str, Shape]) -> Function:
        """Return the reader of a structure that has only these members in the body."""
        readers = {member.wire_name(name): (name, self.reader(member)) for name, member in members.items()}
        union = shape.has("union")

        def read(value: Any) -> Any:
            if type(value) is not dict:
                raise UnreadableError(_not_a("structure", value))
            found = {}
            for wire, each in value.items():
                known = readers.get(wire)
                if known is not None and each is not None:
                    found[known[0]] = known[1](each)
            if union and len(found) != 1:
                raise UnreadableError(f"Exactly one member of the union {shape.name} must be set")
            return found

        return read

    def structure_writer(self, shape: Shape, members: Mapping[str, Shape]) -> Function:
        """Return the writer of a structure that has only these members in the body."""
        writers = {name: (member.wire_name(name), self.writer(member)) for name, member in members.items()}

        def write(value: Any) -> Any:
            written = {}
            for name, each in value.items():
                if each is None:
                    continue
                known = writers.get(name)
                if known is None:
                    raise UnknownMemberError(f"{shape.service} {shape.name} has no member {name!r} in its body")
                wire, writer = known
                written[wire] = each if writer is same else writer(each)
            return written

        return write

    def _compile_reader(self, shape: Shape) -> Function:
        if shape.kind == "structure":
            return same if shape.has("document") else self.structure_reader(shape, shape.members)
        if shape.kind == "list":
            element = self.reader(shape.member)

            def read_list(value: Any) -> Any:
                if type(value) is not list:
                    raise UnreadableError(_not_a("list", value))
                return [None if each is None else element(each) for each in value]

            return read_list
        if shape.kind == "map":
            of_key, of_value = self.reader(shape.key), self.reader(shape.value)

            def read_map(value: Any) -> Any:
                if type(value) is not dict:
                    raise UnreadableError(_not_a("map", value))
                return {of_key(key): None if each is None else of_value(each) for key, each in value.items()}

            return read_map
        return self._readers[shape.kind](shape)

    def _compile_writer(self, shape: Shape) -> Function:
        if shape.kind == "structure":
            return same if shape.has("document") else self.structure_writer(shape, shape.members)
        if shape.kind in {"list", "map"}:
            nested = self.writer(shape.member if shape.kind == "list" else shape.value)
            if nested is same:
                return same
            if shape.kind == "list":
                return lambda value: [None if each is None else nested(each) for each in value]
            return lambda value: {key: None if each is None else nested(each) for key, each in value.items()}
        make = self._writers.get(shape.kind)
        return make(shape) if make else same


_NAMES = {str: "STRING_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE", list: "START_ARRAY", dict: "START_OBJECT"}
_WANTED = {
    "structure": "Unexpected value type in payload",
    "list": "Expected list or null",
    "map": "Expected map or null",
}


def described(value: Any) -> str:
    """Return what a value is, in the words of AWS's parsers: STRING_VALUE, NUMBER_VALUE, TRUE_VALUE."""
    if value is True or value is False:
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    return _NAMES.get(type(value), type(value).__name__.upper())


def _not_a(kind: str, value: Any) -> str:
    if type(value) in {dict, list}:
        return (
            "Start of structure or map found where not expected."
            if type(value) is dict
            else "Start of list found where not expected"
        )
    return _WANTED[kind]
