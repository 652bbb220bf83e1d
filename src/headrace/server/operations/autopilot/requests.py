"""What a request for an AutoML job may ask, and what it means to the library."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server.errors import InvalidInput
from headrace.server.operations.autopilot.metrics import objective_of
from headrace.server.operations.storage.transfer import parse_uri

CSV_WITH_HEADER = "text/csv;header=present"
PARQUET = "x-application/vnd.amazon+parquet"
CONTENT_TYPES = (CSV_WITH_HEADER, "text/csv", PARQUET)
LONGEST_OUTPUT_PATH = 512
OTHER_PROBLEMS = {
    "image_classification_job_config": "image classification",
    "text_classification_job_config": "text classification",
    "time_series_forecasting_job_config": "time-series forecasting",
    "text_generation_job_config": "text generation",
}


def check_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a CreateAutoMLJobV2 with AWS's defaults in them.

    Raises InvalidInput (ValidationException) on a problem that is no tabular one, an objective without a problem type
    or the reverse, and what the platform does not do: each with a sentence.
    """
    problem = request["auto_ml_problem_type_config"]
    other = next((title for name, title in OTHER_PROBLEMS.items() if problem.get(name)), None)
    if other or not problem.get("tabular_job_config"):
        raise InvalidInput(
            f"The problem type {other or 'given'} is not supported; AutoML jobs here take TabularJobConfig: a table "
            "and a column to predict"
        )
    tabular = problem["tabular_job_config"]
    _check_tabular(tabular, request.get("auto_ml_job_objective"))
    _check_split(request.get("data_split_config"), request["auto_ml_job_input_data_config"])
    _check_deployment(request.get("model_deploy_config"))
    path = request["output_data_config"]["s3_output_path"]
    parse_uri(path)
    if len(path) > LONGEST_OUTPUT_PATH:
        raise InvalidInput(f"S3OutputPath has {len(path)} characters; at most {LONGEST_OUTPUT_PATH} are allowed")
    given = {name: value for name, value in request.items() if value is not None}
    return given | {"auto_ml_job_input_data_config": _channels(request["auto_ml_job_input_data_config"])}


def _check_tabular(tabular: Mapping[str, Any], objective: Mapping[str, str] | None) -> None:
    problem_type = tabular.get("problem_type")
    if (problem_type is None) != (objective is None):
        raise InvalidInput(
            "ProblemType and AutoMLJobObjective go together: give both of them, or none to have them inferred"
        )
    if problem_type is not None and objective is not None:
        objective_of(problem_type, objective["metric_name"])
    if tabular.get("sample_weight_attribute_name"):
        raise InvalidInput("SampleWeightAttributeName is not supported: every row weighs the same; leave it out")
    generation = tabular.get("candidate_generation_config") or {}
    if any(each.get("auto_ml_algorithms") for each in generation.get("algorithms_config") or ()):
        raise InvalidInput(
            "AlgorithmsConfig is not supported: the algorithms that fit the data are chosen from all; leave it out"
        )
    if tabular.get("feature_specification_s3_uri"):
        parse_uri(tabular["feature_specification_s3_uri"])


def _check_split(split: Mapping[str, float] | None, channels: Sequence[Mapping[str, Any]]) -> None:
    fraction = (split or {}).get("validation_fraction")
    if fraction is None:
        return
    if not 0 < fraction < 1:
        raise InvalidInput(f"ValidationFraction {fraction:g} is not greater than 0 and less than 1")
    if any(channel.get("channel_type") == "validation" for channel in channels):
        raise InvalidInput("ValidationFraction splits the training channel; leave it out beside a validation channel")


def _check_deployment(deployment: Mapping[str, Any] | None) -> None:
    if deployment and bool(deployment.get("auto_generate_endpoint_name")) == bool(deployment.get("endpoint_name")):
        raise InvalidInput(
            "ModelDeployConfig needs either AutoGenerateEndpointName as true or an EndpointName, and not both"
        )


def _channels(channels: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    completed = [
        {"channel_type": "training", "content_type": CSV_WITH_HEADER, "compression_type": "None"} | dict(channel)
        for channel in channels
    ]
    kinds = [channel["channel_type"] for channel in completed]
    if kinds.count("training") != 1 or len(kinds) != len(set(kinds)):
        raise InvalidInput("An AutoML job takes one training channel, and may have one validation channel beside it")
    for channel in completed:
        content_type = re.sub(r"\s", "", channel["content_type"].lower())
        if content_type not in CONTENT_TYPES:
            raise InvalidInput(
                f"The content type {channel['content_type']!r} is not supported; use {CSV_WITH_HEADER} or {PARQUET}"
            )
        source = (channel.get("data_source") or {}).get("s3_data_source")
        if source is None:
            raise InvalidInput(f"The {channel['channel_type']} channel has no DataSource with an S3DataSource; add one")
        if source["s3_data_type"] == "AugmentedManifestFile":
            raise InvalidInput("AugmentedManifestFile is not for tabular data; use S3Prefix or ManifestFile")
        parse_uri(source["s3_uri"])
    if len({channel["content_type"] for channel in completed}) > 1:
        raise InvalidInput("The training and the validation channel must share the same ContentType")
    return completed


def from_first_version(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a CreateAutoMLJob as those of CreateAutoMLJobV2; raises InvalidInput."""
    channels = request["input_data_config"]
    targets = {channel["target_attribute_name"] for channel in channels}
    weights = [
        channel["sample_weight_attribute_name"] for channel in channels if "sample_weight_attribute_name" in channel
    ]
    if len(targets) > 1:
        raise InvalidInput("The training and the validation channel must share the same TargetAttributeName")
    config = request.get("auto_ml_job_config") or {}
    generation = config.get("candidate_generation_config") or {}
    tabular = {
        "target_attribute_name": targets.pop(),
        "problem_type": request.get("problem_type"),
        "mode": config.get("mode"),
        "completion_criteria": config.get("completion_criteria"),
        "feature_specification_s3_uri": generation.get("feature_specification_s3_uri"),
        "candidate_generation_config": {"algorithms_config": generation.get("algorithms_config")},
        "generate_candidate_definitions_only": request.get("generate_candidate_definitions_only"),
        "sample_weight_attribute_name": next(iter(weights), None),
    }
    kept = ("data_source", "compression_type", "content_type", "channel_type")
    return {
        "auto_ml_job_input_data_config": [
            {name: channel[name] for name in kept if channel.get(name) is not None} for channel in channels
        ],
        "output_data_config": request["output_data_config"],
        "auto_ml_problem_type_config": {
            "tabular_job_config": {name: value for name, value in tabular.items() if value}
        },
        "auto_ml_job_objective": request.get("auto_ml_job_objective"),
        "model_deploy_config": request.get("model_deploy_config"),
        "data_split_config": config.get("data_split_config"),
        "security_config": config.get("security_config"),
    }
