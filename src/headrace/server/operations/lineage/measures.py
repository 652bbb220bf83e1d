"""What values of a metric come to: smallest, largest, mean, spread and last; kept up to date value by value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass
class Measure:
    """Values of one metric, summed up (Welford's recurrence); `squares` are the squared distances from the mean."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    last: float = 0.0
    time: int = 0

    @classmethod
    def of_summary(cls, summary: Mapping[str, Any] | None) -> Measure:
        """Return what a summary in the record of a trial component stands for."""
        if summary is None:
            return cls()
        count = summary["count"]
        return cls(
            count, summary["avg"], summary["std_dev"] ** 2 * count, summary["min"], summary["max"], summary["last"],
            summary["time_stamp"],
        )  # fmt: skip

    def add(self, value: float, time: int) -> None:
        """Take a value in; the last is the one of the latest time (ms), of equal times the one that came last."""
        self.count += 1
        distance = value - self.mean
        self.mean += distance / self.count
        self.squares += distance * (value - self.mean)
        self.minimum, self.maximum = min(self.minimum, value), max(self.maximum, value)
        if time >= self.time:
            self.last, self.time = value, time

    def statistic(self, name: str) -> float:
        """Return one of AWS's MetricStatistic values: Min, Max, Avg, Count, StdDev, Last."""
        return float(self.summary()[{"StdDev": "std_dev"}.get(name, name.lower())])

    def summary(self) -> dict[str, Any]:
        """Return the members of a TrialComponentMetricSummary that depend on the values; the time in ms."""
        return {
            "min": self.minimum, "max": self.maximum, "avg": self.mean, "last": self.last, "count": self.count,
            "std_dev": math.sqrt(max(self.squares, 0.0) / self.count), "time_stamp": self.time,
        }  # fmt: skip
