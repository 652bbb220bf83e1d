"""Properties of a searched record by the names that callers write ("HyperParameters.eta", "Tags.team")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

BY_USERS = frozenset(
    {
        "customermetadataproperties", "environment", "hyperparameters", "inputartifacts", "metrics", "outputartifacts",
        "parameters", "tags",
    }
)  # fmt: skip
"""Properties that are maps, in plain spelling: what follows them in a name is a key, which may have dots of its own."""

_ONE_OF = ("number_value", "string_value", "last")
"""Members that a structure stands for where a name ends with it: a parameter's value, the last value of a metric."""

_STATISTICS = ("min", "max", "last", "avg", "std_dev", "count")


def plain(name: str) -> str:
    """Return a member's name in the spelling in which "AutoMLJobArn" and "auto_ml_job_arn" are the same."""
    return name.replace("_", "").lower()


def searchable(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a search record in which names find all that it has: its tags and metrics by name."""
    found = {**(document.get("model") or {}), **document}
    found["tags"] = {each["key"]: each["value"] for each in found.get("tags") or ()}
    if "final_metric_data_list" in found:
        found["metrics"] = {each["metric_name"]: each["value"] for each in found["final_metric_data_list"]}
    elif "metrics" in found:
        found["metrics"] = {
            each["metric_name"]: {name: each[name] for name in _STATISTICS if name in each} for each in found["metrics"]
        }
    return found


def values(document: Any, name: str) -> list[Any]:
    """Return what a record has under a name, of every element where it leads through a list."""
    return list(_walk(document, name.split("."), by_users=False))


def elements(document: Mapping[str, Any], name: str) -> list[Any]:
    """Return the elements of the list that a record has under a name; none where it is no list."""
    parts = name.split(".")
    found: Any = document
    for part in parts:
        if not isinstance(found, Mapping):
            return []
        found = next((each for key, each in found.items() if plain(key) == plain(part)), None)
    return list(found) if isinstance(found, list) else []


def _walk(value: Any, parts: Sequence[str], *, by_users: bool) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _walk(each, parts, by_users=by_users)
    elif not parts:
        yield from _ends(value)
    elif isinstance(value, Mapping):
        if by_users:
            for count in range(len(parts), 0, -1):
                key = ".".join(parts[:count])
                if key in value:
                    yield from _walk(value[key], parts[count:], by_users=False)
                    return
            return
        wanted = plain(parts[0])
        for key, each in value.items():
            if plain(key) == wanted:
                yield from _walk(each, parts[1:], by_users=wanted in BY_USERS)


def _ends(value: Any) -> Iterator[Any]:
    """Yield what a name that ends here stands for: of a map its keys and what these have."""
    if isinstance(value, Mapping):
        member = next((name for name in _ONE_OF if name in value), None)
        if member is not None:
            yield value[member]
            return
        for key, each in value.items():
            yield key
            yield from _walk(each, (), by_users=False)
    elif value is not None:
        yield value
