"""What a running server tells the other commands: where it listens."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from headrace.ml.errors import OptionError
from headrace.server.jobs.owners import is_gone

FILE = "server.json"


@dataclass(frozen=True)
class Running:
    """A server that listens: its process, its endpoint, its HTTPS proxy ("" without one) and its default region.

    `owner` tells its process from a later one of the same number.
    """

    owner: str
    pid: int
    endpoint: str
    proxy: str
    region: str


def note(data: Path, running: Running) -> None:
    """Write down that a server listens."""
    temporary = data / f".{FILE}.{running.pid}"
    temporary.write_text(json.dumps(asdict(running)), encoding="utf-8")
    temporary.rename(data / FILE)


def forget(data: Path) -> None:
    """Forget that a server listened."""
    (data / FILE).unlink(missing_ok=True)


def find_running(data: Path) -> Running | None:
    """Return the server that listens on a data folder, or None; a note that a killed server left is no server."""
    with suppress(OSError, ValueError, TypeError):
        running = Running(**json.loads((data / FILE).read_text(encoding="utf-8")))
        return None if is_gone(running.owner) else running
    return None


def need_running(data: Path) -> Running:
    """Return the server that listens on a data folder; raises OptionError when none does."""
    running = find_running(data)
    if running is None:
        raise OptionError(f"no server listens on the data folder {data}; start one with: headrace serve --data {data}")
    return running
