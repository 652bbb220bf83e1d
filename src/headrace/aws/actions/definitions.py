"""The tables of IAM actions: access level, resource types and condition keys of every action of a service."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headrace.aws.actions.declarations import Action
from headrace.aws.actions.declared import declared
from headrace.aws.specification.once import once

TABLES = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class Definition:
    """All actions of one IAM prefix by lower-case name, and the ARN templates of its resource types."""

    actions: Mapping[str, Action]
    resources: Mapping[str, str]


@once
def definition(prefix: str) -> Definition:
    """Return all actions of an IAM prefix ("s3"), newer ones too; raises LookupError as `published` does."""
    table, newer = published(prefix), declared(prefix)
    actions = {each.name.partition(":")[2].lower(): each for each in newer.newer}
    return Definition({**table.actions, **actions}, {**table.resources, **newer.newer_types})


@once
def published(prefix: str) -> Definition:
    """Return AWS's table of an IAM prefix; raises LookupError when there is none."""
    path = TABLES / f"{prefix}.json"
    if not path.is_file():
        raise LookupError(f"there is no table of the actions of {prefix}; add it to PREFIXES and run make actions")
    table = json.loads(path.read_text(encoding="utf-8"))
    actions = {
        name.lower(): Action(
            f"{prefix}:{name}",
            each["access"],
            tuple(each.get("required", ())),
            tuple(each.get("optional", ())),
            tuple(each.get("keys", ())),
            each.get("passes_role", False),
        )
        for name, each in table["actions"].items()
    }
    return Definition(actions, table["resources"])


def action(name: str) -> Action:
    """Return the action of a full name ("s3:GetObject", in any case); raises LookupError when AWS has none."""
    prefix, _, rest = name.partition(":")
    try:
        return definition(prefix).actions[rest.lower()]
    except KeyError:
        raise LookupError(f"AWS has no action {name}; name the one that is meant in declared/") from None
