"""Protocol buffers' wire format, as far as records need it: fields of a message, packed varints, and writing both."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LONGEST_VARINT = 10


class MalformedError(ValueError):
    """Bytes that are no such message; the text says why."""


def fields(data: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """Return the number, and the begin and end of the content, of each field of a message in data[start:end]."""
    found = []
    position = start
    while position < end:
        tag = data[position]
        position += 1
        if tag >= 0x80:
            tag, position = _varint(data, position - 1, end)
        wire = tag & 7
        if wire == BYTES:
            length, position = _varint(data, position, end)
            after = position + length
        elif wire == VARINT:
            after = _varint(data, position, end)[1]
        elif wire == FIXED32:
            after = position + 4
        elif wire == FIXED64:
            after = position + 8
        else:
            raise MalformedError(f"has a field of wire type {wire}, which records do not have")
        if after > end:
            raise MalformedError("has a field that is longer than the record")
        found.append((tag >> 3, position, after))
        position = after
    return found


def _varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    if position < end and data[position] < 0x80:
        return data[position], position + 1
    value = 0
    for shift in range(0, 7 * LONGEST_VARINT, 7):
        if position >= end:
            raise MalformedError("ends in the middle of a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise MalformedError("has a number of more than ten bytes")


def varints(data: bytes | npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    """Return the numbers in packed varints, and the position after each; raises MalformedError on a broken one."""
    raw = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(raw < 0x80) + 1
    if not raw.size:
        return np.zeros(0, np.uint64), ends
    if raw[-1] >= 0x80:
        raise MalformedError("ends in the middle of a number")
    if len(ends) == len(raw):
        return raw.astype(np.uint64), ends
    starts = np.concatenate([[0], ends[:-1]])
    lengths = ends - starts
    if lengths.max() > LONGEST_VARINT:
        raise MalformedError("has a number of more than ten bytes")
    shifts = (7 * (np.arange(raw.size) - np.repeat(starts, lengths))).astype(np.uint64)
    return np.bitwise_or.reduceat((raw & 0x7F).astype(np.uint64) << shifts, starts), ends


def varint(value: int) -> bytes:
    """Return a number as a varint."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def packed(values: npt.NDArray[Any]) -> bytes:
    """Return whole numbers from 0 as packed varints."""
    return b"".join(map(varint, values.tolist()))


def field(number: int, content: bytes) -> bytes:
    """Return a field of bytes: a text, a message, or packed numbers."""
    return varint(number << 3 | BYTES) + varint(len(content)) + content
