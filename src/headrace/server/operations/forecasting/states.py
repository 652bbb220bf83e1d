"""How resources of Amazon Forecast begin, move with their durable jobs, and end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from headrace.server import resources
from headrace.server.clock import moment, system_clock
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, InUse, LimitExceeded
from headrace.server.jobs.queue import listing
from headrace.server.jobs.records import CANCELLED, DEAD, QUEUED, RUNNING, JobRecord
from headrace.server.jobs.records import STOPPING as ASKED_TO_STOP
from headrace.server.operations import artifacts, entities
from headrace.server.operations.entities import plain, tag_map
from headrace.server.operations.forecasting.kinds import (
    ENDED,
    FAILED,
    IN_PROGRESS,
    INNER,
    KINDS,
    PENDING,
    STOPPED,
    STOPPING,
)
from headrace.server.resources import Resource, Stored, by_arn
from headrace.server.stores.metadata.tables.resources import RESOURCES

KIND = "forecasting"
LONGEST_MESSAGE = 1024
UNKNOWN = "An internal error occurred."


def create(
    context: Context,
    resource: Resource,
    name: str,
    record: Mapping[str, Any],
    *,
    identifier: str = "",
    parent: str = "",
    tags: Sequence[Mapping[str, str]] | None = None,
) -> Stored:
    """Store a resource in its first state; its ARN ends in `identifier` (the name, where none is given).

    Times in the record become milliseconds, members that are None are left out. Raises AlreadyExists.
    """
    kept = {member: value for member, value in plain(record).items() if value is not None}
    kept["identifier"] = identifier or name
    place = context.place
    try:
        return resources.create(
            context.connection, resource, place, name, kept, now=context.now, parent=parent, tags=tag_map(tags)
        )
    except AlreadyExists:
        arn = resource.arn_of(place, name, kept)
        raise AlreadyExists(f"A {resource.title} already exists with the arn: {arn}", status=400) from None


def start(context: Context, stored: Stored, *, priority: int = 0) -> None:
    """Queue the job that makes a resource: `running.MAKERS` has its handler by kind."""
    place = context.place
    where = {"account": place.account, "region": place.region, "partition": place.partition}
    context.platform.jobs.enqueue(
        context.connection, KIND, {"place": where}, now=context.now, resource_arn=stored.arn, priority=priority
    )


def end(connection: Connection, stored: Stored, state: str, *, now: int, message: str = "", **members: Any) -> Stored:
    """Bring a resource into its last state, with a message and further members of its record.

    One that was asked to stop when its work was done already is ACTIVE. To be called with a resource that was read in
    the same transaction.
    """
    record = {**stored.record, **plain(members)}
    if message:
        record["message"] = message[:LONGEST_MESSAGE]
    return resources.change(connection, KINDS[stored.kind], stored, now=now, record=record, state=state)


def note(connection: Connection, stored: Stored, *, now: int, **members: Any) -> Stored:
    """Change members of a resource's record."""
    record = {**stored.record, **plain(members)}
    return resources.change(connection, KINDS[stored.kind], stored, now=now, record=record)


def remove(context: Context, stored: Stored) -> None:
    """Delete a resource with its tags and files; raises InUse while it works, or others belong to it."""
    try:
        resources.remove(context.connection, stored, KINDS[stored.kind])
    except InUse as error:
        raise InUse(error.message, status=400) from None
    artifacts.forget(context, stored.arn)


def stop(context: Context, stored: Stored) -> None:
    """Ask the job of a resource to stop; one that has ended stays as it is."""
    if stored.state not in (PENDING, IN_PROGRESS):
        return
    found, _ = listing(context.connection, kind=KIND, resource_arn=stored.arn, limit=1)
    if found:
        context.platform.jobs.cancel(context.connection, found[0].id, now=context.now, reason="it was stopped")


def follow(connection: Connection, record: JobRecord) -> Stored | None:
    """Let a resource follow its durable job, whose handler itself stores ACTIVE; return the resource where it moved."""
    stored = by_arn(connection, record.resource_arn)
    if stored is None or stored.state in ENDED or stored.kind not in KINDS:
        return None
    now = record.ended or system_clock()
    resource = KINDS[stored.kind]
    if record.state == CANCELLED:
        return end(connection, stored, STOPPED, now=now)
    if record.state == DEAD:
        return end(connection, stored, FAILED, now=now, message=record.reason or UNKNOWN)
    following = {RUNNING: IN_PROGRESS, ASKED_TO_STOP: STOPPING, QUEUED: PENDING}.get(record.state)
    if following is None or stored.state in (following, STOPPING):
        return None
    return resources.change(connection, resource, stored, now=now, state=following)


def shown(context: Context, stored: Stored) -> dict[str, Any]:
    """Return the members of a resource as Describe answers them: its record, `status` and the times.

    `last_modification_time` is the present while its job works (AWS page: DescribeDatasetImportJob).
    """
    members = {
        name: entities.shown(value, name)
        for name, value in stored.record.items()
        if name not in INNER and not name.startswith("_")
    }
    working = stored.state in (IN_PROGRESS, STOPPING) or stored.state.startswith("UPDATE_")
    return {
        **members,
        "status": stored.state,
        "creation_time": moment(stored.created),
        "last_modification_time": moment(context.now if working else stored.modified),
    }


def check_count(context: Context, resource: Resource, most: int) -> None:
    """Raise LimitExceeded where an account has as many resources of a kind as it may (AWS page: Forecast quotas)."""
    place, columns = context.place, RESOURCES.c
    mine = columns.kind == resource.kind, columns.account == place.account, columns.region == place.region
    if context.connection.execute(select(func.count()).where(*mine)).scalar_one() >= most:
        raise LimitExceeded(f"The account has {most} of the kind {resource.title} already; delete some first")
