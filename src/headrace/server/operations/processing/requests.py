"""What CreateProcessingJob asks for beyond its shapes: checked, and completed with the documented defaults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from headrace.server.containers.images import resolve
from headrace.server.errors import InvalidInput
from headrace.server.operations.storage.transfer import parse_uri

ANALYZER = "model-monitor"
"""What the image of the model monitor is known as among the built-in ones."""
ROOT = PurePosixPath("/opt/ml/processing")
DAY = 86_400


def check_request(request: Mapping[str, Any]) -> None:
    """Raise InvalidInput on what no processing job can do."""
    _check_program(request["app_specification"])
    cluster = request["processing_resources"]["cluster_config"]
    if bool(cluster.get("instance_type")) == bool(cluster.get("instance_preferences")):
        raise _invalid("ClusterConfig must have one of InstanceType and InstancePreferences")
    if cluster.get("instance_type") and not cluster.get("instance_count"):
        raise _invalid("ClusterConfig has an InstanceType and no InstanceCount; give at least 1")
    inputs = request.get("processing_inputs") or ()
    outputs = (request.get("processing_output_config") or {}).get("outputs") or ()
    _once([each["input_name"] for each in inputs], "ProcessingInputs")
    _once([each["output_name"] for each in outputs], "Outputs")
    for each in inputs:
        _check_input(each)
    for each in outputs:
        _check_output(each)


def complete_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a request as Describe answers them, with their defaults."""
    given = {name: value for name, value in request.items() if value is not None}
    completed = {**given, "stopping_condition": given.get("stopping_condition") or {"max_runtime_in_seconds": DAY}}
    if "processing_inputs" in given:
        completed["processing_inputs"] = [_completed_input(each) for each in given["processing_inputs"]]
    if outputs := given.get("processing_output_config"):
        named = [{"app_managed": False, **each} for each in outputs["outputs"]]
        completed["processing_output_config"] = {**outputs, "outputs": named}
    return completed


def is_analysis(image: str) -> bool:
    """Tell whether an image is the model monitor's."""
    found = resolve(image)
    return found is not None and found.built_in == ANALYZER


def check_path(text: str, what: str) -> None:
    """Raise InvalidInput on a LocalPath that is not below /opt/ml/processing; `what` has it."""
    path = PurePosixPath(text)
    if path == ROOT or not path.is_relative_to(ROOT) or ".." in path.parts:
        raise _invalid(f"{what} has the LocalPath {text}, which is not below {ROOT}; name a folder that is")


def _check_program(specification: Mapping[str, Any]) -> None:
    uri = specification["image_uri"]
    image = resolve(uri)
    if image is None or image.built_in == ANALYZER:
        return
    if image.framework is None:
        raise _invalid(f"The image {uri} is an algorithm's and processes nothing; take that of a framework")
    if not specification.get("container_entrypoint"):
        raise _invalid(
            f"The image {uri} runs a script, and none is given; name it in ContainerEntrypoint, as in "
            '["python3", "/opt/ml/processing/input/code/script.py"]'
        )


def _check_input(given: Mapping[str, Any]) -> None:
    name = given["input_name"]
    if given.get("dataset_definition"):
        raise _invalid(
            f"The input '{name}' has a DatasetDefinition, and this server asks neither Athena nor Redshift; give an "
            "S3Input with the data itself"
        )
    data = given.get("s3_input")
    if not data:
        raise _invalid(f"The input '{name}' has no S3Input; say where its data lies")
    if data.get("s3_input_mode") == "Pipe":
        raise _invalid(f"The input '{name}' is to be a pipe, and processing jobs get files here; use S3InputMode File")
    if not data.get("local_path"):
        raise _invalid(f"The input '{name}' has no LocalPath; name a folder below {ROOT}")
    parse_uri(data["s3_uri"])
    check_path(data["local_path"], f"The input '{name}'")


def _check_output(given: Mapping[str, Any]) -> None:
    name = given["output_name"]
    if given.get("feature_store_output"):
        raise _invalid(f"The output '{name}' goes to the feature store, which is not built here; give an S3Output")
    data = given.get("s3_output")
    if not data:
        raise _invalid(f"The output '{name}' has no S3Output; say where it goes")
    if not data.get("local_path"):
        raise _invalid(f"The output '{name}' has no LocalPath; name a folder below {ROOT}")
    parse_uri(data["s3_uri"])
    check_path(data["local_path"], f"The output '{name}'")


def _completed_input(given: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {
        "s3_input_mode": "File", "s3_data_distribution_type": "FullyReplicated", "s3_compression_type": "None",
    }  # fmt: skip
    return {"app_managed": False, **given, "s3_input": {**defaults, **given["s3_input"]}}


def _once(names: Sequence[str], where: str) -> None:
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise _invalid(f"{where} has the name {twice!r} twice; each must be unique")


def _invalid(sentence: str) -> InvalidInput:
    return InvalidInput(f"{sentence}.", code="ValidationException")
