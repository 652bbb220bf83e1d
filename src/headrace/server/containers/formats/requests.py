"""Requests of InvokeEndpoint: a body and its content type as rows."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from headrace.server.containers.contract import ClientError, Rows
from headrace.server.containers.formats.arrays import read_npy
from headrace.server.containers.formats.delimited import read_csv
from headrace.server.containers.formats.documents import read_json, read_json_lines
from headrace.server.containers.formats.libsvm import read_libsvm
from headrace.server.containers.formats.media_types import (
    CSV,
    JSON,
    JSON_LINES,
    LIBSVM,
    NPY,
    PARQUET,
    RECORDIO,
    among,
)
from headrace.server.containers.formats.parquet import read_parquet
from headrace.server.containers.formats.recordio import read_records
from headrace.server.containers.formats.recordio.frames import MAGIC, frame
from headrace.server.containers.formats.soundness import Source, check_width

REQUEST_TYPES = (CSV, JSON, JSON_LINES, LIBSVM, RECORDIO, NPY, PARQUET)
REQUEST = Source()
ONE_ROW = 32 * 1024
NO_LABEL = re.compile(rb"^(?=[ \t]*[^\s:#]+:)", re.MULTILINE)
"""Where a libsvm row begins with a feature, as those of requests may: an `index:value`, not a label and its weight."""


def read_rows(
    body: bytes, content_type: str, width: int | None = None, *, accepted: Sequence[str] = REQUEST_TYPES
) -> Rows:
    """Return the rows of a request's body; `width` is the number of features that the model was trained with.

    Raises ClientError on an empty body, one that cannot be read, or another number of features;
    UnsupportedContentType on a content type that is not one of those `accepted`.
    """
    media = among(content_type, accepted)
    if not body:
        raise ClientError("The body of the request is empty.")
    if media.name == CSV:
        label_size = media.parameters.get("label_size", "0")
        if label_size == "0":
            rows = _one_row(body, width) or read_csv(body, REQUEST)
        elif label_size.isdecimal():
            rows = read_csv(body, REQUEST, label_size=int(label_size))
        else:
            raise ClientError(f"The content type {content_type[:100]} has a label_size that is no whole number.")
        check_width(rows.features.shape[1], width, REQUEST)
        return rows
    if media.name == RECORDIO:
        rows = read_records(frame(body) if _is_one_payload(body) else body, REQUEST)
        check_width(rows.features.shape[1], width, REQUEST)
        return rows
    if media.name == LIBSVM:
        return read_libsvm(NO_LABEL.sub(b"0 ", body), REQUEST, width=width, labelled=False)
    read = {JSON: read_json, JSON_LINES: read_json_lines, NPY: read_npy, PARQUET: read_parquet}[media.name]
    return read(body, REQUEST, width=width)


def _is_one_payload(body: bytes) -> bool:
    """Tell whether a body begins as a Record message does, not as a frame.

    So does a single record of a batch transform, whose frame is taken off (AWS page: SageMaker API, TransformInput).
    """
    return body[:1] == b"\n" and body[:4] != MAGIC.to_bytes(4, "little")


def _one_row(body: bytes, width: int | None) -> Rows | None:
    """Return the row of a body that is one plain line of numbers, or None where it may be anything else."""
    body = body.rstrip(b"\r\n")
    if len(body) > ONE_ROW or b"\n" in body or b"_" in body:
        return None
    try:
        values = list(map(float, body.split(b",")))
    except ValueError:
        return None
    if len(values) == 1 and width != 1:
        return None
    features = np.array([values])
    if (np.abs(features) > 3.4e38).any():
        return None
    return Rows(features.astype(np.float32))
