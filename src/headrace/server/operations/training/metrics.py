"""Metrics of a training job: found in its log by regular expressions, stored in CloudWatch and in its record."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import regex
from sqlalchemy import Connection

from headrace.server.clock import Clock
from headrace.server.operations.metrics.storing import Point, add, metric_number
from headrace.server.resources import Place

NAMESPACE = "/aws/sagemaker/TrainingJobs"
DIMENSION = "TrainingJobName"
SLOWEST_SEARCH = 0.1
"""Seconds that one search of a user's regular expression may take."""
LONGEST_LINE = 1 << 14
MOST_VALUES = 150
PERIOD = 60_000
STORED_EVERY = 5.0


class Metrics:
    """Reads lines of a log; `definitions` are (name, regular expression), whose first group is the value.

    Each search has its time; a metric whose expression takes longer is read no more.
    """

    def __init__(self, definitions: Sequence[tuple[str, str]], clock: Clock) -> None:
        self._patterns = [(name, regex.compile(pattern)) for name, pattern in definitions]
        self._clock = clock
        self._last: dict[str, tuple[float, int]] = {}
        self._new: dict[tuple[str, int], list[float]] = {}
        self._stored = time.monotonic()

    def read(self, line: str) -> None:
        """Take the metrics of one line."""
        for name, pattern in list(self._patterns):
            try:
                found = pattern.search(line[:LONGEST_LINE], timeout=SLOWEST_SEARCH)
            except TimeoutError:
                self._patterns.remove((name, pattern))
                continue
            if found is not None:
                self._take(name, found[1] if pattern.groups else found[0])

    def is_due(self) -> bool:
        """Tell whether values wait to be stored, and not only since a moment ago."""
        return bool(self._new) and time.monotonic() - self._stored >= STORED_EVERY

    def store(self, connection: Connection, place: Place, job: str, now: int) -> None:
        """Add what is new to CloudWatch, one point a minute with all of its values."""
        taken, self._new = self._new, {}
        for (name, minute), values in taken.items():
            number = metric_number(connection, place, NAMESPACE, name, {DIMENSION: job}, now)
            pairs = tuple((value, 1.0) for value in values) if len(values) <= MOST_VALUES else None
            count = float(len(values))
            add(connection, number, Point(minute, 60, "None", count, sum(values), min(values), max(values), pairs))
        self._stored = time.monotonic()

    def taken(self, name: str) -> list[float]:
        """Return the values of a metric that were not stored yet, in their order."""
        return [value for (metric, _), values in self._new.items() if metric == name for value in values]

    def final(self) -> list[dict[str, Any]]:
        """Return the FinalMetricDataList: the last value of each metric."""
        return [{"metric_name": name, "value": value, "timestamp": when} for name, (value, when) in self._last.items()]

    def _take(self, name: str, text: str | None) -> None:
        try:
            value = float((text or "").strip().rstrip(",;"))
        except ValueError:
            return
        if math.isfinite(value) and abs(value) <= 2.0**360:
            now = self._clock()
            self._last[name] = (value, now)
            self._new.setdefault((name, now // PERIOD * PERIOD), []).append(value)
