"""What CreateHyperParameterTuningJob asks for: checked, and completed with what is documented as the default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server.containers.algorithms import ALGORITHMS
from headrace.server.containers.contract import BuiltIn, ClientError
from headrace.server.containers.hyperparameters import TUNING_OBJECTIVE, read_hyperparameters
from headrace.server.errors import InvalidInput, LimitExceeded
from headrace.server.operations.training import requests as training
from headrace.server.operations.training.built_in import built_in
from headrace.server.operations.training.programs import kind_of
from headrace.server.operations.tuning.ranges import Range, completed_ranges, grid_size, read_ranges

MOST_METRICS = 40
MOST_TRIALS, MOST_PARALLEL = 750, 100
"""AWS's quotas for one tuning job (AWS page: "Resource Limits for Automatic Model Tuning")."""

NOT_TAKEN = {
    "training_job_definitions": "TrainingJobDefinitions are not tuned together here; give one TrainingJobDefinition",
    "warm_start_config": "Tuning jobs start without those of before here; leave WarmStartConfig out",
    "autotune": "Ranges and limits are not chosen automatically here; give ParameterRanges, and leave Autotune out",
}
NOT_IN_A_DEFINITION = ("tuning_objective", "hyper_parameter_ranges", "definition_name")
SWITCHES = (
    "enable_network_isolation",
    "enable_inter_container_traffic_encryption",
    "enable_managed_spot_training",
)


