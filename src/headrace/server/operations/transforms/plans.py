"""What a transform job's record means for its run: how inputs are cut, sent several at a time, and put together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.server.clock import moment
from headrace.server.containers.formats.media_types import CSV, JSON_LINES, read_media_type
from headrace.server.containers.images import resolve
from headrace.server.operations.transforms.paths import read_path
from headrace.server.operations.transforms.processing import Processing
from headrace.server.operations.transforms.requests import BINARY, LARGEST_PAYLOAD
from headrace.server.operations.transforms.splitting import MEBIBYTE, Batching

DEFAULT_PAYLOAD = 6
TIMEOUT, RETRIES = 600, 3


@dataclass(frozen=True)
class Plan:
    """How a job runs; `payload` in MB, `seconds` an invocation may take, `concurrent` invocations an instance."""

    processing: Processing
    batching: Batching
    split_type: str
    compressed: bool
    content_type: str
    accept: str
    payload: int
    concurrent: int
    instances: int
    seconds: int
    retries: int
    strategy: str

    @property
    def variables(self) -> dict[str, str]:
        """What a container finds in its environment (AWS page: Use Your Own Inference Code with Batch Transform)."""
        return {
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(self.payload),
            "SAGEMAKER_BATCH_STRATEGY": self.strategy,
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(self.concurrent),
        }

    def __str__(self) -> str:
        return (
            f"MaxConcurrentTransforms={self.concurrent}, MaxPayloadInMB={self.payload}, BatchStrategy={self.strategy}"
        )


def plan_of(record: Mapping[str, Any], images: Sequence[str]) -> Plan:
    """Return the plan of a job by its record and the images of its model.

    Built-in algorithms get as many requests at a time as there are processors, others one, unless the job says.
    """
    given, wanted = record["transform_input"], record["transform_output"]
    content_type = given.get("content_type") or ""
    split_type, single = given["split_type"], record.get("batch_strategy") == "SingleRecord"
    payload = record.get("max_payload_in_mb")
    payload = DEFAULT_PAYLOAD if payload is None else payload
    processing = _processing(record)
    cut = split_type
    if split_type == "None" and processing.reads_input and read_media_type(content_type).name in (CSV, JSON_LINES):
        cut = "Line"
    client = record.get("model_client_config") or {}
    return Plan(
        processing=processing,
        batching=Batching(
            most=payload * MEBIBYTE,
            single=single,
            whole=split_type == "None",
            separator=b"\n" if cut == "Line" else b"",
            framed=split_type in BINARY,
            joined=processing.joined,
        ),
        split_type=cut,
        compressed=given["compression_type"] == "Gzip",
        content_type=content_type,
        accept=wanted.get("accept") or "",
        payload=payload,
        concurrent=record.get("max_concurrent_transforms") or _concurrent(payload, images),
        instances=min(record["transform_resources"]["instance_count"], os.cpu_count() or 1),
        seconds=client.get("invocations_timeout_in_seconds", TIMEOUT),
        retries=client.get("invocations_max_retries", RETRIES),
        strategy="SINGLE_RECORD" if single else "MULTI_RECORD",
    )


def _processing(record: Mapping[str, Any]) -> Processing:
    given, wanted, processing = record["transform_input"], record["transform_output"], record["data_processing"]
    capture = record.get("data_capture_config") or {}
    start = moment(record["transform_start_time"]).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Processing(
        content_type=given.get("content_type") or "",
        accept=wanted.get("accept") or "",
        input_filter=read_path(processing["input_filter"]),
        output_filter=read_path(processing["output_filter"]),
        joined=processing["join_source"] == "Input",
        inference_time=start if capture.get("generate_inference_id") else "",
        in_lines=given["split_type"] == "Line" or read_media_type(given.get("content_type") or "").name == JSON_LINES,
        assembled_with_line=wanted["assemble_with"] == "Line",
    )


def _concurrent(payload: int, images: Sequence[str]) -> int:
    found = [resolve(image) for image in images]
    if not all(image is not None and image.built_in for image in found):
        return 1
    return max(1, min(os.cpu_count() or 1, LARGEST_PAYLOAD // max(payload, 1)))
