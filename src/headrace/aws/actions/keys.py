"""Condition keys that derive from the request itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from headrace.aws.actions.declarations import Action, Declared, Parameters
from headrace.aws.actions.values import at, tag_keys, tags

Filled = Mapping[str, tuple[tuple[str, str], ...]]
"""By parameter: the condition keys that take values from it, each with the path of these."""

_REQUEST_TAG = "aws:RequestTag/${TagKey}"
_OBJECT_TAG = "s3:RequestObjectTag/<key>"
_VISIBILITY = "sagemaker:SearchVisibilityCondition/"


def filled(action: Action, declared: Declared) -> Filled:
    """Return how the condition keys of an action are filled from parameters."""
    found: defaultdict[str, tuple[tuple[str, str], ...]] = defaultdict(tuple)
    for key in action.keys:
        for path in declared.keys.get(key, ()):
            found[path.partition(".")[0].removesuffix("[]")] += ((key, path),)
    return dict(found)


def of_request(action: Action, how: Filled, parameters: Parameters) -> dict[str, tuple[str, ...]]:
    """Return the condition keys of an action that a request gives values for."""
    found: dict[str, tuple[str, ...]] = {}
    if "aws:TagKeys" in action.keys or _REQUEST_TAG in action.keys:
        found |= _tags(parameters, "aws:RequestTag/", "aws:TagKeys")
    if _OBJECT_TAG in action.keys:
        found |= _tags(parameters, "s3:RequestObjectTag/", "s3:RequestObjectTagKeys")
    if f"{_VISIBILITY}${{FilterKey}}" in action.keys:
        for each in parameters.get("visibility_conditions") or ():
            value = (str(each.get("value", "")),)
            found |= {f"{_VISIBILITY}{each.get('key')}{ending}": value for ending in ("", "/EqualsIfExists")}
    for name in parameters:
        for key, path in how.get(name, ()):
            values = dict.fromkeys((*found.get(key, ()), *at(parameters, path)))
            if values:
                found[key] = tuple(values)
    return found


def _tags(parameters: Parameters, prefix: str, keys: str) -> dict[str, tuple[str, ...]]:
    named = tag_keys(parameters)
    if not named:
        return {}
    return {keys: named} | {f"{prefix}{key}": (value,) for key, value in tags(parameters).items()}
