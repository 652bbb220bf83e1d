"""`headrace report`: renders report.html anew and opens it."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path

import typer


def report_command(out: Path, *, open_browser: bool) -> None:
    """Render OUT/report.html from OUT/report.json; open it where there is a screen to look at."""
    from headrace.ml.report import load_report, write_report

    write_report(out, load_report(out / "report.json" if out.is_dir() else out))
    page = ((out if out.is_dir() else out.parent) / "report.html").absolute()
    typer.echo(str(page))
    if open_browser and sys.stdout.isatty():
        webbrowser.open(page.as_uri())
