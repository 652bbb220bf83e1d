"""Writing report.json and report.html, and reading report.json back."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace.ml.errors import OutputError, SourceError
from headrace.ml.report.document import SCHEMA_VERSION
from headrace.ml.report.page import render_html

REQUIRED = ("task", "metrics", "decision", "reasons", "steps", "business", "candidates")


def write_report(folder: Path, document: Mapping[str, Any]) -> None:
    """Write report.json and report.html into `folder`, each whole or not at all; raises OutputError."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(folder / "report.json", text + "\n")
    write_whole(folder / "report.html", render_html(document))


def write_whole(path: Path, text: str) -> None:
    """Write a text file, whole or not at all; raises OutputError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}); free some space or choose another --out"
        ) from error


def load_report(path: Path) -> dict[str, Any]:
    """Read report.json (`path` is the file or its folder); raises SourceError where it is damaged or foreign."""
    path = path / "report.json" if path.is_dir() else path
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read ({error.strerror or error}); give the folder that a run left"
        ) from error
    except (ValueError, RecursionError) as error:
        raise SourceError(f"{path} is not a report: it is not valid JSON ({error}); run headrace again") from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if not isinstance(version, str) or not version.split(".")[0].isdigit():
        raise SourceError(f"{path} is not a report: it has no schema_version; give the report.json that a run left")
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise SourceError(
            f"{path} has schema version {version} and this Headrace reads {SCHEMA_VERSION}; use the "
            "Headrace that wrote it"
        )
    report: dict[str, Any] = document
    missing = [key for key in REQUIRED if key not in report]
    if missing:
        raise SourceError(f"{path} is damaged: '{missing[0]}' is missing; run headrace again")
    return report


def render_report(out: Path) -> Path:
    """Write report.html anew beside report.json (`out` is the file or its folder) and return its path.

    Raises SourceError where report.json is damaged.
    """
    path = out / "report.json" if out.is_dir() else out
    document = load_report(path)
    try:
        page = render_html(document)
    except Exception as error:  # a damaged document breaks templates and charts in any place
        raise SourceError(
            f"{path} is damaged: it cannot be shown ({type(error).__name__}: {error}); run headrace again"
        ) from error
    write_whole(path.with_name("report.html"), page)
    return path.with_name("report.html")
