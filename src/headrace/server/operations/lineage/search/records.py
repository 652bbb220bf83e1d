"""What can be searched: for each ResourceType its properties, and the records that a search answers with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.server.context import Context
from headrace.server.operations.endpoints.descriptions import describe as described_endpoint
from headrace.server.operations.endpoints.states import ENDPOINT
from headrace.server.operations.lineage.experiments import described_experiment
from headrace.server.operations.lineage.kinds import COMPONENT, EXPERIMENT, TRIAL
from headrace.server.operations.lineage.search.dashboard import described_models
from headrace.server.operations.lineage.search.families import described_components, described_trials
from headrace.server.operations.lineage.search.jobs import TRAINING_JOB_PROPERTIES, searched_training_job, words
from headrace.server.operations.lineage.search.properties import plain
from headrace.server.operations.models.models import MODEL
from headrace.server.operations.registry.groups import GROUP, described_group
from headrace.server.operations.registry.packages import described as described_package
from headrace.server.operations.registry.versions import PACKAGE
from headrace.server.operations.training.jobs import TRAINING_JOB
from headrace.server.operations.tuning.jobs import describe_hyper_parameter_tuning_job
from headrace.server.operations.tuning.states import TUNING_JOB
from headrace.server.resources import Resource, Stored

Describe = Callable[[Context, Sequence[Stored]], list[dict[str, Any]]]

_MADE = "creation_time created_by last_modified_time last_modified_by tags"
_MODEL = (
    "model_name primary_container containers inference_execution_config execution_role_arn vpc_config creation_time "
    "model_arn enable_network_isolation tags deployment_recommendation"
)


@dataclass(frozen=True)
class Searched:
    """One ResourceType: `member` is where SearchRecord holds it, `properties` are those of its record.

    `name` is the property that is also its name, "" where there is none; `also` are properties that filters know
    besides.
    """

    resource: Resource
    member: str
    name: str
    properties: frozenset[str]
    describe: Describe
    also: frozenset[str] = frozenset()

    def knows(self, name: str) -> bool:
        """Tell whether a property of that name may be asked for."""
        first = plain(name.partition(".")[0])
        return any(plain(each) == first for each in (*self.properties, *self.also))

    def records(self, context: Context, stored: Sequence[Stored]) -> list[dict[str, Any]]:
        """Return the records of resources, with their tags still to come."""
        found = self.describe(context, stored)
        return [{name: value for name, value in each.items() if name in self.properties} for each in found]


def _each(describe: Callable[[Stored], Mapping[str, Any]]) -> Describe:
    return lambda _, stored: [dict(describe(each)) for each in stored]


def _described_tuning_jobs(context: Context, stored: Sequence[Stored]) -> list[dict[str, Any]]:
    return [describe_hyper_parameter_tuning_job(context, hyper_parameter_tuning_job_name=each.name) for each in stored]


SEARCHED: Mapping[str, Searched] = {
    "TrainingJob": Searched(
        TRAINING_JOB,
        "training_job",
        "training_job_name",
        TRAINING_JOB_PROPERTIES,
        _each(searched_training_job),
        frozenset({"metrics"}),
    ),
    "Experiment": Searched(
        EXPERIMENT,
        "experiment",
        "experiment_name",
        words(f"experiment_name experiment_arn display_name source description {_MADE}"),
        _each(described_experiment),
    ),
    "ExperimentTrial": Searched(
        TRIAL,
        "trial",
        "trial_name",
        words(
            "trial_name trial_arn display_name experiment_name source metadata_properties trial_component_summaries "
            f"{_MADE}"
        ),
        described_trials,
    ),
    "ExperimentTrialComponent": Searched(
        COMPONENT,
        "trial_component",
        "trial_component_name",
        words(
            "trial_component_name display_name trial_component_arn source status start_time end_time parameters "
            "input_artifacts output_artifacts metrics metadata_properties source_detail lineage_group_arn parents "
            f"run_name {_MADE}"
        ),
        described_components,
    ),
    "Endpoint": Searched(
        ENDPOINT,
        "endpoint",
        "endpoint_name",
        words(
            "endpoint_name endpoint_arn endpoint_config_name production_variants data_capture_config endpoint_status "
            "failure_reason creation_time last_modified_time monitoring_schedules tags "
            "shadow_production_variants"
        ),
        _each(described_endpoint),
    ),
    "Model": Searched(
        MODEL,
        "model",
        "model_name",
        frozenset({"model", "endpoints", "last_batch_transform_job", "monitoring_schedules", "model_card"}),
        described_models,
        words(_MODEL),
    ),
    "ModelPackage": Searched(
        PACKAGE,
        "model_package",
        "",
        words(
            "model_package_name model_package_group_name model_package_version model_package_registration_type "
            "model_package_arn model_package_description inference_specification source_algorithm_specification "
            "validation_specification model_package_status model_package_status_details certify_for_marketplace "
            "model_approval_status metadata_properties model_metrics approval_description domain task "
            "sample_payload_url additional_inference_specifications source_uri security_config model_card "
            "model_life_cycle customer_metadata_properties drift_check_baselines skip_model_validation "
            f"{_MADE}"
        ),
        _each(described_package),
    ),
    "HyperParameterTuningJob": Searched(
        TUNING_JOB,
        "hyper_parameter_tuning_job",
        "hyper_parameter_tuning_job_name",
        words(
            "hyper_parameter_tuning_job_name hyper_parameter_tuning_job_arn hyper_parameter_tuning_job_config "
            "training_job_definition training_job_definitions hyper_parameter_tuning_job_status creation_time "
            "hyper_parameter_tuning_end_time last_modified_time training_job_status_counters "
            "objective_status_counters best_training_job overall_best_training_job warm_start_config failure_reason "
            "tuning_job_completion_details consumed_resources tags"
        ),
        _described_tuning_jobs,
    ),
    "ModelPackageGroup": Searched(
        GROUP,
        "model_package_group",
        "model_package_group_name",
        words(
            "model_package_group_name model_package_group_arn model_package_group_description creation_time created_by "
            "model_package_group_status tags"
        ),
        _each(described_group),
    ),
}
"""What is searched, by ResourceType; there are none yet of those that are missing here."""
