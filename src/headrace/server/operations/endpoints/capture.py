"""Data capture: what goes into an endpoint and comes out of it, buffered in memory and written to S3 in batches.

AWS page: Capture data from real-time endpoint.
"""

from __future__ import annotations

import base64
import json
import logging
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from headrace.server.clock import moment
from headrace.server.context import Platform
from headrace.server.errors import OperationError
from headrace.server.operations.acting import act_as
from headrace.server.operations.endpoints.serving import Serving, Variant
from headrace.server.operations.storage.transfer import parse_uri, upload
from headrace.server.resources import Place
from headrace.server.stores.metadata import MetadataStore

LOG = logging.getLogger("headrace.capture")

MOST_BYTES = 64 << 20
"""Bytes that wait in memory at most; what comes beyond them before the next batch is written is not captured."""


@dataclass(frozen=True)
class Payload:
    """A body that went in or came out, and its content type."""

    body: bytes
    content_type: str


@dataclass(frozen=True)
class Captured:
    """One invocation as it was seen; `now` in ms since 1970."""

    now: int
    inference_id: str
    input: Payload | None
    output: Payload | None


@dataclass(frozen=True)
class Destination:
    """Where the captures of one variant go, how they are encoded, and whose right to write there counts."""

    uri: str
    endpoint: str
    variant: str
    role_arn: str
    place: Place
    csv_types: tuple[str, ...]
    json_types: tuple[str, ...]


class _Buffer:
    def __init__(self) -> None:
        self.held: dict[Destination, list[Captured]] = {}
        self.size = 0
        self.lost = 0


_buffers: WeakKeyDictionary[MetadataStore, _Buffer] = WeakKeyDictionary()
_lock = Lock()


def capture(
    platform: Platform, found: Serving, variant: Variant, inference_id: str, given: Payload, answered: Payload | None
) -> None:
    """Keep an invocation for the next batch, if the endpoint's data capture chooses it."""
    config = found.data_capture
    if not config or config.get("enable_capture") is False:
        return
    if random.random() * 100 >= config["initial_sampling_percentage"]:
        return
    modes = {mode for each in config["capture_options"] for mode in _modes(each["capture_mode"])}
    kept = Captured(
        platform.clock(), inference_id, given if "Input" in modes else None, answered if "Output" in modes else None
    )
    types = config.get("capture_content_type_header") or {}
    destination = Destination(
        config["destination_s3_uri"], found.name, variant.name, variant.role_arn or found.role_arn, found.place,
        tuple(types.get("csv_content_types") or ()), tuple(types.get("json_content_types") or ()),
    )  # fmt: skip
    size = sum(len(each.body) for each in (kept.input, kept.output) if each is not None)
    with _lock:
        buffer = _buffers.setdefault(platform.metadata, _Buffer())
        if buffer.size + size > MOST_BYTES:
            buffer.lost += 1
            return
        buffer.size += size
        buffer.held.setdefault(destination, []).append(kept)


def settle(platform: Platform, now: int) -> int:
    """Write what waits, one object a variant; returns how many objects. What can't be written is logged and dropped."""
    del now
    with _lock:
        buffer = _buffers.pop(platform.metadata, None)
    if buffer is None:
        return 0
    if buffer.lost:
        LOG.warning("%d invocations were not captured: more came at once than memory holds", buffer.lost)
    written = 0
    for destination, captured in buffer.held.items():
        try:
            _write(platform, destination, captured)
            written += 1
        except OperationError as error:
            LOG.warning(
                "%d invocations of %s can't be captured: %s", len(captured), destination.endpoint, error.message
            )
    return written


def line(captured: Captured, csv_types: Collection[str] = (), json_types: Collection[str] = ()) -> str:
    """Return an invocation as a line of a capture file, with a new eventId."""
    data = {}
    for name, mode, payload in (("Input", "INPUT", captured.input), ("Output", "OUTPUT", captured.output)):
        if payload is not None:
            data[f"endpoint{name}"] = _shown(payload, mode, csv_types, json_types)
    metadata = {"eventId": str(uuid4())}
    if captured.inference_id:
        metadata["inferenceId"] = captured.inference_id
    metadata["inferenceTime"] = moment(captured.now).strftime("%Y-%m-%dT%H:%M:%SZ")
    return json.dumps({"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}, separators=(",", ":"))


def _write(platform: Platform, destination: Destination, captured: list[Captured]) -> None:
    with platform.metadata.reading() as connection:
        actor = act_as(platform, connection, destination.role_arn, destination.place)
    lines = [line(each, destination.csv_types, destination.json_types) + "\n" for each in captured]
    base = parse_uri(destination.uri)
    first = moment(captured[0].now)
    folder = f"{destination.endpoint}/{destination.variant}/{first:%Y/%m/%d/%H}"
    name = f"{first:%M-%S}-{first.microsecond // 1000:03}-{uuid4()}.jsonl"
    key = "/".join(part for part in (base.key.strip("/"), folder, name) if part)
    upload(actor, base.bucket, key, "".join(lines).encode(), content_type="application/jsonlines")


def _shown(payload: Payload, mode: str, csv_types: Collection[str], json_types: Collection[str]) -> Mapping[str, Any]:
    kind = payload.content_type.partition(";")[0].strip().lower()
    encoding = "CSV" if kind in csv_types else "JSON" if kind in json_types else "BASE64"
    try:
        data = payload.body.decode() if encoding != "BASE64" else ""
    except UnicodeDecodeError:
        encoding = "BASE64"
    if encoding == "BASE64":
        data = base64.b64encode(payload.body).decode()
    return {"observedContentType": payload.content_type, "mode": mode, "data": data, "encoding": encoding}


def _modes(mode: str) -> tuple[str, ...]:
    return ("Input", "Output") if mode == "InputAndOutput" else (mode,)
