"""Models as the model dashboard shows them: with the endpoints that serve them and their last batch transform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.operations.endpoints.fleets import variants_of
from headrace.server.operations.endpoints.states import ENDPOINT
from headrace.server.operations.lineage.search.jobs import searched_transform_job
from headrace.server.operations.models.models import described_model
from headrace.server.operations.transforms.states import TRANSFORM_JOB
from headrace.server.resources import Stored, member
from headrace.server.resources.rows import SHOWN, read_row
from headrace.server.stores.metadata.tables.resources import RESOURCES


def described_models(context: Context, stored: Sequence[Stored]) -> list[dict[str, Any]]:
    """Return models as a search answers them. AWS page: ModelDashboardModel."""
    names = {each.name for each in stored}
    endpoints: dict[str, list[dict[str, Any]]] = {}
    for each in _all(context, ENDPOINT.kind):
        shown = {
            "endpoint_name": each.name,
            "endpoint_arn": each.arn,
            "creation_time": moment(each.created),
            "last_modified_time": moment(each.modified),
            "endpoint_status": each.state,
        }
        for model in {variant["model_name"] for variant in variants_of(each.record.get("deployment") or {})} & names:
            endpoints.setdefault(model, []).append(shown)
    jobs = {each.record["model_name"]: each for each in _all(context, TRANSFORM_JOB.kind, names)}
    return [
        {
            "model": described_model(each),
            "endpoints": endpoints.get(each.name, []),
            **({"last_batch_transform_job": searched_transform_job(jobs[each.name])} if each.name in jobs else {}),
        }
        for each in stored
    ]


def _all(context: Context, kind: str, models: set[str] | None = None) -> list[Stored]:
    """Return the resources of a kind here, oldest first, of some models if these are given."""
    columns, place = RESOURCES.c, context.place
    where = [columns.kind == kind, columns.account == place.account, columns.region == place.region]
    if models is not None:
        where.append(member("model_name").in_(models))
    chosen = select(*SHOWN).where(*where).order_by(columns.created, columns.id)
    return [read_row(row) for row in context.connection.execute(chosen)]
