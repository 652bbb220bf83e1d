"""The data log of a transform job: a stream of its own beside the model's, with what became of each input object.

Source: AWS page "Log groups and streams that Amazon SageMaker AI sends to Amazon CloudWatch Logs".
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from headrace.server.clock import moment
from headrace.server.context import Platform
from headrace.server.operations.logs.storing import put_log_lines
from headrace.server.resources import Place

WAITING = 100


class DataLog:
    """Lines for the stream `<job>/<instance>/data-log`, written some at a time, the last with the job's end."""

    def __init__(self, platform: Platform, place: Place, group: str, stream: str) -> None:
        self._platform, self._place, self._group, self._stream = platform, place, group, f"{stream}/data-log"
        self._lines: list[tuple[int, str]] = []

    def say(self, lines: Iterable[str], source: object = "") -> None:
        """Keep lines, about an input object or the job; many that wait are written at once."""
        now = self._platform.clock()
        head = f"{moment(now).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}:[sagemaker logs]: "
        about = f"{source}: " if source else ""
        self._lines += [(now, f"{head}{about}{line}") for line in lines]
        if len(self._lines) >= WAITING:
            with self._platform.metadata.writing() as connection:
                self.write(connection)
            self._lines = []

    def write(self, connection: Connection) -> None:
        """Write what waits; it waits on, as the transaction may be rolled back."""
        if self._lines:
            now = self._platform.clock()
            put_log_lines(connection, self._place, self._group, self._stream, self._lines, now)
