"""Channels of training jobs: the files under a folder as rows, all at once or block by block."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from headrace.server.containers.contract import Channel, ClientError, Rows
from headrace.server.containers.formats import delimited, libsvm, parquet, recordio
from headrace.server.containers.formats.media_types import CSV, LIBSVM, PARQUET, RECORDIO, MediaType, read_media_type
from headrace.server.containers.formats.soundness import LONGEST_RECORD, Source

TRAINING_TYPES = (CSV, RECORDIO, LIBSVM, PARQUET)
BLOCK = 16 * 1024 * 1024
GZIP = b"\x1f\x8b"
BESIDE_THE_DATA = {"categorical_index.json"}


def read_channel(
    channel: Channel,
    *,
    accepted: Sequence[str] = TRAINING_TYPES,
    label_size: int = 1,
    weighted: bool = False,
    width: int | None = None,
) -> Rows:
    """Return all rows of a channel.

    The content types `accepted` are those of the algorithm, its default first; `label_size` is that of CSV and Parquet
    where the content type names none (`text/csv;label_size=0`); `weighted` makes the column after the labels weights.
    Raises ClientError on a channel without rows, on another content type, and on everything in a file that is no row.
    """
    blocks = list(read_blocks(channel, accepted=accepted, label_size=label_size, weighted=weighted, width=width))
    return blocks[0] if len(blocks) == 1 else _joined(blocks, channel)


def read_blocks(
    channel: Channel,
    *,
    accepted: Sequence[str] = TRAINING_TYPES,
    label_size: int = 1,
    weighted: bool = False,
    width: int | None = None,
    size: int = BLOCK,
) -> Iterator[Rows]:
    """Yield the rows of a channel in blocks of about `size` bytes of its files, in the order of their names.

    All have the same number of features, but those of libsvm without a `width`, which are as wide as they need to be.
    """
    media = channel_media_type(channel, accepted)
    if media.name == CSV and (declared := media.parameters.get("label_size")) is not None:
        if not declared.isdecimal():
            raise ClientError(f"{channel.content_type} is not an accepted ContentType: label_size is a whole number.")
        label_size = int(declared)
    files = data_files(channel)
    first: Rows | None = None
    for path in files:
        source = Source(path.relative_to(channel.folder).as_posix())
        for rows in _file_blocks(path, source, media, label_size, weighted, width, size):
            first = first or rows
            _check_alike(rows, first, source, width, media)
            yield rows


def channel_media_type(channel: Channel, accepted: Sequence[str]) -> MediaType:
    """Return the content type of a channel, or the first that is accepted where it declares none."""
    if not channel.content_type:
        return MediaType(accepted[0])
    media = read_media_type(channel.content_type)
    if media.name not in accepted:
        raise ClientError(
            f"{channel.content_type} is not an accepted ContentType of channel '{channel.name}': {', '.join(accepted)}."
        )
    return media


def data_files(channel: Channel) -> list[Path]:
    """Return the files of a channel with data in them, sorted by path; names that begin with `.` or `_` are no data."""
    found = []
    for folder, _, names in os.walk(channel.folder):
        paths = (Path(folder, name) for name in names if name[0] not in "._" and name not in BESIDE_THE_DATA)
        found += [path for path in paths if path.stat().st_size]
    if not found:
        raise ClientError(f"Channel '{channel.name}' has no data: there is no file with anything in it.")
    return sorted(found, key=lambda path: path.relative_to(channel.folder).as_posix())


def _file_blocks(
    path: Path, source: Source, media: MediaType, label_size: int, weighted: bool, width: int | None, size: int
) -> Iterator[Rows]:
    if media.name == PARQUET:
        yield from parquet.parquet_blocks(path, source, label_size, weighted, size)
        return
    with path.open("rb") as plain:
        zipped = plain.read(2) == GZIP
        plain.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=plain)) if zipped else plain
        try:
            yield from _stream_blocks(stream, source, media, label_size, weighted, width, size)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise ClientError(f"{str(source).capitalize()} is gzip that is damaged or cut off.") from None


def _stream_blocks(
    stream: BinaryIO, source: Source, media: MediaType, label_size: int, weighted: bool, width: int | None, size: int
) -> Iterator[Rows]:
    read = recordio.blocks(stream, source, size) if media.name == RECORDIO else _lines(stream, source, size)
    for data in read:
        if media.name != RECORDIO and not data.strip(b" \r\n"):
            continue
        if media.name == RECORDIO:
            rows = recordio.read_records(data, source)
        elif media.name == LIBSVM:
            rows = libsvm.read_libsvm(data, source, width=width)
        else:
            rows = delimited.read_csv(data, source, label_size=label_size, weighted=weighted)
        yield rows
        source = replace(source, rows=source.rows + rows.features.shape[0], lines=source.lines + data.count(b"\n"))


def _lines(stream: BinaryIO, source: Source, size: int) -> Iterator[bytes]:
    """Yield a stream in pieces of whole lines, each of about `size` bytes."""
    held: list[bytes] = []
    while data := stream.read(size):
        whole = data.rfind(b"\n") + 1
        if whole:
            yield b"".join([*held, data[:whole]])
            held = [data[whole:]]
        else:
            held.append(data)
            if len(held) * size > LONGEST_RECORD:
                raise ClientError(f"A line of {source} is longer than {LONGEST_RECORD} bytes.")
    if any(held):
        yield b"".join(held)


def _check_alike(rows: Rows, first: Rows, source: Source, width: int | None, media: MediaType) -> None:
    found = rows.features.shape[1]
    wanted = first.features.shape[1] if width is None else width
    if found != wanted and not (media.name == LIBSVM and width is None):
        raise ClientError(f"Rows of {source} have {found} features, where {wanted} are expected.")
    if (rows.labels is None) != (first.labels is None) or (rows.groups is None) != (first.groups is None):
        raise ClientError(
            f"Some rows of the channel have a label or a qid, and rows of {source} have not, or the reverse."
        )


def _joined(blocks: list[Rows], channel: Channel) -> Rows:
    if not blocks:
        raise ClientError(f"Channel '{channel.name}' has no data: its files hold no row.")
    features = [rows.features for rows in blocks]
    if all(isinstance(part, np.ndarray) for part in features):
        matrix = np.concatenate(features)
    else:
        from scipy.sparse import csr_matrix, vstack

        widest = max(part.shape[1] for part in features)
        parts = [csr_matrix(part) for part in features]
        for part in parts:
            part.resize(part.shape[0], widest)
        matrix = vstack(parts, format="csr")
    weights = [
        np.ones(len(rows.labels), np.float32) if rows.weights is None else rows.weights
        for rows in blocks
        if rows.labels is not None
    ]
    return Rows(
        matrix,
        None
        if blocks[0].labels is None
        else np.concatenate([rows.labels for rows in blocks if rows.labels is not None]),
        np.concatenate(weights) if any(rows.weights is not None for rows in blocks) else None,
        blocks[0].names,
        None
        if blocks[0].groups is None
        else np.concatenate([rows.groups for rows in blocks if rows.groups is not None]),
    )
