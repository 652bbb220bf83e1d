"""What CreateTrainingJob asks for beyond its shapes: checked, and completed with what is documented as the default."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import regex

from headrace.server.containers.images import resolve
from headrace.server.errors import InvalidInput
from headrace.server.operations.storage.transfer import parse_uri
from headrace.server.operations.training.programs import Kind, kind_of

DAY = 86_400
CHECKPOINTS = "/opt/ml/checkpoints"
PROFILING_INTERVALS = (100, 200, 500, 1_000, 5_000, 60_000)
NOT_TAKEN = {
    "serverless_job_config": "serverless jobs are not run here; give AlgorithmSpecification and ResourceConfig",
    "mlflow_config": "training jobs do not report to MLflow here; leave MlflowConfig out",
    "model_package_config": "training jobs make no model packages here; call CreateModelPackage with its artifacts",
}


def check_request(request: Mapping[str, Any], tags: Sequence[Mapping[str, str]] = ()) -> Kind:
    """Return the kind of program that the job runs; raises InvalidInput on what can't be trained."""
    for name, sentence in NOT_TAKEN.items():
        if request.get(name):
            raise _invalid(sentence[0].upper() + sentence[1:])
    _once([each["key"] for each in tags], "Tags", "key")
    kind = _check_algorithm(request)
    groups = _check_resources(request.get("resource_config") or {})
    _check_channels(request, groups)
    _check_stopping(request)
    parse_uri(request["output_data_config"]["s3_output_path"])
    if checkpoints := request.get("checkpoint_config"):
        _check_checkpoints(checkpoints)
    _check_debugging(request)
    return kind


