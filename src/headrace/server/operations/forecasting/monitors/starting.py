"""How a monitor begins: with its predictor, or later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.kinds import MONITOR
from headrace.server.operations.forecasting.names import unique_identifier
from headrace.server.resources import Stored
from headrace.server.stores.metadata.tables.resources import RESOURCES


def open_monitor(
    context: Context, name: str, predictor: Stored, tags: Sequence[Mapping[str, str]] | None = None
) -> Stored:
    """Store a monitor of a predictor; raises AlreadyExists on a name that is taken, or a second one of a predictor."""
    by_name = resources.listing(
        context.connection, MONITOR, context.place, where=[RESOURCES.c.name == name], limit=1
    ).items
    taken = (
        by_name or resources.listing(context.connection, MONITOR, context.place, parent=predictor.arn, limit=1).items
    )
    if taken:
        raise AlreadyExists(f"A monitor already exists with the arn: {taken[0].arn}", status=400)
    record = {"monitor_name": name, "resource_arn": predictor.arn}
    identifier = unique_identifier(name, context.now)
    return states.create(context, MONITOR, name, record, identifier=identifier, parent=predictor.arn, tags=tags)