def check_request(request: Mapping[str, Any], tags: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return `config` and `definition` as Describe answers them; raises InvalidInput, LimitExceeded."""
    for name, sentence in NOT_TAKEN.items():
        if request.get(name):
            raise _invalid(sentence)
    config, definition = request["hyper_parameter_tuning_job_config"], request.get("training_job_definition")
    if not definition:
        raise _invalid("TrainingJobDefinition is missing; say in it what the training jobs are to run")
    objective = _objective(config)
    _check_strategy(config)
    ranges = read_ranges(config.get("parameter_ranges") or {})
    static = _check_static(definition, ranges)
    misplaced = next((name for name in NOT_IN_A_DEFINITION if definition.get(name)), None)
    if misplaced is not None:
        member = "".join(word.capitalize() for word in misplaced.split("_"))
        raise _invalid(f"{member} belongs to TrainingJobDefinitions; leave it out of TrainingJobDefinition")
    completed = _completed(definition, {**static, TUNING_OBJECTIVE: objective["metric_name"]})
    kind = training.check_request(training_request(completed, {}), tags)
    if kind.built_in:
        _check_values(_algorithm(kind.algorithm), static, ranges)
    completed["algorithm_specification"] = _with_metrics(completed, objective["metric_name"])
    limits = {**config["resource_limits"], "max_number_of_training_jobs": _most(config, ranges)}
    _check_limits(limits)
    early = {"training_job_early_stopping_type": "Off"}
    return {
        "config": {
            **early, **config, "resource_limits": limits,
            "parameter_ranges": completed_ranges(config["parameter_ranges"]),
        },
        "definition": completed,
    }  # fmt: skip


def training_request(definition: Mapping[str, Any], tuned: Mapping[str, str], name: str = "") -> dict[str, Any]:
    """Return the request of CreateTrainingJob of a trial: `tuned` are its own hyperparameters.

    Checkpoints of each lie under the name of its training job, so that none goes on from those of another.
    """
    static = ("static_hyper_parameters", "hyper_parameter_tuning_resource_config", "role_arn")
    request = {key: value for key, value in definition.items() if key not in static}
    request["hyper_parameters"] = {**definition["static_hyper_parameters"], **tuned}
    own, specification = _own_metrics(request), definition["algorithm_specification"]
    given = [each for each in specification.get("metric_definitions") or () if each not in own]
    request["algorithm_specification"] = {**specification, "metric_definitions": given}
    if "hyper_parameter_tuning_resource_config" in definition:
        request["resource_config"] = _first_of(definition["hyper_parameter_tuning_resource_config"])
    if checkpoints := definition.get("checkpoint_config"):
        request["checkpoint_config"] = {**checkpoints, "s3_uri": f"{checkpoints['s3_uri'].rstrip('/')}/{name}"}
    return request


def _objective(config: Mapping[str, Any]) -> Mapping[str, Any]:
    objective: Mapping[str, Any] | None = config.get("hyper_parameter_tuning_job_objective")
    if not objective:
        raise _invalid("HyperParameterTuningJobObjective is missing; name the metric that is to be optimized")
    return objective


def _check_strategy(config: Mapping[str, Any]) -> None:
    if config["strategy"] == "Hyperband" or config.get("strategy_config"):
        raise _invalid(
            "The strategy Hyperband does not run here; take Bayesian, Random or Grid, without StrategyConfig"
        )
    if (config.get("parameter_ranges") or {}).get("auto_parameters"):
        raise _invalid("AutoParameters are not taken here; give each hyperparameter a range in ParameterRanges")
    convergence = (config.get("tuning_job_completion_criteria") or {}).get("convergence_detected") or {}
    if convergence.get("complete_on_convergence") == "Enabled":
        raise _invalid(
            "Convergence is not detected here; set TargetObjectiveMetricValue or BestObjectiveNotImproving in "
            "TuningJobCompletionCriteria"
        )


def _check_static(definition: Mapping[str, Any], ranges: Sequence[Range]) -> dict[str, str]:
    static = dict(definition.get("static_hyper_parameters") or {})
    static.pop(TUNING_OBJECTIVE, None)
    both = next((each.name for each in ranges if each.name in static), None)
    if both is not None:
        raise _invalid(
            f"The hyperparameter {both} is in StaticHyperParameters and in ParameterRanges; leave it out of one of them"
        )
    return static


def _completed(definition: Mapping[str, Any], static: Mapping[str, str]) -> dict[str, Any]:
    given = {name: value for name, value in definition.items() if value is not None}
    if bool(given.get("resource_config")) == bool(given.get("hyper_parameter_tuning_resource_config")):
        raise _invalid("TrainingJobDefinition must have one of ResourceConfig and HyperParameterTuningResourceConfig")
    machines = given.get("hyper_parameter_tuning_resource_config")
    if machines and not machines.get("instance_configs"):
        given["resource_config"] = given.pop("hyper_parameter_tuning_resource_config")
    return {
        **given,
        "static_hyper_parameters": dict(static),
        "output_data_config": {"kms_key_id": "", **given["output_data_config"]},
        **{name: bool(given.get(name)) for name in SWITCHES},
    }


def _first_of(resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first ResourceConfig of HyperParameterTuningResourceConfig, as every machine is this one."""
    key = {name: resources[name] for name in ("volume_kms_key_id",) if resources.get(name)}
    return {**resources["instance_configs"][0], **key}


def _own_metrics(request: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the metric definitions of the algorithm of a training job; none where it runs a user's code."""
    if not request["algorithm_specification"].get("training_image"):
        return []
    algorithm = ALGORITHMS.get(kind_of(request).algorithm)
    return [{"name": each.name, "regex": each.pattern} for each in algorithm.metrics] if algorithm else []


def _with_metrics(definition: Mapping[str, Any], metric: str) -> dict[str, Any]:
    """Return an AlgorithmSpecification with the definitions of an algorithm's own metrics, as Describe answers them.

    Where they are more than the API takes, those of the objective's channel come first. Raises InvalidInput where none
    is that of the objective.
    """
    specification, own = definition["algorithm_specification"], _own_metrics(training_request(definition, {}))
    definitions = {each["name"]: each for each in (*own, *(specification.get("metric_definitions") or ()))}
    if metric not in definitions and not own:
        raise _invalid(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
            f"definitions: none of them is named {metric}"
        )
    if metric not in definitions:
        raise _invalid(
            f"The objective metric for the hyperparameter tuning job, [{metric}], isn't valid for the "
            f"[{specification['training_image']}] algorithm. Choose a valid objective metric: {', '.join(definitions)}"
        )
    channel = metric.partition(":")[0]
    ordered = sorted(definitions.values(), key=lambda each: each["name"].partition(":")[0] != channel)
    return {**specification, "metric_definitions": ordered[:MOST_METRICS]}


def _algorithm(name: str) -> BuiltIn:
    try:
        return built_in(name)
    except ClientError as error:
        raise _invalid(str(error)) from None


def _check_values(algorithm: BuiltIn, static: Mapping[str, str], ranges: Sequence[Range]) -> None:
    """Let the algorithm read the hyperparameters: the static ones with values of each range."""
    first = {each.name: each.samples[0] for each in ranges}
    for tuned in [first, *({**first, each.name: text} for each in ranges for text in each.samples[1:])]:
        try:
            read_hyperparameters(algorithm.hyperparameters, {**static, **tuned})
        except ClientError as error:
            raise _invalid(f"The hyperparameters do not suit the algorithm {algorithm.name}: {error}") from None


def _most(config: Mapping[str, Any], ranges: Sequence[Range]) -> int:
    """Return how many training jobs there are to be at most."""
    limits = config["resource_limits"]
    given: int | None = limits.get("max_number_of_training_jobs")
    if config["strategy"] == "Grid":
        size = grid_size(ranges)
        if given not in (None, size):
            raise _invalid(
                f"The grid has {size} combinations, and MaxNumberOfTrainingJobs is {given}; give {size}, or leave it "
                "out"
            )
        return size
    if given is None and not limits.get("max_runtime_in_seconds") and not config.get("tuning_job_completion_criteria"):
        raise _invalid(
            "ResourceLimits sets no end; give MaxNumberOfTrainingJobs, MaxRuntimeInSeconds or "
            "TuningJobCompletionCriteria"
        )
    return MOST_TRIALS if given is None else given


def _check_limits(limits: Mapping[str, Any]) -> None:
    parallel = limits["max_parallel_training_jobs"]
    for name, value, most in (
        ("training jobs per hyperparameter tuning job", limits["max_number_of_training_jobs"], MOST_TRIALS),
        ("parallel training jobs per hyperparameter tuning job", parallel, MOST_PARALLEL),
    ):
        if value > most:
            raise LimitExceeded(
                f"The account-level service limit 'Number of {name}' is {most}, and {value} were asked for; lower it",
                code="ResourceLimitExceeded",
            )


def _invalid(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, code="ValidationException")
