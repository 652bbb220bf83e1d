"""The rows of the benchmark: one JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "results" / "forecasting.json"


def read() -> dict[str, Any]:
    """Return the rows that are there."""
    rows: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {"runs": {}}
    return rows


def write(rows: dict[str, Any]) -> None:
    """Write the rows, whole or not at all."""
    FILE.parent.mkdir(exist_ok=True)
    temporary = FILE.with_suffix(".new")
    temporary.write_text(json.dumps(rows, indent=1))
    temporary.rename(FILE)
