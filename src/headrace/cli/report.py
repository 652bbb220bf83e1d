"""`headrace report`: renders report.html anew and opens it."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path

import typer


def report_command(out: Path, *, open_browser: bool) -> None:
    """Render OUT/report.html from OUT/report.json; open it where there is a screen to look at."""
    from headrace.ml.report import render_report

    page = render_report(out).absolute()
    typer.echo(str(page))
    if open_browser and sys.stdout.isatty():
        webbrowser.open(page.as_uri())
