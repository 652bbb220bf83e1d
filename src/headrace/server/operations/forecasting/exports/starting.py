"""How every export begins: where it goes, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server.context import Context
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.names import plain_identifier
from headrace.server.operations.forecasting.roles import check_place
from headrace.server.resources import Resource, Stored


def start_export(
    context: Context,
    kind: Resource,
    name: str,
    parent: Stored,
    record: Mapping[str, Any],
    *,
    destination: Mapping[str, Any],
    format_: str | None,
    tags: Sequence[Mapping[str, str]] | None,
) -> Stored:
    """Store an export of `parent` and queue its job; raises InvalidInput on a role that can't be assumed.

    Its ARN ends in PARENT/NAME.
    """
    check_place(context, destination)
    record = {**record, "destination": destination, "format": format_ or "CSV"}
    identifier = f"{plain_identifier(parent.record['identifier'])}/{name}"
    stored = states.create(context, kind, name, record, identifier=identifier, parent=parent.arn, tags=tags)
    states.start(context, stored)
    return stored
