"""What instances print, on its way to CloudWatch Logs: gathered in memory, and written in batches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from headrace.server.context import Platform
from headrace.server.operations.logs.storing import put_log_lines
from headrace.server.resources import Place, Stored

GROUP = "/aws/sagemaker/Endpoints/"
MOST_LINES = 10_000
"""Lines that a stream may have waiting; what comes beyond is counted, and not kept."""

LONGEST_LINE = 250_000


@dataclass(frozen=True)
class Stream:
    """A log stream: one instance of a variant, in its endpoint's group."""

    place: Place
    group: str
    name: str


class InstanceLogs:
    """Lines of all instances of this machine that are not written yet."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self._lock = threading.Lock()
        self._waiting: dict[Stream, list[tuple[int, str]]] = {}
        self._lost: dict[Stream, int] = {}

    def writer(self, endpoint: Stored, place: Place, variant: str, instance: str) -> Callable[[str], None]:
        """Return what takes a line of an instance."""
        stream = Stream(place, f"{GROUP}{endpoint.name}", f"{variant}/{instance}")
        return lambda line: self._add(stream, line)

    def flush(self) -> None:
        """Write the lines that are waiting, in one transaction."""
        with self._lock:
            waiting, lost = self._waiting, self._lost
            self._waiting, self._lost = {}, {}
        if not waiting:
            return
        now = self.platform.clock()
        with self.platform.metadata.writing() as connection:
            for stream, lines in waiting.items():
                if stream in lost:
                    lines.append((now, f"{lost[stream]} lines were printed too fast, and are lost"))
                put_log_lines(connection, stream.place, stream.group, stream.name, lines, now)

    def _add(self, stream: Stream, line: str) -> None:
        with self._lock:
            lines = self._waiting.setdefault(stream, [])
            if len(lines) < MOST_LINES:
                lines.append((self.platform.clock(), line[:LONGEST_LINE]))
            else:
                self._lost[stream] = self._lost.get(stream, 0) + 1
