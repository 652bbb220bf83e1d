"""Condition keys that derive from the request itself."""

from __future__ import annotations

from headrace.aws.actions.declarations import Declared, Parameters
from headrace.aws.actions.definitions import Action
from headrace.aws.actions.values import at, tag_keys, tags

_REQUEST_TAG = "aws:RequestTag/${TagKey}"
_OBJECT_TAG = "s3:RequestObjectTag/<key>"


def of_request(action: Action, declared: Declared, parameters: Parameters) -> dict[str, tuple[str, ...]]:
    """Return the condition keys of an action that a request gives values for."""
    found: dict[str, tuple[str, ...]] = {}
    if "aws:TagKeys" in action.keys or _REQUEST_TAG in action.keys:
        found |= _tags(parameters, "aws:RequestTag/", "aws:TagKeys")
    if _OBJECT_TAG in action.keys:
        found |= _tags(parameters, "s3:RequestObjectTag/", "s3:RequestObjectTagKeys")
    for key in action.keys:
        paths = declared.keys.get(key)
        if paths:
            values = tuple(dict.fromkeys(value for path in paths for value in at(parameters, path)))
            if values:
                found[key] = values
    return found


def _tags(parameters: Parameters, prefix: str, keys: str) -> dict[str, tuple[str, ...]]:
    named = tag_keys(parameters)
    if not named:
        return {}
    return {keys: named} | {f"{prefix}{key}": (value,) for key, value in tags(parameters).items()}
