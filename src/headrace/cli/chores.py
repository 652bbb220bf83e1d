"""What each room has to be done from time to time, gathered for the server's upkeep."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial

from headrace.server import events
from headrace.server.app.upkeep import Chore, by_itself
from headrace.server.context import Platform
from headrace.server.errors import NotFound
from headrace.server.operations.endpoints import capture, measuring, queue
from headrace.server.operations.identity import last_use
from headrace.server.operations.lineage.tracking import following
from headrace.server.operations.logs import storing as logs
from headrace.server.operations.metrics import retention as metrics
from headrace.server.operations.monitoring.schedules import due_schedules, run_due
from headrace.server.operations.scaling.attending import attend, registered
from headrace.server.operations.scaling.observing import observe
from headrace.server.operations.storage.deliveries import deliver_access_logs
from headrace.server.operations.storage.expiration import expire, ruled_buckets
from headrace.server.operations.storage.sweeping import forget_finished_uploads, sweep_blobs
from headrace.server.operations.trails.delivery import deliver
from headrace.server.operations.tuning import steering

LOG = logging.getLogger("headrace.upkeep")

SOON, MINUTE, HOUR, DAY = 5.0, 60.0, 3_600.0, 86_400.0
EVENTS_KEPT = 7 * 86_400_000
"""Milliseconds after which an event is forgotten though a reader has not come to it."""


def deliver_trails(platform: Platform, now: int) -> None:
    """Deliver log files and digests of trails, and the counts of refusals."""
    deliver(platform, now)


def deliver_access(platform: Platform, now: int) -> None:
    """Deliver the access logs of buckets until none waits."""
    del now
    while by_itself(platform, deliver_access_logs):
        pass


def expire_objects(platform: Platform, now: int) -> None:
    """Apply the lifecycle rules of every bucket that has some, a run of keys a transaction."""
    del now
    with platform.metadata.reading() as connection:
        buckets = ruled_buckets(connection)
    for bucket in buckets:
        after: bytes | None = b""
        with suppress(NotFound):
            while after is not None:
                after = by_itself(platform, partial(expire, bucket=bucket, after=after))


def scale_endpoints(platform: Platform, now: int) -> None:
    """Do what is due about every scalable target, each in a transaction of its own, by what is measured until now."""
    with platform.metadata.reading() as connection:
        targets = list(registered(connection, platform.partition))
    if targets:
        measuring.settle(platform, now)
    for target, place in targets:
        try:
            by_itself(platform, partial(attend, arn=target.arn), place)
        except Exception:
            LOG.exception("%s could not be attended to; it is tried again", target.arn)


def sweep_storage(platform: Platform, now: int) -> None:
    """Forget uploads in parts that are over, then delete bytes that nothing names."""
    del now
    while by_itself(platform, forget_finished_uploads):
        pass
    sweep_blobs(platform)


def run_monitoring(platform: Platform, now: int) -> None:
    """Begin the executions of monitoring schedules that are due, once what they look at is captured."""
    with platform.metadata.reading() as connection:
        due = due_schedules(connection, now)
    if due:
        capture.settle(platform, now)
    for arn in due:
        try:
            by_itself(platform, partial(run_due, arn=arn))
        except Exception:
            LOG.exception("%s could not be run; it is tried again", arn)


def track_lineage(platform: Platform, now: int) -> None:
    """Keep the lineage of what happened since."""
    del now
    with platform.metadata.reading() as connection:
        behind = following.is_behind(connection)
    while behind:
        behind = by_itself(platform, following.follow)


def trim_events(platform: Platform, now: int) -> None:
    """Forget events that every reader has passed, and those that are too old."""
    with platform.metadata.writing() as connection:
        events.trim(connection, before=now - EVENTS_KEPT)


def _scaling_seconds(platform: Platform) -> float:
    return min(10.0, platform.settings.scaling_seconds)


def _trail_seconds(platform: Platform) -> float:
    return min(MINUTE, platform.settings.trail_seconds, platform.settings.digest_seconds)


UPKEEP = (
    Chore("asynchronous invocations", lambda _: 1.0, queue.attend),
    Chore("tuning jobs", lambda _: 1.0, steering.attend),
    Chore("lineage", lambda _: 1.0, track_lineage),
    Chore("metrics of endpoints", lambda _: SOON, measuring.settle, at_end=True),
    Chore("metrics of scaled endpoints", lambda _: 1.0, observe),
    Chore("autoscaling", _scaling_seconds, scale_endpoints),
    Chore("captured data of endpoints", lambda _: SOON, capture.settle, at_end=True),
    Chore("monitoring schedules", lambda _: SOON, run_monitoring),
    Chore("delivery of trails", _trail_seconds, deliver_trails),
    Chore("last uses of keys and roles", lambda _: MINUTE, lambda at, _: last_use.settle(at.metadata), at_end=True),
    Chore("delivery of access logs", lambda _: 5 * MINUTE, deliver_access),
    Chore("events", lambda _: HOUR, trim_events),
    Chore("retention of logs", lambda _: HOUR, logs.sweep),
    Chore("retention of metrics", lambda _: HOUR, metrics.sweep),
    Chore("lifecycle of objects", lambda _: HOUR, expire_objects),
    Chore("sweep of storage", lambda _: DAY, sweep_storage),
)
