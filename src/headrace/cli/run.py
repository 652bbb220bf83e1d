"""`headrace run`: the main job with its progress display and closing summary."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from headrace.cli import STARTED
from headrace.ml.adapters.threads import keep_to_one_thread
from headrace.ml.errors import OptionError, SourceError

_LARGE = 64 * 2**20
"""Bytes of a file from which on several threads read it faster."""


def run_command(table: str | None, target: str | None, *, charter: Path | None, quiet: bool, **options: Any) -> None:
    """Run the nine steps; `options` are those of `headrace.run`."""
    if table is None and options["resume"] is None:
        raise OptionError("no table is given; write: headrace run TABLE --target COL")
    if table is not None and options["resume"] is not None:
        raise OptionError("--resume goes on with the table it was started with; leave TABLE out")
    if charter is not None and not charter.exists():
        raise SourceError(f"the charter {charter} does not exist; write one with: headrace charter init {charter}")
    if _is_small(table) or (options["trials"] is None and _is_busy()):
        keep_to_one_thread()
    from headrace.ml.applications.automl import run

    if quiet:
        run(table, target, charter=charter, started=STARTED, **options)
        return
    from headrace.cli.screen import Screen

    with Screen(sys.stderr) as screen:
        record = run(table, target, charter=charter, started=STARTED, listener=screen.show, **options)
    screen.summarise(record.document, record.out)


def _is_small(table: str | None) -> bool:
    try:
        return table is None or Path(table).stat().st_size < _LARGE
    except OSError:  # an address, or a mistake that the reader will tell
        return True


def _is_busy() -> bool:
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > (os.cpu_count() or 1)
