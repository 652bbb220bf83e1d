"""`headrace monitor`: what drifted, how the model does now, and whether to retrain."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from headrace.ml.errors import OutputError

CHANGED = 3
"""The exit code where there is something to act on."""
_COLOURS = {"keep": "green", "watch": "yellow", "unknown": "yellow", "repair": "red", "retrain": "red"}


def monitor_command(
    model_folder: Path, source: str, *, target: str | None, out: Path | None, as_json: bool, joins: Sequence[str]
) -> int:
    """Monitor a model on a table; return 0 where nothing changed that matters, else `CHANGED`."""
    from headrace.cli.joins import join_for_model
    from headrace.ml.monitoring import monitor_model
    from headrace.ml.prediction import load
    from headrace.ml.report.monitoring import monitoring_document, write_monitoring
    from headrace.ml.tables import read_table
    from headrace.ml.tables.table import shown_source

    if out is not None and out.exists() and not out.is_dir():
        raise OutputError(f"{out} is a file; name a folder for the page with --out")
    model = load(model_folder)
    table = join_for_model(model, read_table(source), joins)
    record = monitor_model(model, table, target=target)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    about = {"predicted": model.manifest.target, "source": shown_source(source), "created": created}
    document = monitoring_document(record, model=about)
    if out is not None:
        write_monitoring(out, document)
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False))
    else:
        _show(document, out)
    return CHANGED if record.changed else 0


def _show(document: Mapping[str, Any], out: Path | None) -> None:
    from rich.console import Console, Group
    from rich.panel import Panel
    from rich.text import Text

    from headrace.ml.report.formats import sentence

    console = Console(highlight=False)
    verdict = str(document["verdict"])
    lines = [Text(verdict.upper(), style=f"bold {_COLOURS[verdict]}")]
    lines += [Text(f"• {sentence(reason)}") for reason in document["reasons"]]
    console.print(Panel(Group(*lines), title="Verdict", title_align="left"))
    console.print(_performance(document)) if document["measured"] or document["estimated"] else None
    said = set(document["reasons"])
    for finding in document["findings"]:
        if finding["sentence"] not in said:
            console.print(Text(f"{finding['level']:6} {sentence(finding['sentence'])}"))
    for note in document["notes"]:
        console.print(Text(f"note   {note}"))
    for place, advice in enumerate(document["advice"], 1):
        console.print(Text(f"{place}. {advice}"))
    console.print(Text(f"page   {out / 'monitoring.html'}" if out else "page   add --out DIR for a page with charts"))


def _performance(document: Mapping[str, Any]) -> Any:
    from rich.table import Table

    from headrace.ml.report.formats import number

    table = Table(title="Performance", title_justify="left", box=None, padding=(0, 2))
    for heading in ("metric", "test part", "estimated now", "measured now"):
        table.add_column(heading, justify="left" if heading == "metric" else "right")
    found = {key: {each["metric"]: each for each in document[key]} for key in ("estimated", "measured")}
    for name in dict.fromkeys((*found["measured"], *found["estimated"])):
        cells = [found[key].get(name) for key in ("estimated", "measured")]
        tested = next((each["test"] for each in cells if each and each["test"] is not None), None)
        shown = [f"{number(e['value'])} ({number(e['low'])} … {number(e['high'])})" if e else "" for e in cells]
        table.add_row(name, number(tested), *shown)
    return table
