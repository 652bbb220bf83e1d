"""Universal Binary JSON as XGBoost writes it, read without the library, which a damaged file makes abort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

DEEPEST = 64
NUMBERS: Mapping[bytes, str] = {
    b"i": ">i1",
    b"U": ">u1",
    b"I": ">i2",
    b"l": ">i4",
    b"L": ">i8",
    b"d": ">f4",
    b"D": ">f8",
}
"""NumPy's name of each kind of number; all are big-endian."""
CONSTANTS: Mapping[bytes, Any] = {b"T": True, b"F": False, b"Z": None}


def read_ubjson(content: bytes) -> Any:
    """Return the value that the bytes hold, typed arrays as NumPy arrays; raises ValueError where they are damaged."""
    reader = _Reader(content)
    value = reader.value(reader.take(1), DEEPEST)
    if reader.place != len(content):
        raise ValueError(f"there are {len(content) - reader.place} bytes after the end")
    return value


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content, self.place = content, 0

    def take(self, count: int) -> bytes:
        end = self.place + count
        if count < 0 or end > len(self.content):
            raise ValueError(f"it ends within a value at byte {self.place}")
        taken, self.place = self.content[self.place : end], end
        return taken

    def peek(self) -> bytes:
        return self.content[self.place : self.place + 1]

    def number(self, mark: bytes) -> Any:
        kind = np.dtype(NUMBERS[mark])
        return np.frombuffer(self.take(kind.itemsize), kind)[0].item()

    def length(self) -> int:
        mark = self.take(1)
        if mark not in b"iUIlL":
            raise ValueError(f"it has no length at byte {self.place}")
        return int(self.number(mark))

    def value(self, mark: bytes, depth: int) -> Any:
        if mark in NUMBERS:
            return self.number(mark)
        if mark in CONSTANTS:
            return CONSTANTS[mark]
        if mark == b"S":
            return self.take(self.length()).decode()
        if depth and mark == b"[":
            return self.array(depth - 1)
        if depth and mark == b"{":
            return self.mapping(depth - 1)
        raise ValueError(f"it has no value at byte {self.place}")

    def array(self, depth: int) -> Any:
        if self.peek() == b"$":
            kind = self.take(2)[1:]
            if kind not in NUMBERS or self.take(1) != b"#":
                raise ValueError(f"it has an array of an unknown kind at byte {self.place}")
            number = np.dtype(NUMBERS[kind])
            return np.frombuffer(self.take(self.length() * number.itemsize), number).astype(number.newbyteorder("="))
        if self.peek() == b"#":
            self.take(1)
            return [self.value(self.take(1), depth) for _ in range(self.counted())]
        values = []
        while (mark := self.take(1)) != b"]":
            values.append(self.value(mark, depth))
        return values

    def counted(self) -> int:
        """Return a count of values, which cannot exceed the bytes that are left."""
        count = self.length()
        if not 0 <= count <= len(self.content) - self.place:
            raise ValueError(f"it ends within an array at byte {self.place}")
        return count

    def mapping(self, depth: int) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while self.peek() != b"}":
            name = self.take(self.length()).decode()
            values[name] = self.value(self.take(1), depth)
        self.take(1)
        return values
