"""Trials with their components, and components with the trials and experiments that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.server.context import Context
from headrace.server.operations import entities
from headrace.server.operations.lineage.components import described_component
from headrace.server.operations.lineage.edges import MEMBERSHIP, edges, stored_by_arns
from headrace.server.operations.lineage.search.jobs import (
    searched_processing_job,
    searched_training_job,
    searched_transform_job,
)
from headrace.server.operations.lineage.trials import described_trial
from headrace.server.operations.processing.states import PROCESSING_JOB
from headrace.server.operations.training.jobs import TRAINING_JOB
from headrace.server.operations.transforms.states import TRANSFORM_JOB
from headrace.server.resources import Stored

_SOURCES = {
    TRAINING_JOB.kind: ("training_job", searched_training_job),
    PROCESSING_JOB.kind: ("processing_job", searched_processing_job),
    TRANSFORM_JOB.kind: ("transform_job", searched_transform_job),
}
"""Where a SourceDetail holds a component's source, and how it is shown, by its kind."""

_BRIEF = ("trial_component_name", "creation_time", "created_by")


def described_trials(context: Context, stored: Sequence[Stored]) -> list[dict[str, Any]]:
    """Return trials as a search answers them: with summaries of their components. AWS page: Trial."""
    members = edges(context, MEMBERSHIP, sources=[each.arn for each in stored])
    components = _by_arn(context, {edge.record["destination_arn"] for edge in members})
    found: dict[str, list[dict[str, Any]]] = {each.arn: [] for each in stored}
    for edge in members:
        component = components[edge.record["destination_arn"]]
        source = component.record.get("source")
        brief = {**entities.answer(component, _BRIEF), "trial_component_arn": component.arn}
        found[edge.record["source_arn"]].append({**brief, **({"trial_component_source": source} if source else {})})
    return [{**described_trial(each), "trial_component_summaries": found[each.arn]} for each in stored]


def described_components(context: Context, stored: Sequence[Stored]) -> list[dict[str, Any]]:
    """Return components as a search answers them: with their parents and sources. AWS page: TrialComponent."""
    members = edges(context, MEMBERSHIP, destinations=[each.arn for each in stored])
    trials = _by_arn(context, {edge.record["source_arn"] for edge in members})
    parents: dict[str, list[dict[str, str]]] = {each.arn: [] for each in stored}
    for edge in members:
        trial = trials[edge.record["source_arn"]].record
        names = {"trial_name": trial["trial_name"], "experiment_name": trial["experiment_name"]}
        parents[edge.record["destination_arn"]].append(names)
    sources = _by_arn(context, {each.record["source_arn"] for each in stored if each.record.get("source_arn")})
    return [
        {
            **described_component(each),
            "parents": parents[each.arn],
            **_detail(each.record.get("source_arn", ""), sources),
        }
        for each in stored
    ]


def _detail(arn: str, sources: dict[str, Stored]) -> dict[str, Any]:
    source = sources.get(arn)
    if source is None:
        return {}
    describe = _SOURCES.get(source.kind)
    described = {describe[0]: describe[1](source)} if describe else {}
    return {"source_detail": {"source_arn": arn, **described}}


def _by_arn(context: Context, arns: set[str]) -> dict[str, Stored]:
    return {each.arn: each for each in stored_by_arns(context, sorted(arns))}
