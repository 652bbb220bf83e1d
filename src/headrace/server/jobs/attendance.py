"""Attends a command that a job runs: its output goes on to the job's log and line by line to whoever reads it."""

from __future__ import annotations

import math
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable

LOOK = 0.2
PATIENCE = 120.0
"""Seconds that SageMaker lets pass between SIGTERM and SIGKILL."""

BLOCK = 1 << 16
LONGEST_LINE = 1 << 16


def attend(
    process: subprocess.Popen[bytes],
    on_line: Callable[[str], None],
    until: Callable[[], bool],
    ask_to_stop: Callable[[], None],
    patience: float = PATIENCE,
) -> None:
    """Return when the process has ended; `ask_to_stop` is called once, when `until` says so.

    Where it has not ended `patience` seconds later it is killed.
    Its standard output, where it is a pipe, is copied to this process's own. What outlives the process is not read on.
    """
    output = process.stdout.fileno() if process.stdout is not None else None
    lines = _Lines(on_line)
    killed_at = math.inf
    while process.poll() is None:
        if output is None:
            _wait(process)
        elif not _read(output, lines, LOOK):
            output = None
        if killed_at == math.inf and until():
            killed_at = time.monotonic() + patience
            ask_to_stop()
        elif time.monotonic() >= killed_at:
            process.kill()
    while output is not None and _read(output, lines, 0.0):
        pass
    lines.end()


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(LOOK)
    except subprocess.TimeoutExpired:
        return


def _read(output: int, lines: _Lines, seconds: float) -> bool:
    """Take what can be read within some seconds; tell whether more may come (with no time: whether there was some)."""
    if not select.select([output], [], [], seconds)[0]:
        return seconds > 0
    block = os.read(output, BLOCK)
    lines.take(block)
    return bool(block)


class _Lines:
    """Cuts blocks into lines."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._partial = b""

    def take(self, block: bytes) -> None:
        sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        *whole, self._partial = (self._partial + block).split(b"\n")
        if len(self._partial) > LONGEST_LINE:
            whole, self._partial = [*whole, self._partial], b""
        for line in whole:
            self._tell(line)

    def end(self) -> None:
        if self._partial:
            self._tell(self._partial)
        self._partial = b""

    def _tell(self, line: bytes) -> None:
        self._on_line(line.decode("utf-8", "replace").rstrip("\r"))
