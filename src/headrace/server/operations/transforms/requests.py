"""What CreateTransformJob asks for beyond its shapes: checked, and completed with what is documented as the default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from headrace.server.containers.contract import ClientError
from headrace.server.containers.formats.media_types import CSV, read_media_type
from headrace.server.errors import InvalidInput
from headrace.server.operations.storage.transfer import parse_uri
from headrace.server.operations.transforms.paths import JsonPath, read_path
from headrace.server.operations.transforms.processing import PROCESSED

Found = TypeVar("Found")

LARGEST_PAYLOAD = 100
"""MB of MaxPayloadInMB, and of MaxConcurrentTransforms times it."""
BINARY = ("RecordIO", "TFRecord")


def check_request(request: Mapping[str, Any]) -> None:
    """Raise InvalidInput on what no transform job can do."""
    data = request["transform_input"]["data_source"]["s3_data_source"]
    if data["s3_data_type"] not in ("S3Prefix", "ManifestFile"):
        raise _invalid(f"S3DataType {data['s3_data_type']} is not for batch transform; use S3Prefix or ManifestFile")
    parse_uri(data["s3_uri"])
    parse_uri(request["transform_output"]["s3_output_path"])
    if capture := request.get("data_capture_config"):
        parse_uri(capture["destination_s3_uri"])
    _check_payload(request.get("max_payload_in_mb"), request.get("max_concurrent_transforms"))
    _check_processing(request)


def complete_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a request as Describe answers them, with their defaults."""
    given = {name: value for name, value in request.items() if value is not None}
    processing = given.get("data_processing") or {}
    return {
        **given,
        "transform_input": {"compression_type": "None", "split_type": "None", **given["transform_input"]},
        "transform_output": {"assemble_with": "None", **given["transform_output"]},
        "data_processing": {"input_filter": "$", "output_filter": "$", "join_source": "None", **processing},
    }


def _check_payload(payload: int | None, concurrent: int | None) -> None:
    if payload is not None and payload > LARGEST_PAYLOAD:
        raise _invalid(f"MaxPayloadInMB {payload} is greater than {LARGEST_PAYLOAD}; ask for less, or split the input")
    if payload and concurrent and payload * concurrent > LARGEST_PAYLOAD:
        raise _invalid(
            f"MaxConcurrentTransforms {concurrent} times MaxPayloadInMB {payload} is greater than {LARGEST_PAYLOAD}; "
            "lower one of them"
        )


def _check_processing(request: Mapping[str, Any]) -> None:
    processing = request.get("data_processing") or {}
    given, wanted = request["transform_input"], request["transform_output"]
    input_filter, output_filter = (_path(processing, name) for name in ("input_filter", "output_filter"))
    joined = processing.get("join_source") == "Input"
    inference = (request.get("data_capture_config") or {}).get("generate_inference_id")
    content, accept = (read_media_type(each or "").name for each in (given.get("content_type"), wanted.get("accept")))
    reads_input = joined or not input_filter.whole
    if reads_input and content not in PROCESSED:
        raise _invalid(f"DataProcessing reads text/csv, application/json and application/jsonlines, not {content!r}")
    if reads_input and given.get("split_type") in BINARY:
        raise _invalid(f"DataProcessing can't be used with SplitType {given['split_type']}; use Line or None")
    if (joined or not output_filter.whole or inference) and accept and accept not in PROCESSED:
        raise _invalid(f"DataProcessing writes text/csv, application/json and application/jsonlines, not {accept!r}")
    if joined and accept and (accept == CSV) != (content == CSV):
        raise _invalid(f"JoinSource Input needs the same format in ContentType ({content}) and Accept ({accept})")
    columns = [input_filter] if content == CSV else []
    if (accept or content) == CSV:
        columns.append(output_filter)
    for path in columns:
        _answered(path.columns)


def _path(processing: Mapping[str, Any], name: str) -> JsonPath:
    return _answered(lambda: read_path(processing.get(name) or "$"))


def _answered(ask: Callable[[], Found]) -> Found:
    try:
        return ask()
    except ClientError as error:
        sentence = str(error)
        raise _invalid(sentence[:1].upper() + sentence[1:]) from None


def _invalid(sentence: str) -> InvalidInput:
    return InvalidInput(f"{sentence}.", code="ValidationException")
