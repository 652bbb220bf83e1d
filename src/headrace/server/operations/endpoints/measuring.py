"""Metrics of invocations: summed up in memory, written once in a while. AWS page: Monitor SageMaker AI with CloudWatch.

Times are in microseconds; OverheadLatency is what the operation took beside the model.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from weakref import WeakKeyDictionary

from headrace.server.context import Platform
from headrace.server.operations.endpoints.serving import Serving, Variant
from headrace.server.operations.metrics.storing import Point, add, metric_number
from headrace.server.resources import Place
from headrace.server.stores.metadata import MetadataStore

NAMESPACE = "AWS/SageMaker"
MINUTE = 60_000


@dataclass
class Values:
    """Values of one metric: sums that are exact, and how often each was measured, to three digits."""

    sum: float = 0.0
    minimum: float = float("inf")
    maximum: float = float("-inf")
    counts: Counter[float] = field(default_factory=Counter)

    def add(self, value: float) -> None:
        """Count one value."""
        self.sum += value
        if value < self.minimum:
            self.minimum = value
        if value > self.maximum:
            self.maximum = value
        self.counts[float(f"{value:.3g}")] += 1

    def point(self, minute: int, unit: str) -> Point:
        """Return the values as what is stored of one minute."""
        distribution = tuple((value, float(count)) for value, count in sorted(self.counts.items()))
        total = float(self.counts.total())
        return Point(minute, 60, unit, total, self.sum, self.minimum, self.maximum, distribution)


@dataclass
class Tally:
    """What was measured of one variant in one minute."""

    invocations: int = 0
    client_errors: int = 0
    server_errors: int = 0
    model: Values = field(default_factory=Values)
    overhead: Values = field(default_factory=Values)


@dataclass(frozen=True)
class Measured:
    """Whose tally: one variant of an endpoint, in one minute."""

    place: Place
    endpoint: str
    variant: str
    target: str
    minute: int


Tallies = dict[Measured, Tally]
_tallies: WeakKeyDictionary[MetadataStore, Tallies] = WeakKeyDictionary()
_lock = Lock()


def measure(
    platform: Platform, found: Serving, variant: Variant, *, status: int, model: float | None, whole: float
) -> None:
    """Count one invocation that ended with an HTTP status; `model` and `whole` are seconds."""
    minute = platform.clock() // MINUTE * MINUTE
    key = Measured(found.place, found.name, variant.name, variant.target, minute)
    with _lock:
        tallies = _tallies.setdefault(platform.metadata, {})
        tally = tallies.get(key)
        if tally is None:
            tally = tallies[key] = Tally()
        tally.invocations += 1
        if status >= 500:
            tally.server_errors += 1
        elif status >= 400:
            tally.client_errors += 1
        if model is not None:
            tally.model.add(model * 1e6)
            tally.overhead.add(max(0.0, whole - model) * 1e6)


def settle(platform: Platform, now: int) -> int:
    """Write what was measured since the last time; returns of how many variants and minutes."""
    with _lock:
        tallies = _tallies.pop(platform.metadata, {})
    if not tallies:
        return 0
    with platform.metadata.writing() as connection:
        for key, tally in tallies.items():
            dimensions = {"EndpointName": key.endpoint, "VariantName": key.variant}
            for name, point in _points(platform, key, tally).items():
                number = metric_number(connection, key.place, NAMESPACE, name, dimensions, now)
                add(connection, number, point)
    return len(tallies)


def _points(platform: Platform, key: Measured, tally: Tally) -> dict[str, Point]:
    count, minute = tally.invocations, key.minute
    instances = len(platform.models.instances(key.target)) if platform.models else 0
    points = {
        "Invocations": _of_ones(count, count, minute, "None"),
        "InvocationsPerInstance": _shared(count, max(1, instances), minute),
        "Invocation4XXErrors": _of_ones(tally.client_errors, count, minute, "None"),
        "Invocation5XXErrors": _of_ones(tally.server_errors, count, minute, "None"),
    }
    if tally.model.counts:
        points["ModelLatency"] = tally.model.point(minute, "Microseconds")
        points["OverheadLatency"] = tally.overhead.point(minute, "Microseconds")
    return points


def _of_ones(ones: int, count: int, minute: int, unit: str) -> Point:
    """Return the point of `count` values, of which so many are 1 and the others 0."""
    parts = ((0.0, float(count - ones)), (1.0, float(ones)))
    distribution = tuple((value, number) for value, number in parts if number)
    return Point(minute, 60, unit, float(count), float(ones), distribution[0][0], distribution[-1][0], distribution)


def _shared(count: int, instances: int, minute: int) -> Point:
    share = 1 / instances
    return Point(minute, 60, "None", float(count), count * share, share, share, ((share, float(count)),))
