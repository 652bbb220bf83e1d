"""Experiments: created, described, changed, listed, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InUse, InvalidInput
from headrace.server.operations import entities
from headrace.server.operations.lineage.kinds import EXPERIMENT, experiment_named
from headrace.server.resources import Stored

_MADE = ("creation_time", "created_by", "last_modified_time", "last_modified_by")
_DESCRIBED = ("experiment_name", "display_name", "source", "description", *_MADE)
_SUMMARY = ("experiment_name", "display_name", "creation_time", "last_modified_time")


def create_experiment(
    context: Context,
    *,
    experiment_name: str,
    display_name: str | None = None,
    description: str | None = None,
    tags: Sequence[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Make an experiment. AWS page: CreateExperiment."""
    record = {
        "experiment_name": experiment_name,
        "display_name": display_name or experiment_name,
        "description": description,
    }
    return {"experiment_arn": entities.make(context, EXPERIMENT, experiment_name, record, tags=tags).arn}


def describe_experiment(context: Context, *, experiment_name: str) -> dict[str, Any]:
    """Describe an experiment. AWS page: DescribeExperiment."""
    return described_experiment(experiment_named(context, experiment_name))


def described_experiment(stored: Stored) -> dict[str, Any]:
    """Return what describing an experiment answers."""
    return {**entities.answer(stored, _DESCRIBED), "experiment_arn": stored.arn}


def update_experiment(
    context: Context, *, experiment_name: str, display_name: str | None = None, description: str | None = None
) -> dict[str, Any]:
    """Change an experiment's display name or description. AWS page: UpdateExperiment."""
    stored = experiment_named(context, experiment_name)
    entities.change(context, EXPERIMENT, stored, {"display_name": display_name, "description": description})
    return {"experiment_arn": stored.arn}


def list_experiments(
    context: Context,
    *,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    sort_by: str | None = None,
    sort_order: str | None = None,
    next_token: str | None = None,
    max_results: int | None = None,
) -> dict[str, Any]:
    """List experiments, the newest first unless asked otherwise. AWS page: ListExperiments."""
    asked = {
        "created_after": created_after, "created_before": created_before, "sort_by": sort_by, "sort_order": sort_order,
        "next_token": next_token, "max_results": max_results,
    }  # fmt: skip
    return entities.page(context, "list_experiments", EXPERIMENT, asked, _summary, member="experiment_summaries")


def delete_experiment(context: Context, *, experiment_name: str) -> dict[str, Any]:
    """Delete an experiment without trials. AWS page: DeleteExperiment."""
    stored = experiment_named(context, experiment_name)
    try:
        resources.remove(context.connection, stored, EXPERIMENT)
    except InUse:
        raise InvalidInput(
            f"Experiment {stored.arn} can't be deleted while it has trials; delete these first"
        ) from None
    return {"experiment_arn": stored.arn}


def _summary(stored: Stored) -> dict[str, Any]:
    source = stored.record.get("source")
    shown = {**entities.answer(stored, _SUMMARY), "experiment_arn": stored.arn}
    return {**shown, "experiment_source": source} if source else shown
