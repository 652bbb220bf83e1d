"""What is measured of variants because they are scaled: how busy their instances are, and that they are there unasked.

AWS pages: Monitor SageMaker AI with CloudWatch; Autoscale an asynchronous endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from headrace.server.context import Platform
from headrace.server.model_server import Instance
from headrace.server.operations.endpoints.measuring import NAMESPACE, Values, resolution_of
from headrace.server.operations.endpoints.queue import backlog
from headrace.server.operations.endpoints.serving import serving
from headrace.server.operations.metrics.storing import add, metric_number
from headrace.server.operations.scaling.attending import registered
from headrace.server.operations.scaling.kinds import variant_of
from headrace.server.operations.scaling.measures import (
    CONCURRENT,
    HIGH_RESOLUTION_SECONDS,
    INVOCATIONS,
    MINUTE_SECONDS,
    UTILIZATION,
)
from headrace.server.resources import Place
from headrace.server.stores.metadata import MetadataStore


@dataclass(frozen=True)
class Sample:
    """One value of a metric, and how long the period is that it counts in."""

    metric: str
    dimensions: tuple[tuple[str, str], ...]
    seconds: int
    value: float


@dataclass(frozen=True)
class Kept:
    """Whose values are being gathered: those of a metric in the period that begins then."""

    place: Place
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    seconds: int
    begin: int


_kept: WeakKeyDictionary[MetadataStore, dict[Kept, Values]] = WeakKeyDictionary()
_looked: WeakKeyDictionary[Instance, tuple[float, float]] = WeakKeyDictionary()
_lock = Lock()


def observe(platform: Platform, now: int) -> None:
    """Look at every variant that is scaled, and write what is known of periods that are over; to be called each second.

    The one 0 of InvocationsPerInstance in each period lets a variant scale in that nobody asks.
    """
    with platform.metadata.reading() as connection:
        samples = [
            (place, sample)
            for target, place in registered(connection, platform.partition)
            for sample in _samples(platform, connection, target.name, place)
        ]
    with _lock:
        kept = _kept.setdefault(platform.metadata, {})
        for place, sample in samples:
            period = sample.seconds * 1000
            key = Kept(place, sample.metric, sample.dimensions, sample.seconds, now // period * period)
            values = kept.setdefault(key, Values())
            if sample.metric != INVOCATIONS or not values.counts:
                values.add(sample.value)
        over = {key: kept.pop(key) for key in list(kept) if key.begin + key.seconds * 1000 <= now}
    if over:
        with platform.metadata.writing() as connection:
            for key, values in over.items():
                number = metric_number(connection, key.place, NAMESPACE, key.metric, dict(key.dimensions), now)
                add(connection, number, values.point(key.begin, resolution_of(key.seconds), "None"))


def _samples(platform: Platform, connection: Connection, resource_id: str, place: Place) -> Iterator[Sample]:
    named = variant_of(resource_id)
    found = serving(connection, place, named.endpoint)
    if found is None or not found.answers or platform.models is None:
        return
    variant = next((each for each in (*found.variants, *found.shadows) if each.name == named.name), None)
    if variant is None:
        return
    busy = [_concurrency(each) for each in platform.models.instances(variant.target)]
    dimensions = (("EndpointName", named.endpoint), ("VariantName", named.name))
    seconds = platform.settings.scaling_seconds
    for each in busy:
        yield Sample(CONCURRENT, dimensions, min(HIGH_RESOLUTION_SECONDS, seconds), each)
    if busy:
        yield Sample(INVOCATIONS, dimensions, seconds, 0.0)
    if variant.serverless and variant.serverless.provisioned:
        yield Sample(UTILIZATION, dimensions, seconds, sum(busy) / variant.serverless.provisioned)
    if found.asynchronous is not None:
        yield from _of_backlog(backlog(connection, found.arn), len(busy), dimensions[:1])


def _concurrency(instance: Instance) -> float:
    """Return how many requests an instance answered at the same time, on average since it was last looked at."""
    worked, now = instance.worked, monotonic()
    before, then = _looked.get(instance, (worked, now))
    _looked[instance] = (worked, now)
    return (worked - before) / (now - then) if now > then else float(instance.busy)


def _of_backlog(waiting: int, instances: int, dimensions: tuple[tuple[str, str], ...]) -> Iterator[Sample]:
    for metric, value in (
        ("ApproximateBacklogSize", waiting),
        ("ApproximateBacklogSizePerInstance", waiting / max(1, instances)),
        ("HasBacklogWithoutCapacity", float(waiting > 0 and not instances)),
    ):
        yield Sample(metric, dimensions, MINUTE_SECONDS, value)
