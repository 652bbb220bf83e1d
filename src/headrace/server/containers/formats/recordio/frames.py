"""RecordIO frames: a magic number, a length, the payload, and zeros up to a multiple of four bytes."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from headrace.server.containers.contract import ClientError
from headrace.server.containers.formats.soundness import LONGEST_RECORD, Source

MAGIC = 0xCED7230A
HEADER = Struct("<II")


def payloads(data: bytes, source: Source) -> Iterator[tuple[int, int]]:
    """Yield where the payload of each frame begins and ends; raises ClientError on what is no chain of frames."""
    position, record, size = 0, 0, len(data)
    while position < size:
        if size - position < HEADER.size:
            raise source.error(record, "is cut off in its RecordIO header")
        magic, length = HEADER.unpack_from(data, position)
        _check(magic, length, record, source)
        start = position + HEADER.size
        position = start + padded(length)
        if position > size:
            raise source.error(record, f"is cut off: its RecordIO header claims {length} bytes")
        yield start, start + length
        record += 1


def places(data: bytes, source: Source) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where the payloads begin and end, at once where all are of the first one's length."""
    start, end = next(payloads(data, source))
    stride = HEADER.size + padded(end - start)
    count, rest = divmod(len(data), stride)
    if not rest:
        heads = np.frombuffer(data, np.uint8).reshape(count, stride)[:, : HEADER.size]
        if (heads == heads[0]).all():
            starts = np.arange(count) * stride + HEADER.size
            return starts, starts + (end - start)
    found = np.array(list(payloads(data, source)))
    return found[:, 0], found[:, 1]


def split_records(data: bytes, source: Source = Source()) -> list[bytes]:
    """Return the frames one by one, headers and padding included: what SplitType RecordIO cuts."""
    return [data[start - HEADER.size : start + padded(end - start)] for start, end in payloads(data, source)]


def frame(payload: bytes) -> bytes:
    """Return a payload as a frame."""
    return HEADER.pack(MAGIC, len(payload)) + payload + bytes(padded(len(payload)) - len(payload))


def padded(length: int) -> int:
    """Return a length with its padding."""
    return (length + 3) & ~3


def blocks(stream: BinaryIO, source: Source, size: int) -> Iterator[bytes]:
    """Yield a stream in pieces of whole frames, each of about `size` bytes, or of the one frame that is longer.

    Memory follows what the stream really holds, never what a header claims.
    """
    held = b""
    while data := stream.read(size):
        held = held + data if held else data
        end = whole_frames(held, source)
        if end:
            yield held[:end]
            held = held[end:]
    if held:
        raise ClientError(f"The last record of {source} is cut off: it is no whole RecordIO frame.")


def whole_frames(data: bytes, source: Source) -> int:
    """Return the length of the whole frames at the start of the data."""
    position, size, record = 0, len(data), 0
    while size - position >= HEADER.size:
        magic, length = HEADER.unpack_from(data, position)
        _check(magic, length, record, source)
        stride = HEADER.size + padded(length)
        alike = (size - position) // stride
        if not alike:
            break
        if alike > 1:
            heads = np.frombuffer(data, np.uint8, alike * stride, position).reshape(alike, stride)[:, : HEADER.size]
            different = (heads != heads[0]).any(axis=1)
            alike = int(np.argmax(different)) if different.any() else alike
        position += alike * stride
        record += alike
        if alike < 4:
            position, record = _step(data, position, record, source)
    return position


def _step(data: bytes, position: int, record: int, source: Source) -> tuple[int, int]:
    """Pass over up to a thousand frames one by one, where their lengths change too often to look at many at once."""
    size = len(data)
    for _ in range(1000):
        if size - position < HEADER.size:
            break
        magic, length = HEADER.unpack_from(data, position)
        _check(magic, length, record, source)
        if position + HEADER.size + padded(length) > size:
            break
        position += HEADER.size + padded(length)
        record += 1
    return position, record


def _check(magic: int, length: int, record: int, source: Source) -> None:
    if magic != MAGIC:
        raise source.error(record, f"does not begin with RecordIO's magic number, but with 0x{magic:08X}")
    if length > LONGEST_RECORD:
        raise source.error(record, f"claims {length} bytes, and a RecordIO record has at most {LONGEST_RECORD}")