def complete_request(request: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """Return the members of a request as Describe answers them, with their defaults."""
    given = {name: value for name, value in request.items() if value is not None and name != "session_chaining_config"}
    algorithm = dict(given["algorithm_specification"])
    by_itself = kind.built_in or bool(algorithm.get("metric_definitions"))
    algorithm.setdefault("enable_sage_maker_metrics_time_series", by_itself)
    completed = {
        **given,
        "hyper_parameters": dict(given.get("hyper_parameters") or {}),
        "algorithm_specification": algorithm,
        "output_data_config": {"kms_key_id": "", "compression_type": "GZIP", **given["output_data_config"]},
        "stopping_condition": {"max_runtime_in_seconds": DAY, **(given.get("stopping_condition") or {})},
        **{
            name: bool(given.get(name))
            for name in (
                "enable_network_isolation", "enable_inter_container_traffic_encryption", "enable_managed_spot_training",
            )
        },
        "user_code": kind.user_code,
    }  # fmt: skip
    if "input_data_config" in given:
        completed["input_data_config"] = [_completed_channel(each) for each in given["input_data_config"]]
    if "checkpoint_config" in given:
        completed["checkpoint_config"] = {"local_path": CHECKPOINTS, **given["checkpoint_config"]}
    if given["resource_config"].get("keep_alive_period_in_seconds"):
        completed["warm_pool"] = "InUse"
    return completed | _debugging(given)


def _check_algorithm(request: Mapping[str, Any]) -> Kind:
    algorithm = request.get("algorithm_specification")
    if not algorithm:
        raise _invalid("AlgorithmSpecification is missing; name the algorithm by its TrainingImage")
    name, image = algorithm.get("algorithm_name"), algorithm.get("training_image")
    if bool(name) == bool(image):
        raise _invalid(
            "You must specify either AlgorithmName or TrainingImage in AlgorithmSpecification, and not both."
        )
    if name:
        raise _invalid(f"Could not find algorithm {name}: none is registered here; give its TrainingImage instead")
    definitions = algorithm.get("metric_definitions") or ()
    _once([each["name"] for each in definitions], "MetricDefinitions", "name")
    for each in definitions:
        try:
            regex.compile(each["regex"])
        except regex.error as error:
            raise _invalid(f"The Regex {each['regex']!r} of the metric {each['name']} is none: {error}") from None
    kind, found = kind_of(request), resolve(image)
    if definitions and kind.built_in and found is not None and found.built_in:
        raise _invalid(
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry the request "
            "without specifying metric definitions."
        )
    return kind


def _check_resources(resources: Mapping[str, Any]) -> list[str]:
    """Return the names of the instance groups."""
    groups = resources.get("instance_groups") or ()
    preferred = resources.get("instance_preferences") or ()
    ways = [bool(groups), bool(preferred), bool(resources.get("instance_type"))]
    if sum(ways) != 1:
        raise _invalid("ResourceConfig must have one of InstanceType, InstanceGroups and InstancePreferences")
    if resources.get("instance_type") and not resources.get("instance_count"):
        raise _invalid("ResourceConfig has an InstanceType and no InstanceCount; give at least 1")
    names = [each["instance_group_name"] for each in groups]
    _once(names, "InstanceGroups", "name")
    return names


def _check_channels(request: Mapping[str, Any], groups: Sequence[str]) -> None:
    channels = request.get("input_data_config") or ()
    _once([each["channel_name"] for each in channels], "InputDataConfig", "channel name")
    general = request["algorithm_specification"]["training_input_mode"]
    for channel in channels:
        _check_channel(channel, channel.get("input_mode") or general, groups)


def _check_channel(channel: Mapping[str, Any], mode: str, groups: Sequence[str]) -> None:
    name, source = channel["channel_name"], channel["data_source"]
    if name in (".", ".."):
        raise _invalid(f"The channel name {name!r} can't be that of a folder; choose another")
    if source.get("file_system_data_source") or source.get("dataset_source"):
        raise _invalid(f"Channel '{name}' lies on a file system, and this server reads S3 only; give an S3DataSource")
    data = source.get("s3_data_source")
    if not data:
        raise _invalid(f"Channel '{name}' has no S3DataSource; say in DataSource where its data lies")
    if data["s3_data_type"] == "Converse":
        raise _invalid(f"Channel '{name}' has the S3DataType Converse, which only serverless jobs read")
    parse_uri(data["s3_uri"])
    augmented, attributes = data["s3_data_type"] == "AugmentedManifestFile", data.get("attribute_names")
    if augmented and mode != "Pipe":
        raise _invalid(
            f"Channel '{name}': AugmentedManifestFile can only be used if the input mode is Pipe, not {mode}"
        )
    if augmented and not attributes:
        raise _invalid(f"Channel '{name}': AugmentedManifestFile needs AttributeNames; name what is read of each line")
    if attributes and not augmented:
        raise _invalid(f"Channel '{name}': AttributeNames are only for the S3DataType AugmentedManifestFile")
    if channel.get("record_wrapper_type") == "RecordIO" and mode != "Pipe":
        raise _invalid(f"Channel '{name}': RecordWrapperType RecordIO is only for the input mode Pipe, not {mode}")
    unknown = [each for each in data.get("instance_group_names") or () if each not in groups]
    if unknown:
        raise _invalid(f"Channel '{name}' names the instance group {unknown[0]!r}, which ResourceConfig does not have")


def _check_stopping(request: Mapping[str, Any]) -> None:
    stopping = request.get("stopping_condition") or {}
    runtime, wait = stopping.get("max_runtime_in_seconds", DAY), stopping.get("max_wait_time_in_seconds")
    spot = bool(request.get("enable_managed_spot_training"))
    if wait is not None and not spot:
        raise _invalid(
            "Invalid MaxWaitTimeInSeconds. MaxWaitTimeInSeconds can be set only when EnableManagedSpotTraining is true."
        )
    if spot and wait is None:
        raise _invalid("MaxWaitTimeInSeconds must be set in StoppingCondition when EnableManagedSpotTraining is true.")
    if wait is not None and wait < runtime:
        raise _invalid(
            f"Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds "
            f"({wait} is less than {runtime})."
        )


def _check_checkpoints(checkpoints: Mapping[str, Any]) -> None:
    parse_uri(checkpoints["s3_uri"])
    path = PurePosixPath(checkpoints.get("local_path") or CHECKPOINTS)
    if path.parts[:3] != ("/", "opt", "ml") or len(path.parts) < 4 or ".." in path.parts:
        raise _invalid(f"The LocalPath {path} of CheckpointConfig is not below /opt/ml; take {CHECKPOINTS}")
    if path.parts[3] in ("input", "model", "output", "code", "failure"):
        raise _invalid(f"The LocalPath {path} of CheckpointConfig is reserved by SageMaker; take {CHECKPOINTS}")


def _check_debugging(request: Mapping[str, Any]) -> None:
    for name in ("debug_hook_config", "tensor_board_output_config", "profiler_config"):
        path = (request.get(name) or {}).get("s3_output_path")
        if path:
            parse_uri(path)
    rules = [*(request.get("debug_rule_configurations") or ()), *(request.get("profiler_rule_configurations") or ())]
    _once([each["rule_configuration_name"] for each in rules], "rule configurations", "name")
    interval = (request.get("profiler_config") or {}).get("profiling_interval_in_milliseconds")
    if interval is not None and interval not in PROFILING_INTERVALS:
        allowed = ", ".join(map(str, PROFILING_INTERVALS))
        raise _invalid(f"ProfilingIntervalInMilliseconds {interval} is none of {allowed}")


def _completed_channel(channel: Mapping[str, Any]) -> dict[str, Any]:
    source = {"s3_data_distribution_type": "FullyReplicated", **channel["data_source"]["s3_data_source"]}
    completed = {"compression_type": "None", "record_wrapper_type": "None", **channel}
    return {**completed, "data_source": {"s3_data_source": source}}


def _debugging(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members about debugging and profiling, which are kept and not acted on."""
    profiler = given.get("profiler_config")
    on = bool(profiler) and not profiler.get("disable_profiler") if profiler else False
    members: dict[str, Any] = {"profiling_status": "Enabled" if on else "Disabled"}
    if hook := given.get("debug_hook_config"):
        members["debug_hook_config"] = {"collection_configurations": [], **hook}
    if profiler:
        members["profiler_config"] = (
            {"profiling_interval_in_milliseconds": 500, "disable_profiler": False, **profiler} if on else profiler
        )
    for kind in ("debug", "profiler"):
        if rules := given.get(f"{kind}_rule_configurations"):
            members[f"{kind}_rule_evaluation_statuses"] = [
                {
                    "rule_configuration_name": each["rule_configuration_name"],
                    "rule_evaluation_status": "Stopped",
                    "status_details": "Rules of SageMaker Debugger are not evaluated by this server.",
                }
                for each in rules
            ]
    return members


def _once(names: Sequence[str], where: str, what: str) -> None:
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise _invalid(f"{where} has the {what} {twice!r} twice; each must be unique")


def _invalid(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, code="ValidationException")
