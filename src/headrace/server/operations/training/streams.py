"""Channels in Pipe mode: their objects, or what an augmented manifest's lines name, as one stream an epoch."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from headrace.server.containers.formats.recordio.frames import frame
from headrace.server.operations.acting import Actor
from headrace.server.operations.storage.transfer import parse_uri, read_key
from headrace.server.operations.training.channels import (
    LARGEST_MANIFEST,
    DataError,
    Interrupted,
    Room,
    Source,
    blocks_of,
    explained,
    keys_of,
    shuffled,
    write_blocks,
)

LARGEST_RECORD = 1 << 30
LARGEST_PIECE = 1 << 20
GZIP = 16 + zlib.MAX_WBITS
REFERENCE = "-ref"


def parts_of(actor: Actor, source: Source, epoch: int = 0) -> Iterator[Iterator[bytes]]:
    """Yield the parts of a channel's stream, each as its blocks: objects, or lines of an augmented manifest.

    Raises DataError.
    """
    if source.augmented:
        for line in shuffled(_lines(actor, source), source.seed, epoch):
            yield _attributes(actor, source, line)
        return
    for key in shuffled(keys_of(actor, source.data), source.seed, epoch):
        blocks = blocks_of(actor, key)
        if source.gzipped:
            blocks = _unzipped(blocks, key.uri)
        yield _framed(blocks, key.uri) if source.wrapped else blocks


def write_stream(actor: Actor, source: Source, folder: Path, *, room: Room, stopped: Callable[[], bool]) -> None:
    """Write the parts of a channel's stream into a folder, one file each, in their order.

    Raises DataError, Interrupted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(parts_of(actor, source)):
        if stopped():
            raise Interrupted
        write_blocks(part, folder / f"part-{number:08}", room)


def _lines(actor: Actor, source: Source) -> list[dict[str, Any]]:
    uri = source.data["s3_uri"]
    named = parse_uri(uri)
    with explained(actor, uri):
        content = read_key(actor, named.bucket, named.key, most=LARGEST_MANIFEST)
    found = []
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            missing = next((name for name in source.data["attribute_names"] if name not in entry), None)
        except (ValueError, TypeError, RecursionError):
            raise DataError(f"Line {number} of the augmented manifest {uri} is no JSON object; correct it") from None
        if missing is not None:
            raise DataError(f"Line {number} of the augmented manifest {uri} has no attribute '{missing}'")
        found.append(entry)
    if not found:
        raise DataError(f"The augmented manifest {uri} has no lines; each is to be a JSON object")
    return found


def _attributes(actor: Actor, source: Source, entry: dict[str, Any]) -> Iterator[bytes]:
    for name in source.data["attribute_names"]:
        value = entry[name]
        if name.endswith(REFERENCE):
            with explained(actor, str(value)):
                named = parse_uri(str(value))
                content = read_key(actor, named.bucket, named.key, most=LARGEST_RECORD)
        else:
            content = (value if isinstance(value, str) else json.dumps(value)).encode()
        yield frame(content) if source.wrapped else content


def _framed(blocks: Iterator[bytes], uri: str) -> Iterator[bytes]:
    """Yield an object as one RecordIO record."""
    content = bytearray()
    for block in blocks:
        content += block
        if len(content) > LARGEST_RECORD:
            raise DataError(f"Data download failed: {uri} is larger than a RecordIO record can be; split it")
    yield frame(bytes(content))


def _unzipped(blocks: Iterator[bytes], uri: str) -> Iterator[bytes]:
    """Yield the content of gzip, of several members too, a piece at a time."""
    expander, ended = zlib.decompressobj(GZIP), False
    try:
        for block in blocks:
            data = block
            while data:
                if ended:
                    expander, ended = zlib.decompressobj(GZIP), False
                yield expander.decompress(data, LARGEST_PIECE)
                while expander.unconsumed_tail:
                    yield expander.decompress(expander.unconsumed_tail, LARGEST_PIECE)
                ended, data = expander.eof, expander.unused_data
    except zlib.error:
        ended = False
    if not ended:
        raise DataError(f"Data download failed: {uri} is no gzip, or cut off; set CompressionType to None")
