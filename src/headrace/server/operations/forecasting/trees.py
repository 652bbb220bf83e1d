"""Resources of Amazon Forecast with all that belongs to them: stopped, resumed and deleted together."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InUse, InvalidInput
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.finding import get
from headrace.server.operations.forecasting.kinds import (
    ACTIVE,
    DATASET,
    DATASET_GROUP,
    FAILED,
    KINDS,
    MONITOR,
    MONITOR_STOPPED,
)
from headrace.server.resources import Stored, by_arn
from headrace.server.stores.metadata.tables.resources import RESOURCES

MADE_AT_ONCE = (DATASET.kind, DATASET_GROUP.kind)


def stop_resource(context: Context, *, resource_arn: str) -> None:
    """Stop the making of a resource, and of all that belongs to it; a monitor rests. AWS page: StopResource.

    Raises InvalidInput on what has ended already, or can't be stopped.
    """
    stored = get(context, resource_arn)
    title = KINDS[stored.kind].title
    if stored.kind in MADE_AT_ONCE:
        raise InvalidInput(f"A {title} can't be stopped; stop its import jobs or predictors")
    if stored.kind != MONITOR.kind and stored.state in (ACTIVE, FAILED):
        raise InvalidInput(f"The {title} {resource_arn} is {stored.state} and can't be stopped any more")
    for each in (stored, *descendants(context, stored)):
        if each.kind != MONITOR.kind:
            states.stop(context, each)
        elif each.state == ACTIVE:
            resources.change(context.connection, MONITOR, each, now=context.now, state=MONITOR_STOPPED)


def resume_resource(context: Context, *, resource_arn: str) -> None:
    """Let a stopped monitor go on. AWS page: ResumeResource. Raises InUse on one that is not stopped."""
    stored = get(context, resource_arn, MONITOR)
    if stored.state != MONITOR_STOPPED:
        raise InUse(f"The monitor {resource_arn} is {stored.state}; only one that was stopped can go on", status=400)
    resources.change(context.connection, MONITOR, stored, now=context.now, state=ACTIVE)


def delete_resource_tree(context: Context, *, resource_arn: str) -> None:
    """Delete a resource and all that belongs to it; datasets stay when their group goes. AWS page: DeleteResourceTree.

    Raises InUse (ResourceInUse) where one of them is still being made.
    """
    stored = get(context, resource_arn)
    family = [stored, *descendants(context, stored)]
    for each in family:
        if each.state in KINDS[each.kind].lasting:
            raise InUse(
                f"{each.arn} is {each.state}; stop it or wait for its end before the tree is deleted", status=400
            )
    for each in reversed(family):
        states.remove(context, each)


def descendants(context: Context, stored: Stored) -> Iterator[Stored]:
    """Yield all that belongs to a resource, each after what it belongs to."""
    waiting = [stored.arn]
    while waiting:
        children = select(RESOURCES.c.arn).where(RESOURCES.c.parent == waiting.pop(0)).order_by(RESOURCES.c.id)
        for arn in context.connection.execute(children).scalars().all():
            child = by_arn(context.connection, arn)
            if child is not None and child.kind in KINDS:
                waiting.append(arn)
                yield child
