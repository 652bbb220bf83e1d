"""The grammar of policy documents: JSON in, elements as lists out, or AWS's sentence on what is malformed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from headrace.server.errors import InvalidInput
from headrace.server.security.policy.conditions import Operator

VERSIONS = ("2012-10-17", "2008-10-17")
_TOP = frozenset(("Version", "Id", "Statement"))
_PRINCIPALS = ("AWS", "Service", "Federated", "CanonicalUser")
_LISTS = ("Action", "NotAction", "Resource", "NotResource")
_STATEMENT = frozenset(("Sid", "Effect", "Principal", "NotPrincipal", "Condition", *_LISTS))


class PolicyError(InvalidInput):
    """A policy document is malformed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="MalformedPolicyDocument")


class _Number(str):
    """A number of the document, kept as it is written."""

    __slots__ = ()


def refuse(explanation: str) -> NoReturn:
    """Raise AWS's sentence for what breaks the grammar, with an explanation after it."""
    raise PolicyError(f"Syntax errors in policy. {explanation}")


def read(text: str) -> dict[str, Any]:
    """Return the document with `Statement` as a list of statements whose elements are lists of texts.

    Principal becomes {kind: [names]}, with {"*": ["*"]} for everyone; Condition becomes
    {operator: {key: [values]}}. Raises PolicyError.
    """
    try:
        document = json.loads(
            text, object_pairs_hook=_members, parse_int=_Number, parse_float=_Number, parse_constant=_constant
        )
    except (ValueError, RecursionError):
        raise PolicyError("Syntax errors in policy. The document is not valid JSON.") from None
    if not isinstance(document, dict):
        refuse("The document is not a JSON object.")
    _known(document, _TOP, "The document")
    if "Version" in document and document["Version"] not in VERSIONS:
        refuse("The Version must be 2012-10-17 or 2008-10-17.")
    if not _text(document.get("Id", "")):
        refuse("The Id must be a string.")
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        refuse("The Statement must be an object or a list of objects.")
    return {**document, "Statement": [_statement(each, f"Statement {n}") for n, each in enumerate(statements, 1)]}


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        refuse(f"The key {next(name for name in names if names.count(name) > 1)!r} stands twice in one object.")
    return members


def _constant(name: str) -> NoReturn:
    refuse(f"{name} is no JSON value.")


def _text(value: object) -> bool:
    return type(value) is str


def _known(members: Mapping[str, Any], names: frozenset[str], where: str) -> None:
    unknown = next((name for name in members if name not in names), None)
    if unknown is not None:
        refuse(f"{where} has an unknown element {unknown!r}.")


def _statement(statement: object, where: str) -> dict[str, Any]:
    if not isinstance(statement, dict):
        refuse(f"{where} is not an object.")
    _known(statement, _STATEMENT, where)
    for name in ("Action", "Resource", "Principal"):
        if name in statement and f"Not{name}" in statement:
            refuse(f"{where} has both {name} and Not{name}.")
    if not _text(statement.get("Sid", "")):
        refuse(f"The Sid of {where.lower()} must be a string.")
    effect = statement.get("Effect")
    if not isinstance(effect, str) or effect.lower() not in ("allow", "deny"):
        refuse(f"The Effect of {where.lower()} must be Allow or Deny.")
    read = dict(statement)
    for name in _LISTS:
        if name in statement:
            read[name] = _texts(statement[name], f"The {name} of {where.lower()}")
    for name in ("Principal", "NotPrincipal"):
        if name in statement:
            read[name] = _principal(statement[name], f"The {name} of {where.lower()}")
    read["Condition"] = _conditions(statement.get("Condition", {}), f"The Condition of {where.lower()}")
    return read


def _texts(value: object, where: str) -> list[str]:
    values: list[Any] = value if isinstance(value, list) else [value]
    if not all(_text(each) for each in values):
        refuse(f"{where} must be a string or a list of strings.")
    return values


def _principal(value: object, where: str) -> dict[str, list[str]]:
    if value == "*":
        return {"*": ["*"]}
    if not isinstance(value, dict) or not value or not set(value) <= set(_PRINCIPALS):
        refuse(f"{where} must be * or an object of {', '.join(_PRINCIPALS)}.")
    return {kind: _texts(names, f"{kind} in {where.lower()}") for kind, names in value.items()}


def _conditions(value: object, where: str) -> dict[str, dict[str, list[str]]]:
    if not isinstance(value, dict):
        refuse(f"{where} must be an object.")
    read: dict[str, dict[str, list[str]]] = {}
    for operator, keys in value.items():
        if not isinstance(keys, dict):
            refuse(f"{where} must have an object under {operator!r}.")
        if keys and Operator.read(operator) is None:
            refuse(f"{where} has an unknown operator {operator!r}.")
        read[operator] = {key: _values(values, f"{where}: {key!r}") for key, values in keys.items()}
    return read


def _values(value: object, where: str) -> list[str]:
    values: Iterable[object] = value if isinstance(value, list) else [value]
    texts = [str(each).lower() if isinstance(each, bool) else each for each in values]
    if not all(isinstance(each, str) for each in texts):
        refuse(f"{where} must have strings, numbers or booleans as values.")
    return [str(each) for each in texts]
