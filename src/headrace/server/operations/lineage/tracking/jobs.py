"""Jobs as trial components, in the trial that their request names, with what they read and made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.server.context import Context
from headrace.server.operations import entities
from headrace.server.operations.lineage.edges import MEMBERSHIP, connect
from headrace.server.operations.lineage.kinds import COMPONENT, EXPERIMENT, TRIAL
from headrace.server.operations.lineage.tracking.nodes import ASSOCIATED, CONTRIBUTED, PRODUCED, artifact, associate
from headrace.server.operations.metrics.reading import summaries
from headrace.server.operations.metrics.summaries import Summary
from headrace.server.operations.training import metrics as training_metrics
from headrace.server.resources import Stored

_LONGEST_MESSAGE, _LONGEST_TEXT = 1024, 2500
_MERGED = ("parameters", "input_artifacts", "output_artifacts", "metrics")
"""Members of a component that others may have added to."""

_WHOLE = 10_000_000
"""Seconds of a period that all of a job's points fall into; periods begin at 1970."""


def track_training_job(context: Context, stored: Stored) -> None:
    """Bring the trial component of a training job up to date. AWS page: SageMaker AI-created tracking entities."""
    record = stored.record
    image = record["algorithm_specification"].get("training_image")
    channels = {each["channel_name"]: each for each in record.get("input_data_config") or ()}
    inputs = {name: _of_channel(each) for name, each in channels.items()}
    model = (record.get("model_artifacts") or {}).get("s3_model_artifacts")
    component = _track(
        context,
        stored,
        f"{stored.name}-aws-training-job",
        "SageMakerTrainingJob",
        {
            "status": _status(stored, record["secondary_status"]),
            "start_time": record.get("training_start_time"),
            "end_time": record.get("training_end_time"),
            "parameters": _parameters(record.get("hyper_parameters") or {}, record["resource_config"]),
            "input_artifacts": _given(inputs) | _given({"SageMaker.ImageUri": image and {"value": image}}),
            "output_artifacts": _given({"SageMaker.ModelArtifact": model and {"value": model}}),
            "metrics": _metrics(context, stored),
        },
    )
    for each in inputs.values():
        if each is not None:
            associate(context, artifact(context, each["value"], "DataSet"), component, CONTRIBUTED)
    if image:
        associate(context, artifact(context, image, "Image"), component, CONTRIBUTED)
    if model:
        associate(context, component, artifact(context, model, "Model"), PRODUCED)


def track_processing_job(context: Context, stored: Stored) -> None:
    """Bring the trial component of a processing job up to date."""
    record = stored.record
    image = record["app_specification"]["image_uri"]
    inputs = _uris(record.get("processing_inputs"), "input_name", "s3_input")
    outputs = _uris((record.get("processing_output_config") or {}).get("outputs"), "output_name", "s3_output")
    component = _track(
        context,
        stored,
        f"{stored.name}-aws-processing-job",
        "SageMakerProcessingJob",
        {
            "status": _status(stored, stored.state),
            "start_time": record.get("processing_start_time"),
            "end_time": record.get("processing_end_time"),
            "parameters": _parameters({}, record["processing_resources"]["cluster_config"]),
            "input_artifacts": {
                **{name: _location(uri, None) for name, uri in inputs.items()},
                "SageMaker.ImageUri": {"value": image},
            },
            "output_artifacts": {name: _location(uri, None) for name, uri in outputs.items()},
        },
    )
    for uri in inputs.values():
        associate(context, artifact(context, uri, "DataSet"), component, CONTRIBUTED)
    associate(context, artifact(context, image, "Image"), component, CONTRIBUTED)
    for uri in outputs.values() if stored.state == "Completed" else ():
        associate(context, component, artifact(context, uri, "DataSet"), PRODUCED)


def track_transform_job(context: Context, stored: Stored) -> None:
    """Bring the trial component of a transform job up to date."""
    record = stored.record
    given = record["transform_input"]
    source, result = given["data_source"]["s3_data_source"]["s3_uri"], record["transform_output"]["s3_output_path"]
    component = _track(
        context,
        stored,
        f"{stored.name}-aws-transform-job",
        "SageMakerTransformJob",
        {
            "status": _status(stored, stored.state),
            "start_time": record.get("transform_start_time"),
            "end_time": record.get("transform_end_time"),
            "parameters": _parameters({"SageMaker.ModelName": record["model_name"]}, record["transform_resources"]),
            "input_artifacts": {"SageMaker.TransformInput": _location(source, given.get("content_type"))},
            "output_artifacts": {
                "SageMaker.TransformOutput": _location(result, record["transform_output"].get("accept"))
            },
        },
    )
    associate(context, artifact(context, source, "DataSet"), component, CONTRIBUTED)
    if stored.state == "Completed":
        associate(context, component, artifact(context, result, "DataSet"), PRODUCED)


