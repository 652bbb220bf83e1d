"""Where the tensors of a record lie: of one record, or of many that are built alike, in lockstep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from headrace.server.containers.formats.recordio.messages import BYTES, MalformedError, fields

FEATURES, LABEL = 1, 2
FLOAT32, FLOAT64, INT32 = 2, 3, 7
KEY = b"values"
LONGEST_KEY = 64

Places = npt.NDArray[np.int64]
Place = TypeVar("Place", int, Places)


@dataclass
class Tensor(Generic[Place]):
    """Where the content of a tensor begins and ends: pieces of packed values, keys and shape."""

    kind: int
    values: list[tuple[Place, Place]] = field(default_factory=list)
    keys: list[tuple[Place, Place]] = field(default_factory=list)
    shape: list[tuple[Place, Place]] = field(default_factory=list)


class Reader(Protocol[Place]):
    """Tells the fields of a message: of one at a place, or of many at an array of places."""

    def fields(self, start: Place, end: Place) -> Sequence[tuple[int, Place, Place]]:
        """Return the number, begin and end of the content of each field."""
        ...

    def text(self, start: Place, end: Place) -> bytes:
        """Return the text between two places."""
        ...

    def empty(self, start: Place, end: Place) -> bool:
        """Tell whether there is nothing between two places."""
        ...


class One:
    """Reads one record."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def fields(self, start: int, end: int) -> list[tuple[int, int, int]]:
        """Return the fields of the message in data[start:end]."""
        return fields(self.data, start, end)

    def text(self, start: int, end: int) -> bytes:
        """Return the text in data[start:end]."""
        return self.data[start:end]

    def empty(self, start: int, end: int) -> bool:
        """Tell whether data[start:end] is empty."""
        return start == end


class DifferentError(Exception):
    """Records that are not built alike, or are broken: they are to be read one by one."""


class Alike:
    """Reads many records in lockstep; raises DifferentError where they have other fields than the first of them."""

    ROOM = 16

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.raw = np.frombuffer(data + bytes(self.ROOM), dtype=np.uint8)

    def fields(self, start: Places, end: Places) -> list[tuple[int, Places, Places]]:
        """Return the fields of the messages between two places each."""
        found: list[tuple[int, Places, Places]] = []
        position = start
        while True:
            left = position < end
            if not left.any():
                return found
            tags = self.raw[position]
            tag = int(tags[0])
            if not left.all() or tag & 7 != BYTES or (tags != tag).any():
                raise DifferentError
            begin, after = self.content(position + 1)
            if (after > end).any():
                raise DifferentError
            found.append((tag >> 3, begin, after))
            position = after

    def content(self, position: Places) -> tuple[Places, Places]:
        """Return where the content begins and ends whose length stands at each place."""
        length = np.zeros(len(position), np.int64)
        goes_on = np.ones(len(position), np.bool_)
        for shift in range(0, 28, 7):
            byte = np.where(goes_on, self.raw[position], 0)
            length |= (byte & 0x7F).astype(np.int64) << shift
            position = position + goes_on
            goes_on = byte >= 0x80
            if not goes_on.any():
                return position, position + length
        raise DifferentError

    def text(self, start: Places, end: Places) -> bytes:
        """Return the text that all have between two places."""
        size = int(end[0] - start[0])
        if size > LONGEST_KEY or (end - start != size).any():
            raise DifferentError
        texts = self.raw[start[:, None] + np.arange(size)]
        if (texts != texts[0]).any():
            raise DifferentError
        return bytes(texts[0])

    def empty(self, start: Places, end: Places) -> bool:
        """Tell whether there is nothing between two places in any record."""
        return bool((start == end).all())

    def gathered(self, start: Places, end: Places) -> npt.NDArray[np.uint8]:
        """Return the bytes between two places of each record, one record after another."""
        size, stride = int(end[0] - start[0]), int(start[1] - start[0])
        if (end - start == size).all() and (np.diff(start) == stride).all():
            from_first = self.raw[int(start[0]) : int(end[-1])]
            return np.ascontiguousarray(
                as_strided(from_first, (len(start), size), (stride, 1), writeable=False)
            ).ravel()
        pieces = [self.data[first:last] for first, last in zip(start.tolist(), end.tolist(), strict=True)]
        return np.frombuffer(bytearray().join(pieces), dtype=np.uint8)


def tensors(reader: Reader[Place], start: Place, end: Place) -> tuple[Tensor[Place] | None, Tensor[Place] | None]:
    """Return the tensors named `values` among the features and the labels of a record."""
    found: dict[int, Tensor[Place] | None] = {FEATURES: None, LABEL: None}
    for number, begin, after in reader.fields(start, end):
        if number in found:
            named, spans = b"", []
            for part, first, last in reader.fields(begin, after):
                if part == 1:
                    named = reader.text(first, last)
                elif part == 2:
                    spans.append((first, last))
            if named == KEY:
                found[number] = _tensor(reader, spans)
    return found[FEATURES], found[LABEL]


def _tensor(reader: Reader[Place], spans: list[tuple[Place, Place]]) -> Tensor[Place]:
    tensor: Tensor[Place] | None = None
    contents = [each for start, end in spans for each in reader.fields(start, end)]
    for kind, begin, after in contents:
        if kind not in (FLOAT32, FLOAT64, INT32):
            continue
        if tensor is None or tensor.kind != kind:
            tensor = Tensor(kind)
        parts: dict[int, list[Any]] = {1: tensor.values, 2: tensor.keys, 3: tensor.shape}
        for number, first, last in reader.fields(begin, after):
            if number in parts and not reader.empty(first, last):
                parts[number].append((first, last))
    if tensor is None:
        raise MalformedError("has features or labels that are no tensor of float32, float64 or int32")
    return tensor
