"""Follows the events of jobs, endpoints and model packages, and keeps their experiments and lineage."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlalchemy import Connection

from headrace.server import events
from headrace.server.context import Context
from headrace.server.errors import NotFound
from headrace.server.operations.lineage.tracking.deployments import track_endpoint
from headrace.server.operations.lineage.tracking.jobs import (
    track_processing_job,
    track_training_job,
    track_transform_job,
)
from headrace.server.operations.lineage.tracking.registrations import track_package
from headrace.server.resources import Place, Stored, by_arn

LOG = logging.getLogger("headrace.tracking")
READER = "lineage"
AT_ONCE = 200

TRACKED: Mapping[str, Callable[[Context, Stored], None]] = {
    "sagemaker/training-job": track_training_job,
    "sagemaker/processing-job": track_processing_job,
    "sagemaker/transform-job": track_transform_job,
    "sagemaker/endpoint": track_endpoint,
    "sagemaker/model-package": track_package,
}
"""What keeps the lineage of a resource, by its kind: told of every change, it brings what is stored up to date."""


def is_behind(connection: Connection) -> bool:
    """Tell whether there is anything to follow."""
    try:
        return bool(events.read(connection, READER, limit=1))
    except NotFound:
        return True


def follow(context: Context) -> bool:
    """Track what happened next, in one transaction; tell whether there may be more.

    What can't be tracked is logged and left out: lineage never holds up what it tells of.
    """
    try:
        found = events.read(context.connection, READER, limit=AT_ONCE)
    except NotFound:
        events.subscribe(context.connection, READER, from_start=True)
        return True
    for event in {event.arn: event for event in found if event.source == "aws.sagemaker"}.values():
        stored = by_arn(context.connection, event.arn)
        if stored is None or stored.kind not in TRACKED:
            continue
        here = replace(context, place=Place(stored.account, stored.region, context.place.partition))
        try:
            with context.connection.begin_nested():
                TRACKED[stored.kind](here, stored)
        except Exception:
            LOG.exception("the lineage of %s could not be kept", stored.arn)
    if found:
        events.advance(context.connection, READER, found[-1])
    return bool(found)
