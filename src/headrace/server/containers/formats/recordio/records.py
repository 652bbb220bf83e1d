"""Records of package aialgs.data: vectors in `features` and `label` under the key `values`, dense or sparse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

import numpy as np
import numpy.typing as npt

from headrace.server.containers.contract import ClientError, Floats, Rows
from headrace.server.containers.formats.recordio import frames
from headrace.server.containers.formats.recordio.messages import MalformedError, fields, varints
from headrace.server.containers.formats.soundness import WIDEST, Source, float32, sound, sparse

FEATURES, LABEL = 1, 2
FLOAT32, FLOAT64, INT32 = 2, 3, 7
KEY = b"values"
Spans = list[tuple[int, int]]


@dataclass
class Tensor:
    """Where the content of a tensor lies: pieces of packed values, keys and shape."""

    kind: int
    values: Spans = field(default_factory=list)
    keys: Spans = field(default_factory=list)
    shape: Spans = field(default_factory=list)


def read_records(data: bytes, source: Source) -> Rows:
    """Return the rows of whole RecordIO frames, sparse where any record is.

    Raises ClientError naming the record on a broken frame or message, a vector of another length, or a missing label.
    """
    if not data:
        raise ClientError(f"There are no records in {source}.")
    rows = _read_alike(data, source)
    return sound(_read_each(data, source) if rows is None else rows, source)


def _read_alike(data: bytes, source: Source) -> Rows | None:
    """Return the rows where all records are dense and have the same bytes but for their values, else None."""
    start, end = next(frames.payloads(data, source))
    stride = frames.HEADER.size + frames.padded(end - start)
    count = len(data) // stride
    if count < 4 or len(data) % stride:
        return None
    try:
        features, label = _tensors(data, start, end)
        vectors = [tensor for tensor in (features, label) if tensor is not None]
        if features is None or not all(_is_plain(data, each) for each in vectors):
            return None
    except MalformedError:
        return None
    matrix = np.frombuffer(data, dtype=np.uint8).reshape(count, stride)
    position = 0
    for begin, after in [*sorted(each.values[0] for each in vectors), (stride, stride)]:
        if (matrix[:, position:begin] != matrix[0, position:begin]).any():
            return None
        position = after
    columns = [_fixed(np.ascontiguousarray(matrix[:, slice(*each.values[0])]), each.kind) for each in vectors]
    return Rows(columns[0], None if label is None else columns[1][:, 0] if columns[1].shape[1] == 1 else columns[1])


def _fixed(content: npt.NDArray[np.uint8], kind: int) -> Floats:
    return float32(content.view("<f4" if kind == FLOAT32 else "<f8"))


def _is_plain(data: bytes, tensor: Tensor) -> bool:
    """Tell whether a tensor is dense and its values are one piece of numbers of a fixed size."""
    if tensor.keys or len(tensor.values) != 1 or tensor.kind == INT32:
        return False
    start, end = tensor.values[0]
    count, rest = divmod(end - start, 4 if tensor.kind == FLOAT32 else 8)
    return not rest and (not tensor.shape or _size(data, tensor) == count)


def _size(data: bytes, tensor: Tensor) -> int:
    size: int = prod(varints(_joined(data, tensor.shape))[0].tolist())
    if size > WIDEST:
        raise MalformedError(f"has a shape of {size} features, and at most {WIDEST} are possible")
    return size


def _joined(data: bytes, spans: Spans) -> bytes:
    return data[spans[0][0] : spans[0][1]] if len(spans) == 1 else b"".join(data[start:end] for start, end in spans)


def _read_each(data: bytes, source: Source) -> Rows:
    vectors: list[bytes] = []
    keys: list[bytes] = []
    widths: list[int] = []
    labels: list[bytes] = []
    dense: list[bool] = []
    for record, (start, end) in enumerate(frames.payloads(data, source)):
        try:
            features, label = _tensors(data, start, end)
            if features is None:
                raise MalformedError("has no features named 'values'")
            vectors.append(_values(data, features))
            keys.append(_joined(data, features.keys))
            if keys[-1][-1:] >= b"\x80":
                raise MalformedError("ends in the middle of a key")
            if features.keys and not features.shape:
                raise MalformedError("has keys and no shape")
            widths.append(_size(data, features) if features.shape else len(vectors[-1]) // 4)
            dense.append(not features.keys and not (features.shape and not vectors[-1]))
            if dense[-1] and len(vectors[-1]) // 4 != widths[-1]:
                raise MalformedError(f"has {len(vectors[-1]) // 4} values and a shape of {widths[-1]}")
            if label is not None:
                labels.append(_values(data, label))
            if widths[-1] != widths[0]:
                raise MalformedError(f"has {widths[-1]} features, and the first has {widths[0]}")
            if len(labels) not in (0, record + 1):
                raise MalformedError(
                    f"has {'no label, and others have' if label is None else 'a label, and others have none'}"
                )
            if labels and (len(labels[-1]) != len(labels[0]) or not labels[-1]):
                raise MalformedError("has no label values, or another number of them than the first")
        except MalformedError as error:
            raise source.error(record, str(error)) from error
    counts = np.array([len(vector) // 4 for vector in vectors])
    values = np.frombuffer(b"".join(vectors), dtype="<f4").astype(np.float32)
    matrix = (
        values.reshape(len(vectors), -1)
        if all(dense)
        else _sparse(values, counts, keys, np.array(dense), widths[0], source)
    )
    outcome = (
        np.frombuffer(b"".join(labels), dtype="<f4").astype(np.float32).reshape(len(labels), -1) if labels else None
    )
    return Rows(matrix, outcome[:, 0] if outcome is not None and outcome.shape[1] == 1 else outcome)


def _sparse(
    values: Floats,
    counts: npt.NDArray[np.int64],
    keys: list[bytes],
    dense: npt.NDArray[np.bool_],
    width: int,
    source: Source,
) -> object:
    for row in np.flatnonzero(dense).tolist():
        keys[row] = b""
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
        numbers = np.concatenate(
            [np.arange(width, dtype=np.uint64) if whole else piece for whole, piece in zip(dense, pieces, strict=True)]
        )
    return sparse(values, numbers, counts, width, source)


def _values(data: bytes, tensor: Tensor) -> bytes:
    """Return the values of a tensor as little-endian float32."""
    content = _joined(data, tensor.values)
    if tensor.kind == INT32:
        return varints(content)[0].view(np.int64).astype("<f4").tobytes()
    if len(content) % (4 if tensor.kind == FLOAT32 else 8):
        raise MalformedError("has values that are cut off")
    return content if tensor.kind == FLOAT32 else float32(np.frombuffer(content, dtype="<f8")).astype("<f4").tobytes()


def _tensors(data: bytes, start: int, end: int) -> tuple[Tensor | None, Tensor | None]:
    """Return the tensors named `values` among the features and the labels of a record."""
    found: dict[int, Tensor | None] = {FEATURES: None, LABEL: None}
    for number, begin, after in fields(data, start, end):
        if number in found:
            named, spans = b"", []
            for part, first, last in fields(data, begin, after):
                if part == 1:
                    named = data[first:last]
                elif part == 2:
                    spans.append((first, last))
            if named == KEY:
                found[number] = _tensor(data, spans)
    return found[FEATURES], found[LABEL]


def _tensor(data: bytes, spans: Spans) -> Tensor:
    tensor: Tensor | None = None
    for kind, begin, after in _contents(data, spans):
        if tensor is None or tensor.kind != kind:
            tensor = Tensor(kind)
        for number, first, last in fields(data, begin, after):
            if first == last:
                continue
            if number == 1:
                tensor.values.append((first, last))
            elif number == 2:
                tensor.keys.append((first, last))
            elif number == 3:
                tensor.shape.append((first, last))
    if tensor is None:
        raise MalformedError("has features or labels that are no tensor of float32, float64 or int32")
    return tensor


def _contents(data: bytes, spans: Spans) -> Iterator[tuple[int, int, int]]:
    for start, end in spans:
        for kind, begin, after in fields(data, start, end):
            if kind in (FLOAT32, FLOAT64, INT32):
                yield kind, begin, after
