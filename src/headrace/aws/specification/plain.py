"""A model's members and plain data's snake_case names, both ways, compiled once a shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from headrace.aws.specification.shapes import Shape, snake_case

Translation = Callable[[Any], Any]
_NESTED = frozenset({"structure", "list", "map"})


class UnknownMemberError(TypeError):
    """An operation answered with a member that the model does not have."""


def to_plain(shape: Shape | None, value: dict[str, Any]) -> dict[str, Any]:
    """Return parameters of the model's casing with snake_case names; keys of maps are left alone."""
    plain: dict[str, Any] = shape.compiled(_to_plain)(value) if shape else {}
    return plain


def from_plain(shape: Shape | None, value: dict[str, Any] | None) -> dict[str, Any]:
    """Return an operation's answer in the model's casing, members that are None left out; raises UnknownMemberError."""
    if shape is None:
        if value:
            raise UnknownMemberError(f"the answer has members {sorted(value)}, and the model has no output here")
        return {}
    cased: dict[str, Any] = shape.compiled(_from_plain)(value or {})
    return cased


def _to_plain(shape: Shape) -> Translation:
    if shape.kind == "list":
        return _each(_nested(shape.member, _to_plain))
    if shape.kind == "map":
        return _values(_nested(shape.value, _to_plain))
    if shape.kind != "structure" or shape.has("document"):
        return _same
    members = {name: (snake_case(name), _nested(member, _to_plain)) for name, member in shape.members.items()}

    def translate(value: dict[str, Any]) -> dict[str, Any]:
        plain = {}
        for name, each in value.items():
            new_name, nested = members[name]
            plain[new_name] = each if nested is None or each is None else nested(each)
        return plain

    return translate


def _from_plain(shape: Shape) -> Translation:
    if shape.kind == "list":
        return _each(_nested(shape.member, _from_plain))
    if shape.kind == "map":
        return _values(_nested(shape.value, _from_plain))
    if shape.kind != "structure" or shape.has("document"):
        return _same
    members = {plain: (name, _nested(shape.members[name], _from_plain)) for plain, name in shape.plain_names.items()}

    def translate(value: dict[str, Any]) -> dict[str, Any]:
        cased = {}
        for name, each in value.items():
            if each is None:
                continue
            try:
                new_name, nested = members[name]
            except KeyError:
                raise UnknownMemberError(
                    f"{shape.service} {shape.name} has no member {name!r}, only {sorted(members)}"
                ) from None
            cased[new_name] = each if nested is None else nested(each)
        return cased

    return (lambda events: _lazily(events, translate)) if shape.has("eventstream") else translate


def _nested(shape: Shape, make: Callable[[Shape], Translation]) -> Translation | None:
    if shape.kind not in _NESTED:
        return None
    translation = shape.compiled(make)
    return None if translation is _same else translation


def _each(nested: Translation | None) -> Translation:
    if nested is None:
        return _same
    return lambda value: [None if each is None else nested(each) for each in value]


def _values(nested: Translation | None) -> Translation:
    if nested is None:
        return _same
    return lambda value: {key: None if each is None else nested(each) for key, each in value.items()}


def _lazily(events: Iterable[Any], translate: Translation) -> Iterator[Any]:
    for event in events:
        yield translate(event)


def _same(value: Any) -> Any:
    return value
