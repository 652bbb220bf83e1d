"""The rows of the server's figures, one JSON file for all subjects."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

FILE = Path(__file__).parents[1] / "results" / "server.json"


def keep(subject: str, facts: dict[str, Any]) -> None:
    """Write the figures of one subject over those of its last run."""
    rows = json.loads(FILE.read_text()) if FILE.exists() else {}
    rows[subject] = facts
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(rows, indent=1) + "\n")


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"{time.strftime('%H:%M:%S')} load {os.getloadavg()[0]:.1f}  {text}", flush=True)


@contextmanager
def work_folder() -> Iterator[Path]:
    """Make a folder on the disk that is measured: that of this repository, or HEADRACE_BENCHMARK_FOLDER's."""
    place = os.environ.get("HEADRACE_BENCHMARK_FOLDER") or FILE.parents[2]
    with TemporaryDirectory(prefix=".benchmark-", dir=place) as name:
        yield Path(name)
