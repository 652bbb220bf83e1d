"""The kinds of entities that experiments and lineage are made of, and how they are found."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from headrace.server.context import Context
from headrace.server.errors import NotFound
from headrace.server.operations import entities
from headrace.server.resources import Resource, Stored
from headrace.server.stores.metadata.tables.resources import RESOURCES

_ARN = "arn:{partition}:sagemaker:{region}:{account}:"

EXPERIMENT = Resource("sagemaker/experiment", "Experiment", _ARN + "experiment/{lowered}")
"""An experiment; its trials have it as their parent."""

TRIAL = Resource("sagemaker/experiment-trial", "Trial", _ARN + "experiment-trial/{lowered}")
"""A trial; edges.MEMBERSHIP leads to its components."""

COMPONENT = Resource(
    "sagemaker/experiment-trial-component", "Trial Component", _ARN + "experiment-trial-component/{lowered}"
)
"""A trial component; its record has `metrics`, by name what each comes to, and `source_arn`, that of its source."""

ARTIFACT = Resource("sagemaker/artifact", "Artifact", _ARN + "artifact/{name}")
"""An artifact; its name is a hash of its source."""

ACTION = Resource("sagemaker/action", "Action", _ARN + "action/{lowered}")
CONTEXT = Resource("sagemaker/context", "Context", _ARN + "context/{lowered}")

NODES = {each.kind: each for each in (ARTIFACT, ACTION, CONTEXT, COMPONENT, TRIAL, EXPERIMENT)}
"""What an association may connect."""


def experiment_named(context: Context, name: str) -> Stored:
    """Return the experiment of that name; raises NotFound."""
    return entities.get(context, EXPERIMENT, name, NotFound)


def trial_named(context: Context, name: str) -> Stored:
    """Return the trial of that name; raises NotFound."""
    return entities.get(context, TRIAL, name, NotFound)


def component_named(context: Context, name: str) -> Stored:
    """Return the trial component of that name or ARN; raises NotFound."""
    return entities.get(context, COMPONENT, name, NotFound)


def trials_of(context: Context, experiment: Stored) -> list[str]:
    """Return the ARNs of an experiment's trials."""
    columns = RESOURCES.c
    return list(context.connection.scalars(select(columns.arn).where(columns.parent == experiment.arn)))


def check_experiment_config(context: Context, config: Mapping[str, str] | None) -> None:
    """Raise NotFound where a job's ExperimentConfig names an experiment or a trial that does not exist."""
    if config and config.get("experiment_name"):
        experiment_named(context, config["experiment_name"])
    if config and config.get("trial_name"):
        trial_named(context, config["trial_name"])
