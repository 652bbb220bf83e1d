"""Records of package aialgs.data: vectors in `features` and `label` under the key `values`, dense or sparse."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.contract import ClientError, Floats, Rows
from headrace.server.containers.formats.recordio import frames
from headrace.server.containers.formats.recordio.messages import MalformedError, varints
from headrace.server.containers.formats.recordio.tensors import (
    FLOAT32,
    INT32,
    Alike,
    DifferentError,
    One,
    Places,
    Tensor,
    tensors,
)
from headrace.server.containers.formats.soundness import WIDEST, Source, float32, sound, sparse

FEW = 8


def read_records(data: bytes, source: Source) -> Rows:
    """Return the rows of whole RecordIO frames, sparse where any record is.

    Raises ClientError naming the record on a broken frame or message, a vector of another length, or a missing label.
    """
    if not data:
        raise ClientError(f"There are no records in {source}.")
    rows = _read_alike(data, source) if len(data) > FEW * frames.HEADER.size else None
    return sound(rows or _read_each(data, source), source)


def _read_alike(data: bytes, source: Source) -> Rows | None:
    """Return the rows where all records have the same fields, else None; whatever is broken is None too."""
    start, end = frames.places(data, source)
    if len(start) < FEW:
        return None
    reader = Alike(data)
    try:
        features, label = tensors(reader, start, end)
        if features is None:
            return None
        values, counts = _numbers(reader, features)
        labels, sizes = _numbers(reader, label) if label else (np.zeros(0, np.float32), counts)
        if (sizes != sizes[0]).any() or not sizes[0]:
            return None
        width = _width(reader, features, int(counts[0]))
        if features.keys:
            keys, found = _packed(reader, features.keys)
            if (found != counts).any():
                return None
            matrix = sparse(values, keys, counts, width, source)
        elif (counts != width).any():
            return None
        else:
            matrix = values.reshape(-1, width)
    except (DifferentError, MalformedError):
        return None
    return Rows(matrix, _labels(labels, len(start)) if label else None)


def _numbers(reader: Alike, tensor: Tensor[Places]) -> tuple[Floats, Places]:
    """Return the values of a tensor of each record, and how many each has."""
    if tensor.kind == INT32:
        numbers, counts = _packed(reader, tensor.values)
        return float32(numbers.view(np.int64)), counts
    size = 4 if tensor.kind == FLOAT32 else 8
    if len(tensor.values) != 1:
        raise DifferentError
    start, end = tensor.values[0]
    if ((end - start) % size).any():
        raise DifferentError
    numbers = reader.gathered(start, end).view("<f4" if tensor.kind == FLOAT32 else "<f8")
    return float32(numbers), (end - start) // size


def _packed(reader: Alike, spans: list[tuple[Places, Places]]) -> tuple[npt.NDArray[np.uint64], Places]:
    """Return packed whole numbers of each record, and how many each has."""
    if len(spans) != 1:
        raise DifferentError
    start, end = spans[0]
    if (end == start).any() or (reader.raw[end - 1] >= 0x80).any():
        raise DifferentError
    numbers, ends = varints(reader.gathered(start, end))
    return numbers, np.diff(np.searchsorted(ends, np.cumsum(end - start), side="right"), prepend=0)


def _width(reader: Alike, features: Tensor[Places], count: int) -> int:
    if not features.shape:
        if features.keys:
            raise DifferentError
        return count
    sizes, counts = _packed(reader, features.shape)
    if (counts != 1).any() or (sizes != sizes[0]).any() or sizes[0] > WIDEST:
        raise DifferentError
    return int(sizes[0])


def _labels(labels: Floats, count: int) -> Floats:
    table = labels.reshape(count, -1)
    return table[:, 0] if table.shape[1] == 1 else table


def _read_each(data: bytes, source: Source) -> Rows:
    """Return the rows of records of any make, one by one."""
    reader = One(data)
    vectors: list[bytes] = []
    keys: list[bytes] = []
    widths: list[int] = []
    labels: list[bytes] = []
    dense: list[bool] = []
    for record, (start, end) in enumerate(frames.payloads(data, source)):
        try:
            features, label = tensors(reader, start, end)
            if features is None:
                raise MalformedError("has no features named 'values'")
            vector, width = _vector(data, features)
            vectors.append(vector)
            widths.append(width)
            keys.append(_joined(data, features.keys))
            dense.append(not features.keys and not (features.shape and not vector))
            if width != widths[0]:
                raise MalformedError(f"has {width} features, and the first has {widths[0]}")
            if label is not None:
                labels.append(_values(data, label))
            if len(labels) not in (0, record + 1):
                others = "no label, and others have" if label is None else "a label, and others have none"
                raise MalformedError(f"has {others}")
            if labels and (len(labels[-1]) != len(labels[0]) or not labels[-1]):
                raise MalformedError("has no label values, or another number of them than the first")
        except MalformedError as error:
            raise source.error(record, str(error)) from error
    values = _float32(vectors)
    counts = np.array([len(vector) // 4 for vector in vectors])
    if all(dense):
        matrix = values.reshape(len(vectors), -1)
    else:
        matrix = _sparse(values, counts, keys, np.array(dense), widths[0], source)
    return Rows(matrix, _labels(_float32(labels), len(labels)) if labels else None)


def _vector(data: bytes, features: Tensor[int]) -> tuple[bytes, int]:
    """Return the values of the features of a record, and how many features there are."""
    vector = _values(data, features)
    count = len(vector) // 4
    if not features.shape:
        if features.keys:
            raise MalformedError("has keys and no shape")
        return vector, count
    width: int = prod(varints(_joined(data, features.shape))[0].tolist())
    if width > WIDEST:
        raise MalformedError(f"has a shape of {width} features, and at most {WIDEST} are possible")
    if features.keys:
        if data[features.keys[-1][1] - 1] >= 0x80:
            raise MalformedError("ends in the middle of a key")
    elif count not in (0, width):
        raise MalformedError(f"has {count} values and a shape of {width}")
    return vector, width


def _sparse(
    values: Floats,
    counts: npt.NDArray[np.int64],
    keys: list[bytes],
    dense: npt.NDArray[np.bool_],
    width: int,
    source: Source,
) -> Any:
    try:
        numbers, ends = varints(b"".join(keys))
    except MalformedError as error:
        raise ClientError(f"A record of {source} {error}.") from error
    borders = np.searchsorted(ends, np.cumsum([len(each) for each in keys]), side="right")
    found = np.diff(borders, prepend=0)
    wrong = ~dense & (found != counts)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise source.error(first, f"has {found[first]} keys and {counts[first]} values")
    if dense.any():
        pieces = np.split(numbers, borders[:-1])
        all_keys = np.arange(width, dtype=np.uint64)
        numbers = np.concatenate([all_keys if whole else piece for whole, piece in zip(dense, pieces, strict=True)])
    return sparse(values, numbers, counts, width, source)


def _values(data: bytes, tensor: Tensor[int]) -> bytes:
    """Return the values of a tensor as little-endian float32."""
    content = _joined(data, tensor.values)
    if tensor.kind == INT32:
        return varints(content)[0].view(np.int64).astype("<f4").tobytes()
    if len(content) % (4 if tensor.kind == FLOAT32 else 8):
        raise MalformedError("has values that are cut off")
    return content if tensor.kind == FLOAT32 else float32(np.frombuffer(content, dtype="<f8")).astype("<f4").tobytes()


def _joined(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    return data[spans[0][0] : spans[0][1]] if len(spans) == 1 else b"".join(data[start:end] for start, end in spans)


def _float32(pieces: list[bytes]) -> Floats:
    return np.frombuffer(b"".join(pieces), dtype="<f4").astype(np.float32)
