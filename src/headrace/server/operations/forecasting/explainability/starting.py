"""How an explainability begins: at once, or when the predictor that it is of has been trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from headrace.server import resources
from headrace.server.context import Context, Platform
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.kinds import EXPLAINABILITY, PENDING
from headrace.server.operations.forecasting.names import unique_identifier
from headrace.server.operations.forecasting.roles import place_of
from headrace.server.resources import Stored

ALL, SPECIFIC = "ALL", "SPECIFIC"


def open_explainability(
    context: Context,
    owner: Stored,
    *,
    name: str = "",
    record: Mapping[str, Any] | None = None,
    tags: Sequence[Mapping[str, str]] | None = None,
) -> Stored:
    """Store an explainability of a predictor or forecast, of all of it unless `record` says otherwise; start none."""
    name = name or owner.name
    granularity = {"time_series_granularity": ALL, "time_point_granularity": ALL}
    members = {
        "explainability_name": name,
        "resource_arn": owner.arn,
        "explainability_config": granularity,
        "enable_visualization": False,
        **(record or {}),
    }
    identifier = unique_identifier(name, context.now)
    return states.create(context, EXPLAINABILITY, name, members, identifier=identifier, parent=owner.arn, tags=tags)


def waiting_of(connection: Connection, predictor: Stored) -> Stored | None:
    """Return the explainability that waits for the end of a predictor's training."""
    found = resources.listing(connection, EXPLAINABILITY, place_of(predictor), parent=predictor.arn, limit=1).items
    return next((each for each in found if each.state == PENDING), None)


def begin(connection: Connection, platform: Platform, stored: Stored, *, now: int) -> None:
    """Queue the job of an explainability that has waited."""
    platform.jobs.enqueue(
        connection, states.KIND, {"place": asdict(place_of(stored))}, now=now, resource_arn=stored.arn
    )
