"""A model's constraints (required, enum, length, range, pattern), compiled once a shape, in AWS's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from headrace.aws.specification.patterns import matches
from headrace.aws.specification.shapes import Shape

_NUMBERS = frozenset({"integer", "long", "float", "double"})
_NESTED = frozenset({"structure", "list", "map"})
_SHOWN = 1000


class Violation(NamedTuple):
    """A value at `path` ("tags.1.member.key", "" for the value itself) that breaks `constraint`; `value` None is null.

    `shape` is what the value should have been.
    """

    path: str
    value: Any
    constraint: str
    shape: Shape

    def sentence(self) -> str:
        """Return AWS's description, without the value when the model marks it sensitive."""
        shown = "" if self.shape.has("sensitive") and self.value is not None else f" {_shown(self.shape, self.value)}"
        return f"Value{shown} at '{self.path}' failed to satisfy constraint: {self.constraint}"


Check = Callable[[Any], list[Violation] | None]


def violations(shape: Shape | None, value: Any) -> list[Violation]:
    """Return every violation within a value, in the model's order."""
    check = _check(shape) if shape else None
    return (check(value) if check else None) or []


def _check(shape: Shape) -> Check | None:
    if shape.kind in _NESTED:
        check = shape.compiled(_compile)
        return None if check is _nothing else check
    found = _rules(shape)
    return shape.compiled(_compile) if found else None


def _compile(shape: Shape) -> Check:
    if shape.kind == "structure":
        return _nothing if shape.has("document") or shape.has("eventstream") else _structure(shape)
    if shape.kind == "list":
        return _list(shape)
    if shape.kind == "map":
        return _map(shape)
    return _own(shape)


def _structure(shape: Shape) -> Check:
    required = tuple((name, shape.members[name]) for name in shape.traits.get("required", ()) if name in shape.members)
    found = ((name, _check(member)) for name, member in shape.members.items())
    checks = tuple((name, check) for name, check in found if check)
    if not required and not checks:
        return _nothing

    def check(value: Any) -> list[Violation] | None:
        problems: list[Violation] = []
        for name, member in required:
            if value.get(name) is None:
                problems.append(Violation(_camel(name), None, "Member must not be null", member))
        for name, nested in checks:
            each = value.get(name)
            if each is not None and (inner := nested(each)):
                problems.extend(_below(_camel(name), inner))
        return problems or None

    return check


def _list(shape: Shape) -> Check:
    own, nested = _rules(shape), _check(shape.member)
    scalars = shape.member.kind not in _NESTED
    if not own and not nested:
        return _nothing

    def check(value: Any) -> list[Violation] | None:
        problems = [Violation("", value, text, shape) for broken, text in own if broken(value)]
        if nested and scalars:
            if any(each is not None and nested(each) for each in value):
                problems.append(Violation("", value, f"Member must satisfy constraint: {_all(shape.member)}", shape))
        elif nested:
            for position, each in enumerate(value, 1):
                if each is not None and (inner := nested(each)):
                    problems.extend(_below(f"{position}.member", inner))
        return problems or None

    return check


def _map(shape: Shape) -> Check:
    own, keys, values = _rules(shape), _check(shape.key), _check(shape.value)
    scalars = shape.value.kind not in _NESTED
    if not own and not keys and not values:
        return _nothing

    def check(value: Any) -> list[Violation] | None:
        problems = [Violation("", value, text, shape) for broken, text in own if broken(value)]
        if keys and any(keys(key) for key in value):
            problems.append(Violation("", value, f"Map keys must satisfy constraint: {_all(shape.key)}", shape))
        if values and scalars:
            if any(each is not None and values(each) for each in value.values()):
                problems.append(Violation("", value, f"Map value must satisfy constraint: {_all(shape.value)}", shape))
        elif values:
            for key, each in value.items():
                if each is not None and (inner := values(each)):
                    problems.extend(_below(f"{key}.member", inner))
        return problems or None

    return check


def _own(shape: Shape) -> Check:
    rules = _rules(shape)

    def check(value: Any) -> list[Violation] | None:
        for broken, _ in rules:
            if broken(value):
                return [Violation("", value, text, shape) for fails, text in rules if fails(value)]
        return None

    return check


def _rules(shape: Shape) -> list[tuple[Callable[[Any], bool], str]]:
    """Return what breaks a value of this shape by itself, each with AWS's words for it."""
    traits, rules = shape.traits, list[tuple[Callable[[Any], bool], str]]()
    low, high = traits.get("min"), traits.get("max")
    if shape.kind in _NUMBERS:
        if high is not None:
            rules.append((lambda value: value > high, f"Member must have value less than or equal to {high}"))
        if low is not None:
            rules.append((lambda value: value < low, f"Member must have value greater than or equal to {low}"))
        return rules
    if high is not None:
        rules.append((lambda value: len(value) > high, f"Member must have length less than or equal to {high}"))
    if low:
        rules.append((lambda value: len(value) < low, f"Member must have length greater than or equal to {low}"))
    if shape.kind == "string":
        rules.extend(_text_rules(traits.get("enum"), traits.get("pattern"), secret=shape.has("sensitive")))
    return rules


def _text_rules(
    enum: list[str] | None, pattern: str | None, *, secret: bool
) -> list[tuple[Callable[[Any], bool], str]]:
    rules: list[tuple[Callable[[Any], bool], str]] = []
    if enum:
        allowed = frozenset(enum)
        rules.append((lambda value: value not in allowed, f"Member must satisfy enum value set: [{', '.join(enum)}]"))
    if pattern:
        words = f"Member must satisfy regular expression pattern: {pattern}"
        rules.append((lambda value: not matches(pattern, value, secret=secret), words))
    return rules


def _all(shape: Shape) -> str:
    return f"[{', '.join(text for _, text in _rules(shape))}]"


def _below(prefix: str, problems: list[Violation]) -> list[Violation]:
    return [each._replace(path=f"{prefix}.{each.path}" if each.path else prefix) for each in problems]


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _shown(shape: Shape, value: Any) -> str:
    text = _text(shape, value) if value is not None else "null"
    text = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return "null" if value is None else f"'{text}'"


def _text(shape: Shape, value: Any) -> str:
    """Write a value as Java writes it, sensitive ones covered."""
    if value is None:
        return "null"
    if shape.has("sensitive"):
        return "*** Sensitive Data Redacted ***"
    if shape.kind == "list":
        return f"[{', '.join(_text(shape.member, each) for each in value[:_SHOWN])}]"
    if shape.kind == "map":
        return "{" + ", ".join(f"{key}={_text(shape.value, each)}" for key, each in value.items()) + "}"
    if shape.kind == "structure" and not shape.has("document"):
        members = (f"{_camel(name)}={_text(shape.members[name], each)}" for name, each in value.items())
        return f"{shape.name}({', '.join(members)})"
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)


def _nothing(_: Any) -> None:
    return None
