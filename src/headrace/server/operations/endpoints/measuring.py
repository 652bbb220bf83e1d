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

    def point(self, begin: int, resolution: int, unit: str) -> Point:
        """Return the values as what is stored of a period that begins then, to a resolution of 1 or 60 seconds."""
        distribution = tuple((value, float(count)) for value, count in sorted(self.counts.items()))
        total = float(self.counts.total())
        return Point(begin, resolution, unit, total, self.sum, self.minimum, self.maximum, distribution)


@dataclass
class Tally:
    """What was measured of one variant in one period."""

    invocations: int = 0
    client_errors: int = 0
    server_errors: int = 0
    model: Values = field(default_factory=Values)
    overhead: Values = field(default_factory=Values)


@dataclass(frozen=True)
class Measured:
    """Whose tally: one variant of an endpoint, in the period that begins then."""

    place: Place
    endpoint: str
    variant: str
    target: str
    begin: int


Tallies = dict[Measured, Tally]
_tallies: WeakKeyDictionary[MetadataStore, Tallies] = WeakKeyDictionary()
_lock = Lock()


def measure(
    platform: Platform, found: Serving, variant: Variant, *, status: int, model: float | None, whole: float
) -> None:
    """Count one invocation that ended with an HTTP status; `model` and `whole` are seconds."""
    period = platform.settings.scaling_seconds * 1000
    key = Measured(found.place, found.name, variant.name, variant.target, platform.clock() // period * period)
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
    """Write what was measured since the last time; returns of how many variants and periods."""
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


def resolution_of(seconds: int) -> int:
    """Return to how many seconds the points of a period are stored: 60 where it is whole minutes, else 1."""
    return 1 if seconds % 60 else 60


def _points(platform: Platform, key: Measured, tally: Tally) -> dict[str, Point]:
    count, begin, resolution = tally.invocations, key.begin, resolution_of(platform.settings.scaling_seconds)
    share = 1 / max(1, len(platform.models.instances(key.target)) if platform.models else 0)
    points = {
        "Invocations": _of_ones(count, count, begin, resolution),
        "InvocationsPerInstance": Point(
            begin, resolution, "None", float(count), count * share, share, share, ((share, float(count)),)
        ),
        "Invocation4XXErrors": _of_ones(tally.client_errors, count, begin, resolution),
        "Invocation5XXErrors": _of_ones(tally.server_errors, count, begin, resolution),
    }
    if tally.model.counts:
        points["ModelLatency"] = tally.model.point(begin, resolution, "Microseconds")
        points["OverheadLatency"] = tally.overhead.point(begin, resolution, "Microseconds")
    return points


def _of_ones(ones: int, count: int, begin: int, resolution: int) -> Point:
    """Return the point of `count` values, of which so many are 1 and the others 0."""
    parts = ((0.0, float(count - ones)), (1.0, float(ones)))
    known = tuple((value, number) for value, number in parts if number)
    return Point(begin, resolution, "None", float(count), float(ones), known[0][0], known[-1][0], known)
