"""`headrace decide`: other costs, bounds or capacity on a finished run; nothing is trained."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer


def decide_command(
    out: Path,
    *,
    cost: list[str],
    costs: Path | None,
    at_least: list[str],
    at_most: list[str],
    write: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Decide anew and print the decision; `asked` are the other fields of the request."""
    from headrace.ml.applications.deciding import Request, decide, merge_prices, parse_bounds, parse_prices, read_prices

    request = Request(
        costs=merge_prices({} if costs is None else read_prices(costs), parse_prices(cost)),
        at_least=parse_bounds(at_least, "--at-least"),
        at_most=parse_bounds(at_most, "--at-most"),
        **asked,
    )
    found = decide(out, request, write=write)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    from headrace.cli.decision_screen import show

    show(found, sys.stdout)
    if write:
        typer.echo(f"written: {out / 'model'}, report.json, report.html and predictions.csv in {out}")
