"""The lines that a model process prints, on their way to its log; a flood of them holds nobody up."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

LOG = logging.getLogger("headrace.models")

WAITING = 10_000
"""Lines that wait to be written; those that come on top are counted and dropped."""
LONGEST = 16 * 1024
KEPT = 20


class LogLines:
    """Reads a process's output to its end and hands each line to `log`; `last` are the latest ones."""

    def __init__(self, output: IO[bytes], log: Callable[[str], None]) -> None:
        """Read in a thread of its own, and write in another."""
        self.last: deque[str] = deque(maxlen=KEPT)
        self._output, self._log = output, log
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._dropped = 0
        self._reading = threading.Thread(target=self._read, name="model log reader", daemon=True)
        self._writing = threading.Thread(target=self._write, name="model log writer", daemon=True)
        self._reading.start()
        self._writing.start()

    def finish(self, seconds: float) -> None:
        """Wait until the output's end was read, and all of it written."""
        self._reading.join(seconds)
        self._writing.join(seconds)

    def _read(self) -> None:
        rest = b""
        with self._output:
            while block := os.read(self._output.fileno(), 1 << 16):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    self._keep(line)
                while len(rest) >= LONGEST:
                    self._keep(rest[:LONGEST])
                    rest = rest[LONGEST:]
        if rest:
            self._keep(rest)
        self._lines.put(None)

    def _keep(self, line: bytes) -> None:
        for start in range(0, max(1, len(line)), LONGEST):
            text = line[start : start + LONGEST].decode("utf-8", "replace").rstrip("\r")
            self.last.append(text)
            if self._lines.qsize() < WAITING:
                self._lines.put(text)
            else:
                self._dropped += 1

    def _write(self) -> None:
        told = 0
        while (line := self._lines.get()) is not None:
            self._attempt(line)
            if (dropped := self._dropped - told) > 0:
                told += dropped
                self._attempt(f"{dropped} lines were dropped here, as they came faster than a log takes them.")

    def _attempt(self, line: str) -> None:
        try:
            self._log(line)
        except Exception:
            LOG.exception("a line of a model's process can't be written to its log")
