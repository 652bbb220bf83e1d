"""Writing records: what algorithms answer, and rows as the SageMaker SDK uploads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.server.containers.contract import Rows
from headrace.server.containers.formats.recordio.frames import frame
from headrace.server.containers.formats.recordio.messages import field, packed
from headrace.server.containers.formats.recordio.tensors import FEATURES, FLOAT32, LABEL


def write_rows(rows: Rows) -> bytes:
    """Return rows as records of float32: dense features without a shape, sparse ones with keys and shape."""
    if isinstance(rows.features, np.ndarray):
        entries = [(FEATURES, "values", rows.features)]
        return _write_alike(entries + ([] if rows.labels is None else [(LABEL, "values", rows.labels)]))
    matrix, written = rows.features, []
    shape = field(3, packed(np.array([matrix.shape[1]])))
    for row in range(matrix.shape[0]):
        inside = slice(matrix.indptr[row], matrix.indptr[row + 1])
        values, keys = matrix.data[inside].astype("<f4").tobytes(), packed(matrix.indices[inside])
        tensor = (field(1, values) + field(2, keys) if keys else b"") + shape
        record = _entry(FEATURES, "values", tensor)
        if rows.labels is not None:
            record += _entry(LABEL, "values", field(1, rows.labels[row].astype("<f4").tobytes()))
        written.append(frame(record))
    return b"".join(written)


def write_labels(columns: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return a record for each row of the columns, each column a float32 tensor in `label` under its name."""
    return _write_alike([(LABEL, name, np.asarray(column)) for name, column in columns.items()])


def _entry(number: int, name: str, tensor: bytes) -> bytes:
    return field(number, field(1, name.encode()) + field(2, field(FLOAT32, tensor)))


def _write_alike(entries: list[tuple[int, str, npt.NDArray[Any]]]) -> bytes:
    """Return records that differ in their values only: one of them as a stencil, filled in for all at once."""
    count = len(entries[0][2])
    columns = [np.ascontiguousarray(column.reshape(count, -1), dtype="<f4") for _, _, column in entries]
    places, record = [], b""
    for (number, name, _), column in zip(entries, columns, strict=True):
        record += _entry(number, name, field(1, bytes(4 * column.shape[1])))
        places.append(len(record) - 4 * column.shape[1])
    stencil = np.frombuffer(frame(record), dtype=np.uint8)
    written = np.tile(stencil, (count, 1))
    for place, column in zip(places, columns, strict=True):
        written[:, 8 + place : 8 + place + 4 * column.shape[1]] = column.view(np.uint8)
    return written.tobytes()
