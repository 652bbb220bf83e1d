"""How every export begins: where it goes, and whose it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Required, TypedDict

from headrace.server.context import Context
from headrace.server.operations.forecasting import states
from headrace.server.operations.forecasting.names import plain_identifier
from headrace.server.operations.forecasting.roles import check_place
from headrace.server.resources import Resource, Stored


class Exporting(TypedDict, total=False):
    """What every export is asked for: a place in S3, CSV or PARQUET, and tags."""

    destination: Required[Mapping[str, Any]]
    format: str | None
    tags: Sequence[Mapping[str, str]]


def start_export(
    context: Context, kind: Resource, name: str, parent: Stored, record: Mapping[str, Any], asked: Exporting
) -> Stored:
    """Store an export of `parent` and queue its job; raises InvalidInput on a role that can't be assumed.

    Its ARN ends in PARENT/NAME.
    """
    check_place(context, asked["destination"])
    record = {**record, "destination": asked["destination"], "format": asked.get("format") or "CSV"}
    identifier, tags = f"{plain_identifier(parent.record['identifier'])}/{name}", asked.get("tags", ())
    stored = states.create(context, kind, name, record, identifier=identifier, parent=parent.arn, tags=tags)
    states.start(context, stored)
    return stored
