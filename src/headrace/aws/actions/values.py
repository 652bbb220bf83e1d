"""Values of an operation's parameters: those at a path, its tags, the ARNs in it, the roles that it passes on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from headrace.aws.actions.declarations import Parameters

_TAGS = ("tags", "tags_list", "tag_list", "tagging", "tags_to_add")
_ARN_MEMBER = re.compile(r"(^|_)arns?($|_)")
_ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/.+")


@cache
def snake(name: str) -> str:
    """Return a name of AWS's tables ("TrainingJobName", "featureGroup", "model-package") in snake_case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).replace("-", "_").lower()


def at(parameters: Any, path: str) -> Iterator[str]:
    """Yield the values at a path like "production_variants[].instance_type" as the texts that policies compare."""
    name, _, rest = path.partition(".")
    many = name.endswith("[]")
    found = parameters.get(name.removesuffix("[]")) if isinstance(parameters, Mapping) else None
    for each in (found or ()) if many else (found,):
        if rest:
            yield from at(each, rest)
        elif each is not None:
            yield from _texts(each)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, datetime):
        yield value.isoformat()
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str | int | float):
        yield str(value)


def tags(parameters: Parameters) -> dict[str, str]:
    """Return the tags that a request gives, in whichever of AWS's shapes: a list of pairs, a map, or S3's header."""
    holding = {**(parameters.get("create_bucket_configuration") or {}), **parameters}
    given = next((holding[name] for name in _TAGS if holding.get(name)), ())
    if isinstance(given, str):
        return dict(parse_qsl(given, keep_blank_values=True))
    if isinstance(given, Mapping):
        given = given.get("tag_set", given)
    if isinstance(given, Mapping):
        return {str(key): str(value) for key, value in given.items()}
    return {
        str(each.get("key", each.get("tag_key"))): str(each.get("value", each.get("tag_value")) or "")
        for each in given
        if isinstance(each, Mapping)
    }


def tag_keys(parameters: Parameters) -> tuple[str, ...]:
    """Return the keys of the tags that a request adds or removes."""
    removed = parameters.get("tag_keys") or ()
    return tuple(dict.fromkeys((*tags(parameters), *(str(each) for each in removed))))


def arns(parameters: Parameters) -> list[str]:
    """Return the ARNs in parameters that are meant for one, in structures and lists of names too.

    A text that happens to be an ARN (a description) is none: it must not stand for the resource.
    """
    found: list[str] = []
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            found += arns(value)
        elif _ARN_MEMBER.search(name):
            found += [each for each in _texts(value) if each.startswith("arn:")]
    return found


def roles(value: object, name: str = "") -> Iterator[str]:
    """Yield the ARNs of IAM roles in the members of a request that are meant for one: what it passes on."""
    if isinstance(value, Mapping):
        for member, each in value.items():
            yield from roles(each, str(member))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from roles(each, name)
    elif isinstance(value, str) and "role" in name and _ROLE.fullmatch(value):
        yield value
