"""Condition keys that derive from the request itself."""

from __future__ import annotations

from headrace.aws.actions.declarations import Declared, Parameters
from headrace.aws.actions.definitions import Action
from headrace.aws.actions.values import at, tag_keys, tags

_REQUEST_TAG = "aws:RequestTag/${TagKey}"
_OBJECT_TAG = "s3:RequestObjectTag/<key>"


def wanted(action: Action, declared: Declared) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the condition keys of an action that declarations fill from parameters, with the paths of these."""
    return tuple((key, declared.keys[key]) for key in action.keys if key in declared.keys)


def of_request(
    action: Action, filled: tuple[tuple[str, tuple[str, ...]], ...], parameters: Parameters
) -> dict[str, tuple[str, ...]]:
    """Return the condition keys of an action that a request gives values for; `filled` is what `wanted` tells."""
    found: dict[str, tuple[str, ...]] = {}
    if "aws:TagKeys" in action.keys or _REQUEST_TAG in action.keys:
        found |= _tags(parameters, "aws:RequestTag/", "aws:TagKeys")
    if _OBJECT_TAG in action.keys:
        found |= _tags(parameters, "s3:RequestObjectTag/", "s3:RequestObjectTagKeys")
    for key, paths in filled:
        given = [path for path in paths if path.partition(".")[0].removesuffix("[]") in parameters]
        values = tuple(dict.fromkeys(value for path in given for value in at(parameters, path)))
        if values:
            found[key] = values
    return found


def _tags(parameters: Parameters, prefix: str, keys: str) -> dict[str, tuple[str, ...]]:
    named = tag_keys(parameters)
    if not named:
        return {}
    return {keys: named} | {f"{prefix}{key}": (value,) for key, value in tags(parameters).items()}
