"""Trial components: a step of a trial with its parameters, inputs, outputs, metrics and state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import InvalidInput
from headrace.server.operations import entities
from headrace.server.operations.lineage.edges import ASSOCIATION, MEMBERSHIP, edges, forget
from headrace.server.operations.lineage.kinds import (
    COMPONENT,
    component_named,
    experiment_named,
    trial_named,
    trials_of,
)
from headrace.server.operations.lineage.measurements import forget_measurements
from headrace.server.resources import Stored, member
from headrace.server.stores.metadata.tables.resources import RESOURCES

MOST_PARAMETERS, MOST_ARTIFACTS = 300, 60

_SUMMARY = (
    "trial_component_name", "display_name", "status", "start_time", "end_time", "creation_time", "created_by",
    "last_modified_time", "last_modified_by",
)  # fmt: skip
_DESCRIBED = (*_SUMMARY, "source", "parameters", "input_artifacts", "output_artifacts", "metadata_properties")


def create_trial_component(
    context: Context,
    *,
    trial_component_name: str,
    display_name: str | None = None,
    status: dict[str, Any] | None = None,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    parameters: dict[str, Any] | None = None,
    input_artifacts: dict[str, Any] | None = None,
    output_artifacts: dict[str, Any] | None = None,
    metadata_properties: dict[str, Any] | None = None,
    tags: Sequence[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Make a trial component. AWS page: CreateTrialComponent."""
    record = {
        "trial_component_name": trial_component_name, "display_name": display_name or trial_component_name,
        "status": status, "start_time": start_time, "end_time": end_time, "parameters": parameters or {},
        "input_artifacts": input_artifacts or {}, "output_artifacts": output_artifacts or {},
        "metadata_properties": metadata_properties,
    }  # fmt: skip
    _check_sizes(trial_component_name, record)
    return {"trial_component_arn": entities.make(context, COMPONENT, trial_component_name, record, tags=tags).arn}


def describe_trial_component(context: Context, *, trial_component_name: str) -> dict[str, Any]:
    """Describe a component by its name or ARN. AWS page: DescribeTrialComponent."""
    return described_component(component_named(context, trial_component_name))


def described_component(stored: Stored) -> dict[str, Any]:
    """Return what describing a component answers."""
    source = stored.record.get("source")
    return {
        **entities.answer(stored, _DESCRIBED),
        "trial_component_arn": stored.arn,
        "metrics": [entities.shown(summary) for summary in stored.record.get("metrics", {}).values()],
        "sources": [source] if source else [],
    }


def update_trial_component(
    context: Context,
    *,
    trial_component_name: str,
    display_name: str | None = None,
    status: dict[str, Any] | None = None,
    start_time: datetime | None = None,
    end_time: datetime | None = None,
    parameters: dict[str, Any] | None = None,
    parameters_to_remove: Sequence[str] = (),
    input_artifacts: dict[str, Any] | None = None,
    input_artifacts_to_remove: Sequence[str] = (),
    output_artifacts: dict[str, Any] | None = None,
    output_artifacts_to_remove: Sequence[str] = (),
) -> dict[str, Any]:
    """Change members of a component, adding to its parameters and artifacts. AWS page: UpdateTrialComponent."""
    stored = component_named(context, trial_component_name)
    members = {
        "display_name": display_name,
        "status": status,
        "start_time": start_time,
        "end_time": end_time,
        "parameters": merged(stored, "parameters", parameters, parameters_to_remove),
        "input_artifacts": merged(stored, "input_artifacts", input_artifacts, input_artifacts_to_remove),
        "output_artifacts": merged(stored, "output_artifacts", output_artifacts, output_artifacts_to_remove),
    }
    _check_sizes(stored.name, members)
    entities.change(context, COMPONENT, stored, members)
    return {"trial_component_arn": stored.arn}


def list_trial_components(
    context: Context,
    *,
    experiment_name: str | None = None,
    trial_name: str | None = None,
    source_arn: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    sort_by: str | None = None,
    sort_order: str | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
) -> dict[str, Any]:
    """List components, of a trial, an experiment or a source if one is named. AWS page: ListTrialComponents."""
    if sum(map(bool, (experiment_name, trial_name, source_arn))) > 1:
        raise InvalidInput("Name only one of ExperimentName, TrialName and SourceArn")
    asked = {
        "created_after": created_after, "created_before": created_before, "sort_by": sort_by, "sort_order": sort_order,
        "next_token": next_token, "max_results": max_results,
    }  # fmt: skip
    where: list[ColumnElement[bool]] = []
    if experiment_name or trial_name:
        where.append(RESOURCES.c.arn.in_(_members_of(context, experiment_name, trial_name)))
    if source_arn:
        where.append(member("source_arn") == source_arn)
    return entities.page(
        context, "list_trial_components", COMPONENT, asked, _summary, member="trial_component_summaries", where=where
    )


def delete_trial_component(context: Context, *, trial_component_name: str) -> dict[str, Any]:
    """Delete a component that is in no trial, with its associations. AWS page: DeleteTrialComponent."""
    stored = component_named(context, trial_component_name)
    if edges(context, MEMBERSHIP, destinations=[stored.arn]):
        raise InvalidInput(f"Trial Component {stored.arn} is still in a trial; disassociate it from all trials first")
    forget(context, ASSOCIATION, stored.arn)
    forget_measurements(context, stored)
    resources.remove(context.connection, stored, COMPONENT)
    return {"trial_component_arn": stored.arn}


def merged(stored: Stored, name: str, added: Mapping[str, Any] | None, removed: Sequence[str] = ()) -> dict[str, Any]:
    """Return a map of an entity's record with entries added, replaced and removed."""
    kept = {**stored.record.get(name, {}), **(added or {})}
    return {key: value for key, value in kept.items() if key not in removed}


def _members_of(context: Context, experiment_name: str | None, trial_name: str | None) -> list[str]:
    """Return the ARNs of the components in a trial, or in all trials of an experiment; raises NotFound."""
    if trial_name:
        trials = [trial_named(context, trial_name).arn]
    else:
        trials = trials_of(context, experiment_named(context, str(experiment_name)))
    return [edge.record["destination_arn"] for edge in edges(context, MEMBERSHIP, sources=trials)] if trials else []


def _check_sizes(name: str, members: Mapping[str, Any]) -> None:
    for limit, kinds in ((MOST_PARAMETERS, ("parameters",)), (MOST_ARTIFACTS, ("input_artifacts", "output_artifacts"))):
        for kind in kinds:
            if len(members.get(kind) or ()) > limit:
                raise InvalidInput(f"Trial Component {name} would have more than {limit} {kind}; remove some first")


def _summary(stored: Stored) -> dict[str, Any]:
    source = stored.record.get("source")
    shown = {**entities.answer(stored, _SUMMARY), "trial_component_arn": stored.arn}
    return {**shown, "trial_component_source": source} if source else shown
