"""Statistics of points: sums, percentiles, trimmed means; source: AWS, "CloudWatch statistics definitions"."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.server.errors import InvalidInput

Weighted = Sequence[tuple[float, float]]


@dataclass
class Summary:
    """What the points of one period come to; `known` tells that all their values are in `distribution`."""

    count: float = 0.0
    sum: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    known: bool = True
    units: set[str] = field(default_factory=set)
    distribution: dict[float, float] = field(default_factory=dict)

    def add(self, row: Any) -> None:
        """Add a row of metric_points."""
        self.count += row.count
        self.sum += row.sum
        self.minimum = min(self.minimum, row.minimum)
        self.maximum = max(self.maximum, row.maximum)
        self.units.add(row.unit)
        if row.distribution is None:
            self.known = False
            return
        for value, count in json.loads(row.distribution):
            self.distribution[value] = self.distribution.get(value, 0.0) + count

    def join(self, other: Summary) -> None:
        """Add what another summary comes to."""
        self.count += other.count
        self.sum += other.sum
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        self.known = self.known and other.known
        self.units |= other.units
        for value, count in other.distribution.items():
            self.distribution[value] = self.distribution.get(value, 0.0) + count


Statistic = Callable[[Summary], float | None]

SIMPLE: dict[str, Statistic] = {
    "SampleCount": lambda summary: summary.count,
    "Sum": lambda summary: summary.sum,
    "Average": lambda summary: summary.sum / summary.count if summary.count else None,
    "Minimum": lambda summary: summary.minimum,
    "Maximum": lambda summary: summary.maximum,
}
SHORT = re.compile(r"(p|tm|wm|tc|ts)(\d{1,3}(?:\.\d{1,10})?)", re.IGNORECASE)
RANGE = re.compile(r"(TM|WM|TC|TS|PR)\(\s*(-?[\d.]+%?)?\s*:\s*(-?[\d.]+%?)?\s*\)", re.IGNORECASE)


def statistic_of(text: str) -> Statistic:
    """Return the statistic of a name: Sum, p99.9, tm90, TM(10%:90%), WM(:95%), PR(:300), IQM …; raises InvalidInput."""
    if text in SIMPLE:
        return SIMPLE[text]
    if text.upper() == "IQM":
        return _between("tm", (25.0, True), (75.0, True))
    short = SHORT.fullmatch(text)
    if short and float(short[2]) <= 100:
        kind, percent = short[1].lower(), float(short[2])
        if kind == "p":
            return lambda summary: _of_known(summary, lambda values: percentile(values, percent))
        return _between(kind, (0.0, True), (percent, True))
    ranged = RANGE.fullmatch(text)
    if ranged and (ranged[2] or ranged[3]):
        return _between(ranged[1].lower(), _bound(ranged[2], 0.0, text), _bound(ranged[3], 100.0, text))
    raise InvalidInput(f"The value {text} for parameter Stat is not supported.", code="InvalidParameterValue")


def percentile(values: Weighted, percent: float) -> float:
    """Return the smallest value that so many percent of the values do not exceed."""
    rank = percent / 100 * sum(count for _, count in values)
    seen = 0.0
    for value, count in values:
        seen += count
        if seen >= rank * (1 - 1e-12):
            return value
    return values[-1][0]


def _bound(text: str | None, default: float, whole: str) -> tuple[float, bool]:
    if text is None:
        return default, True
    try:
        return float(text.rstrip("%")), text.endswith("%")
    except ValueError:
        raise InvalidInput(
            f"The value {whole} for parameter Stat is not supported.", code="InvalidParameterValue"
        ) from None


def _between(kind: str, low: tuple[float, bool], high: tuple[float, bool]) -> Statistic:
    def statistic(summary: Summary) -> float | None:
        return _of_known(summary, lambda values: _trimmed(kind, values, low, high))

    return statistic


def _of_known(summary: Summary, compute: Callable[[Weighted], float | None]) -> float | None:
    if not summary.known or not summary.distribution:
        return None
    return compute(sorted(summary.distribution.items()))


def _trimmed(kind: str, values: Weighted, low: tuple[float, bool], high: tuple[float, bool]) -> float | None:
    total = sum(count for _, count in values)
    if kind == "wm":
        lowest = percentile(values, low[0]) if low[1] else low[0]
        highest = percentile(values, high[0]) if high[1] else high[0]
        return sum(min(max(value, lowest), highest) * count for value, count in values) / total
    kept = list(_kept(values, total, low, high))
    count = sum(each for _, each in kept)
    if kind == "tc":
        return count
    if kind == "pr":
        return count / total * 100
    summed = sum(value * each for value, each in kept)
    if kind == "ts":
        return summed
    return summed / count if count else None


def _kept(
    values: Weighted, total: float, low: tuple[float, bool], high: tuple[float, bool]
) -> Iterable[tuple[float, float]]:
    """Give the part of each value's count between the bounds: ranks for percents, else values above and up to."""
    seen = 0.0
    for value, count in values:
        begin, end = seen, seen + count
        seen = end
        if low[1]:
            begin = max(begin, low[0] / 100 * total)
        elif value <= low[0]:
            continue
        if high[1]:
            end = min(end, high[0] / 100 * total)
        elif value > high[0]:
            continue
        if end > begin:
            yield value, end - begin
