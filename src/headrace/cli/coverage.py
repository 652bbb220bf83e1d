"""`headrace coverage`: which operations of which services are built, read from the classes themselves."""

from __future__ import annotations

import json

from headrace.aws.services import BUILT, Coverage, coverage_of
from headrace.ml.errors import OptionError


def coverage_command(service: str | None, *, as_json: bool, markdown: bool) -> None:
    """Print a line a service, or every operation of one."""
    if service is not None and service not in BUILT:
        raise OptionError(f"no operation of the service {service!r} is built; choose one of {', '.join(BUILT)}")
    found = [coverage_of(name) for name in ((service,) if service else BUILT)]
    if as_json:
        print(json.dumps({each.service: {"built": each.built, "missing": each.missing} for each in found}, indent=2))  # noqa: T201
    elif markdown:
        print(markdown_table(found))  # noqa: T201
    elif service:
        _print_operations(found[0])
    else:
        for each in found:
            print(f"{each.service:<28}{len(each.built):>5} of {len(each.built) + len(each.missing):>4} operations")  # noqa: T201


def markdown_table(found: list[Coverage]) -> str:
    """Return the coverage page's table and lists as Markdown."""
    lines = ["| service | built | in the model |", "| --- | ---: | ---: |"]
    lines += [
        f"| [{each.service}](#{each.service}) | {len(each.built)} | {len(each.built) + len(each.missing)} |"
        for each in found
    ]
    for each in found:
        lines += ["", f"## {each.service}", "", "Built: " + ", ".join(f"`{name}`" for name in each.built) + "."]
        if each.missing:
            lines += ["", "Not built: " + ", ".join(each.missing) + "."]
    return "\n".join(lines)


def _print_operations(each: Coverage) -> None:
    for name in sorted([*each.built, *each.missing]):
        print(f"{'built' if name in each.built else '-':<6}{name}")  # noqa: T201
