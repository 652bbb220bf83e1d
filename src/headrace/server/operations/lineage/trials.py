"""Trials: what belongs together in an experiment, and the trial components in each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput, LimitExceeded, NotFound
from headrace.server.operations import entities
from headrace.server.operations.lineage.edges import MEMBERSHIP, connect, disconnect, edges
from headrace.server.operations.lineage.kinds import (
    COMPONENT,
    TRIAL,
    component_named,
    experiment_named,
    trial_named,
)
from headrace.server.resources import Stored
from headrace.server.stores.metadata.tables.resources import RESOURCES

MOST_COMPONENTS = 300
"""Components of a trial."""

_MADE = ("creation_time", "created_by", "last_modified_time", "last_modified_by")
_DESCRIBED = ("trial_name", "display_name", "experiment_name", "source", *_MADE, "metadata_properties")
_SUMMARY = ("trial_name", "display_name", "creation_time", "last_modified_time")


def create_trial(
    context: Context,
    *,
    trial_name: str,
    experiment_name: str,
    display_name: str | None = None,
    metadata_properties: dict[str, Any] | None = None,
    tags: Sequence[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Make a trial in an experiment. AWS page: CreateTrial."""
    experiment = experiment_named(context, experiment_name)
    record = {
        "trial_name": trial_name,
        "display_name": display_name or trial_name,
        "experiment_name": experiment.name,
        "metadata_properties": metadata_properties,
    }
    return {"trial_arn": entities.make(context, TRIAL, trial_name, record, parent=experiment.arn, tags=tags).arn}


def describe_trial(context: Context, *, trial_name: str) -> dict[str, Any]:
    """Describe a trial. AWS page: DescribeTrial."""
    return described_trial(trial_named(context, trial_name))


def described_trial(stored: Stored) -> dict[str, Any]:
    """Return what describing a trial answers."""
    return {**entities.answer(stored, _DESCRIBED), "trial_arn": stored.arn}


def update_trial(context: Context, *, trial_name: str, display_name: str | None = None) -> dict[str, Any]:
    """Change a trial's display name. AWS page: UpdateTrial."""
    stored = trial_named(context, trial_name)
    entities.change(context, TRIAL, stored, {"display_name": display_name})
    return {"trial_arn": stored.arn}


def list_trials(
    context: Context,
    *,
    experiment_name: str | None = None,
    trial_component_name: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    sort_by: str | None = None,
    sort_order: str | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """List trials, of an experiment or with a component if these are named. AWS page: ListTrials."""
    asked = {
        "created_after": created_after, "created_before": created_before, "sort_by": sort_by, "sort_order": sort_order,
        "next_token": next_token, "max_results": max_results,
    }  # fmt: skip
    where = []
    if trial_component_name:
        component = component_named(context, trial_component_name)
        holding = edges(context, MEMBERSHIP, destinations=[component.arn])
        where.append(RESOURCES.c.arn.in_([edge.record["source_arn"] for edge in holding]))
    return entities.page(
        context,
        "list_trials",
        TRIAL,
        asked,
        _summary,
        member="trial_summaries",
        parent=experiment_named(context, experiment_name).arn if experiment_name else None,
        where=where,
    )


def delete_trial(context: Context, *, trial_name: str) -> dict[str, Any]:
    """Delete a trial without components. AWS page: DeleteTrial."""
    stored = trial_named(context, trial_name)
    if edges(context, MEMBERSHIP, sources=[stored.arn]):
        raise InvalidInput(f"Trial {stored.arn} can't be deleted while it has components; disassociate these first")
    resources.remove(context.connection, stored, TRIAL)
    return {"trial_arn": stored.arn}


def associate_trial_component(context: Context, *, trial_component_name: str, trial_name: str) -> dict[str, Any]:
    """Put a component into a trial. AWS page: AssociateTrialComponent."""
    component, trial = component_named(context, trial_component_name), trial_named(context, trial_name)
    members = {edge.record["destination_arn"] for edge in edges(context, MEMBERSHIP, sources=[trial.arn])}
    if component.arn not in members and len(members) >= MOST_COMPONENTS:
        raise LimitExceeded(f"Trial {trial.arn} has {MOST_COMPONENTS} components already; take another trial")
    connect(context, MEMBERSHIP, trial.arn, component.arn)
    return {"trial_component_arn": component.arn, "trial_arn": trial.arn}


def disassociate_trial_component(context: Context, *, trial_component_name: str, trial_name: str) -> dict[str, Any]:
    """Take a component out of a trial. AWS page: DisassociateTrialComponent."""
    component, trial = component_named(context, trial_component_name), trial_named(context, trial_name)
    if not disconnect(context, MEMBERSHIP, trial.arn, component.arn):
        raise NotFound(f"{COMPONENT.title} {component.arn} is not associated with Trial {trial.arn}.")
    return {"trial_component_arn": component.arn, "trial_arn": trial.arn}


def _summary(stored: Stored) -> dict[str, Any]:
    source = stored.record.get("source")
    shown = {**entities.answer(stored, _SUMMARY), "trial_arn": stored.arn}
    return {**shown, "trial_source": source} if source else shown
