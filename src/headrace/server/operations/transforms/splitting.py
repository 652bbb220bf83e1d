"""What an input object is cut into: records by its SplitType, and batches of them by strategy and payload."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from headrace.server.containers.contract import ClientError

MEBIBYTE = 1 << 20
DEFAULT_PAYLOAD = 6 * MEBIBYTE
LARGEST_REQUEST = 1 << 30
"""Bytes of a request where MaxPayloadInMB is 0: one is held in memory."""
LARGEST_FILTERED = 100 * MEBIBYTE
"""Bytes of a record of which a filter leaves what fits."""
RECORDIO_MAGIC = 0xCED7230A
_RECORDIO = struct.Struct("<II")
_TFRECORD = struct.Struct("<QI")
_CHECKSUM = 4
_BLOCK = 1 << 20


class PayloadTooLarge(ClientError):  # noqa: N818
    """A record has more bytes than a request may."""


@dataclass(frozen=True)
class Record:
    """One record: `raw` as it is in the input (binary formats: with its frame), `sent` as the model gets it."""

    raw: bytes
    sent: bytes


@dataclass(frozen=True)
class Batch:
    """What one request holds: its body, and the records where results are joined with them."""

    body: bytes
    records: tuple[bytes, ...]
    count: int


class _Blocks(io.RawIOBase):
    """A stream of blocks, read as a file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        super().__init__()
        self._blocks, self._held = blocks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._held:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._held = memoryview(block)
        size = min(len(buffer), len(self._held))
        buffer[:size] = self._held[:size]
        self._held = self._held[size:]
        return size


def stream(blocks: Iterator[bytes], *, compressed: bool = False) -> BinaryIO:
    """Return blocks of bytes as a file, unpacked on the way where they are gzip; it never holds more than a few MiB."""
    reader = io.BufferedReader(_Blocks(blocks), _BLOCK)
    if not compressed:
        return reader
    return io.BufferedReader(gzip.GzipFile(fileobj=reader), _BLOCK)


def records(file: BinaryIO, split_type: str, most: int) -> Iterator[Record]:
    """Yield the records of a file by SplitType: None, Line, RecordIO, TFRecord.

    A line is without its end, and empty ones are none. A RecordIO or TFRecord record is sent without its frame.
    Raises PayloadTooLarge on one of more than `most` bytes, ClientError on what is not of the format.
    """
    try:
        yield from _SPLITTERS[split_type](file, most or LARGEST_REQUEST)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ClientError(f"the input is no gzip file, though CompressionType is Gzip: {error}") from error


@dataclass(frozen=True)
class Batching:
    """How records become requests: `single` one each, `whole` all of an object, else as many as fit into the payload.

    `most` is the payload's limit in bytes; 0 is none, and then requests of several records have up to 6 MiB. Several
    are put together with `separator` between them, or with their frames if `framed`. Input records are kept only if
    they are `joined` with what the model answers; they count then as well.
    """

    most: int
    single: bool = False
    whole: bool = False
    separator: bytes = b""
    framed: bool = False
    joined: bool = False

    def of(self, found: Iterable[Record]) -> Iterator[Batch]:
        """Yield the batches; raises PayloadTooLarge on a record that no request can hold."""
        sent: list[bytes] = []
        raw: list[bytes] = []
        total = 0
        for record in found:
            part = record.raw if self.framed and not self.single else record.sent
            size = max(len(part), len(record.raw) if self.joined else 0) + len(self.separator)
            if self._is_full(len(sent), total + size):
                yield Batch(self.separator.join(sent), tuple(raw), len(sent))
                sent, raw, total = [], [], 0
            total += size
            if self.most and (total - len(self.separator) if self.whole else len(part)) > self.most:
                raise PayloadTooLarge(f"a record has more than the {self.most} bytes that MaxPayloadInMB allows")
            sent.append(part)
            if self.joined:
                raw.append(record.raw)
        if sent:
            yield Batch(self.separator.join(sent), tuple(raw), len(sent))

    def _is_full(self, count: int, total: int) -> bool:
        if not count or self.whole:
            return False
        return self.single or total - len(self.separator) > (self.most or DEFAULT_PAYLOAD)


def _whole(file: BinaryIO, most: int) -> Iterator[Record]:
    content = file.read(most + 1)
    if len(content) > most:
        raise PayloadTooLarge(f"the object has more than the {most} bytes of one request, and SplitType is None")
    if content:
        yield Record(content, content)


def _lines(file: BinaryIO, most: int) -> Iterator[Record]:
    while line := file.readline(most + 3):
        text = line.rstrip(b"\r\n")
        if len(text) > most:
            raise PayloadTooLarge(f"a line has more than the {most} bytes of one request")
        if text:
            yield Record(text, text)


def _recordio(file: BinaryIO, most: int) -> Iterator[Record]:
    """Yield MXNet's RecordIO: one whose payload has the magic number is in parts, which belong together."""
    frames: list[bytes] = []
    payloads: list[bytes] = []
    while head := file.read(_RECORDIO.size):
        if len(head) < _RECORDIO.size:
            raise ClientError("the input is cut off within a RecordIO header")
        magic, word = _RECORDIO.unpack(head)
        part, length = word >> 29, word & ((1 << 29) - 1)
        if magic != RECORDIO_MAGIC:
            raise ClientError(f"a record does not begin with RecordIO's magic number, but with 0x{magic:08X}")
        if length + sum(map(len, payloads)) > most:
            raise PayloadTooLarge(f"a RecordIO record has more than the {most} bytes of one request")
        payload = _exactly(file, length)
        frames += [head, payload, _exactly(file, -length % 4)]
        payloads.append(payload)
        if part in (0, 3):
            yield Record(b"".join(frames), head[:4].join(payloads))
            frames, payloads = [], []
    if frames:
        raise ClientError("the input ends within a RecordIO record of several parts")


def _tfrecord(file: BinaryIO, most: int) -> Iterator[Record]:
    while head := file.read(_TFRECORD.size):
        if len(head) < _TFRECORD.size:
            raise ClientError("the input is cut off within a TFRecord header")
        length, _ = _TFRECORD.unpack(head)
        if length > most:
            raise PayloadTooLarge(f"a TFRecord record claims {length} bytes, more than the {most} of one request")
        payload = _exactly(file, length)
        yield Record(head + payload + _exactly(file, _CHECKSUM), payload)


def _exactly(file: BinaryIO, size: int) -> bytes:
    found = file.read(size)
    if len(found) < size:
        raise ClientError(f"the input is cut off: a record claims {size} bytes and {len(found)} are left")
    return found


_SPLITTERS: dict[str, Callable[[BinaryIO, int], Iterator[Record]]] = {
    "None": _whole,
    "Line": _lines,
    "RecordIO": _recordio,
    "TFRecord": _tfrecord,
}