def _track(context: Context, stored: Stored, name: str, source_type: str, members: Mapping[str, Any]) -> Stored:
    """Make or change the component of a job, and put it where the job's ExperimentConfig says."""
    config = stored.record.get("experiment_config") or {}
    source = {"source": {"source_arn": stored.arn, "source_type": source_type}, "source_arn": stored.arn}
    component = entities.find(context, COMPONENT, name)
    if component is not None:
        kept = {name: {**component.record.get(name, {}), **members[name]} for name in _MERGED if name in members}
        return entities.change(context, COMPONENT, component, {**members, **kept, **source})
    record = {
        **members,
        **source,
        "trial_component_name": name,
        "display_name": config.get("trial_component_display_name") or name,
    }
    component = entities.make(context, COMPONENT, name, record)
    trial = _trial(context, stored.name, config)
    if trial is not None:
        connect(context, MEMBERSHIP, trial.arn, component.arn)
    run = entities.find(context, COMPONENT, config["run_name"]) if config.get("run_name") else None
    if run is not None:
        associate(context, run, component, ASSOCIATED)
    return component


def _trial(context: Context, job: str, config: Mapping[str, str]) -> Stored | None:
    """Return the trial of an ExperimentConfig, a new one where it names an experiment only; None where neither is."""
    if config.get("trial_name"):
        return entities.find(context, TRIAL, config["trial_name"])
    experiment = (
        entities.find(context, EXPERIMENT, config["experiment_name"]) if config.get("experiment_name") else None
    )
    if experiment is None:
        return None
    name = f"{job}-aws-trial"
    record = {"trial_name": name, "display_name": name, "experiment_name": experiment.name}
    return entities.find(context, TRIAL, name) or entities.make(context, TRIAL, name, record, parent=experiment.arn)


def _status(stored: Stored, secondary: str) -> dict[str, str]:
    reason = stored.record.get("failure_reason", "")
    message = f"Status: {stored.state}, secondary status: {secondary}, failure reason: {reason}."
    return {"primary_status": stored.state, "message": message[:_LONGEST_MESSAGE]}


def _parameters(given: Mapping[str, str], machines: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    about = {
        "SageMaker.InstanceType": machines.get("instance_type"),
        "SageMaker.InstanceCount": machines.get("instance_count"),
        "SageMaker.VolumeSizeInGB": machines.get("volume_size_in_gb"),
    }
    return {name: _parameter(value) for name, value in {**given, **about}.items() if value is not None}


def _parameter(value: str | int | float) -> dict[str, Any]:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    return {"number_value": number} if math.isfinite(number) else {"string_value": str(value)[:_LONGEST_TEXT]}


def _of_channel(channel: Mapping[str, Any]) -> dict[str, str] | None:
    source = channel["data_source"].get("s3_data_source")
    return _location(source["s3_uri"], channel.get("content_type")) if source else None


def _uris(given: Sequence[Mapping[str, Any]] | None, name: str, member: str) -> dict[str, str]:
    """Return the S3 URIs of a processing job's inputs or outputs by their names."""
    return {each[name]: each[member]["s3_uri"] for each in given or () if each.get(member)}


def _location(uri: str, media_type: str | None) -> dict[str, str]:
    return {"value": uri, **({"media_type": media_type} if media_type else {})}


def _given(artifacts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in artifacts.items() if value}


def _metrics(context: Context, stored: Stored) -> dict[str, Any]:
    """Return the summaries of a job's metrics, of all values that CloudWatch has of them."""
    found: dict[str, Any] = {}
    for each in stored.record.get("final_metric_data_list") or ():
        dimensions = [{"name": training_metrics.DIMENSION, "value": stored.name}]
        metric = {"namespace": training_metrics.NAMESPACE, "metric_name": each["metric_name"], "dimensions": dimensions}
        whole = Summary()
        for summary in summaries(context, metric, _WHOLE, 0, context.now + 1, None).values():
            whole.join(summary)
        if whole.count:
            found[each["metric_name"]] = _summary(whole, each, stored.arn)
    return found


def _summary(whole: Summary, final: Mapping[str, Any], arn: str) -> dict[str, Any]:
    mean = whole.sum / whole.count
    spread: Sequence[float] = [count * (value - mean) ** 2 for value, count in whole.distribution.items()]
    return {
        "metric_name": final["metric_name"], "source_arn": arn, "time_stamp": final["timestamp"],
        "min": whole.minimum, "max": whole.maximum, "avg": mean, "count": int(whole.count), "last": final["value"],
        "std_dev": math.sqrt(sum(spread) / whole.count) if whole.known else 0.0,
    }  # fmt: skip
