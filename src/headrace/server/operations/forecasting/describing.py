"""What Describe and List operations answer of a resource that a durable job makes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from headrace.server.context import Context
from headrace.server.jobs.queue import listing
from headrace.server.operations.forecasting import finding, states
from headrace.server.operations.forecasting.kinds import IN_PROGRESS
from headrace.server.resources import Resource, Stored

TIMED = ("status", "message", "creation_time", "last_modification_time")
"""Members that every summary has."""


def describe(context: Context, arn: str, kind: Resource, member: str, *, timed: bool = True) -> dict[str, Any]:
    """Return a resource's members, its ARN under `member`; `timed` ones tell how long their jobs will take."""
    return described(context, finding.get(context, arn, kind), member, timed=timed)


def described(context: Context, stored: Stored, member: str, *, timed: bool = True) -> dict[str, Any]:
    """Return the members of a resource that was found, as `describe` does."""
    answer = {**states.shown(context, stored), member: stored.arn}
    if timed and stored.state == IN_PROGRESS:
        answer["estimated_time_remaining_in_minutes"] = minutes_left(context, stored)
    return answer


def summaries(context: Context, member: str, *names: str) -> Callable[[Stored], dict[str, Any]]:
    """Return what makes the summary of a resource: its ARN under `member`, these members and those of `TIMED`."""

    def summary(stored: Stored) -> dict[str, Any]:
        shown = states.shown(context, stored)
        return {member: stored.arn, **{name: shown[name] for name in (*names, *TIMED) if name in shown}}

    return summary


def minutes_left(context: Context, stored: Stored) -> int:
    """Return about how many minutes the job of a resource will still take: by how long it took to get where it is."""
    found, _ = listing(context.connection, kind=states.KIND, resource_arn=stored.arn, limit=1)
    done: float | None = (found[0].progress or {}).get("fraction") if found else None
    if not done or found[0].started is None:
        return 1
    return max(1, math.ceil((context.now - found[0].started) * (1 - done) / done / 60_000))
