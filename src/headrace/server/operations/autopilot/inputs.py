"""The channels of an AutoML job as tables on this machine, and the columns of them to learn from."""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from headrace.server.operations.acting import Actor
from headrace.server.operations.autopilot.requests import PARQUET
from headrace.server.operations.storage.transfer import download, parse_uri, read_key
from headrace.server.operations.training.channels import DataError, explained, keys_of

MOST_BYTES = 100 << 30
"""What the objects of a channel may have, unpacked."""
LARGEST_SPECIFICATION = 1 << 20
BLOCK = 1 << 20
GZIP = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
COMPLETE = "complete"


@dataclass(frozen=True)
class Tables:
    """The table to learn from and that to test with, None where a part of the first is to be kept for it."""

    training: Path
    validation: Path | None


def fetch_tables(
    actor: Actor, channels: Sequence[Mapping[str, Any]], folder: Path, *, pause: Callable[[], None]
) -> Tables:
    """Download the channels into `folder`, one table each; what is there from an earlier attempt is kept.

    `pause` is called between objects, and may raise. Raises DataError.
    """
    tables = {}
    for channel in channels:
        place = folder / channel["channel_type"]
        if not (place / COMPLETE).exists():
            shutil.rmtree(place, ignore_errors=True)
            _fetch(actor, channel, place, pause)
            (place / COMPLETE).touch()
        tables[channel["channel_type"]] = next(path for path in place.iterdir() if path.name.startswith("table"))
    return Tables(tables["training"], tables.get("validation"))


def _fetch(actor: Actor, channel: Mapping[str, Any], place: Path, pause: Callable[[], None]) -> None:
    columnar = channel["content_type"] == PARQUET
    parts = place / "parts"
    parts.mkdir(parents=True)
    left = MOST_BYTES
    for number, key in enumerate(keys_of(actor, channel["data_source"]["s3_data_source"])):
        pause()
        path = parts / f"{number:06d}.{'parquet' if columnar else 'csv'}"
        with explained(actor, key.uri):
            download(actor, key.bucket, key.key, path)
        _unpack(path, key.uri, declared=channel["compression_type"] == "Gzip")
        left -= path.stat().st_size
        if left < 0:
            raise DataError(f"The {channel['channel_type']} channel has more than {MOST_BYTES >> 30} GiB; give less")
        if not path.stat().st_size:
            path.unlink()
    found = sorted(parts.iterdir())
    if not found:
        raise DataError(f"Every object of the {channel['channel_type']} channel is empty; give a table with rows")
    if len(found) == 1:
        found[0].rename(place / f"table{found[0].suffix}")
    elif columnar:
        parts.rename(place / "table")
    else:
        _join(found, place / "table.csv")
    shutil.rmtree(parts, ignore_errors=True)


def _unpack(path: Path, uri: str, *, declared: bool) -> None:
    """Replace a gzip file by what it holds."""
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
    if declared and not packed and path.stat().st_size:
        raise DataError(f"{uri} is no gzip file, and the channel's CompressionType is Gzip; compress it, or say None")
    if not packed:
        return
    unpacked = path.with_suffix(".unpacked")
    try:
        with gzip.open(path, "rb") as source, unpacked.open("wb") as target:
            left = MOST_BYTES
            while block := source.read(BLOCK):
                left -= len(block)
                if left < 0:
                    raise DataError(f"{uri} unpacks to more than {MOST_BYTES >> 30} GiB; give less")
                target.write(block)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{uri} is a damaged gzip file ({error}); compress it again") from None
    unpacked.replace(path)


def _join(parts: Sequence[Path], table: Path) -> None:
    """Write files of CSV, each with the same header, behind each other, with one header."""
    with table.open("wb") as target:
        header = b""
        for number, part in enumerate(parts):
            with part.open("rb") as source:
                own = source.readline().removeprefix(BYTE_ORDER_MARK).rstrip(b"\r\n")
                if number == 0:
                    header = own
                    target.write(header + b"\n")
                elif own != header:
                    raise DataError(
                        f"The files of the channel have different headers ({_text(header)} and {_text(own)}); each "
                        "needs the same one as its first line"
                    )
                _copy(source, target)


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    last = b"\n"
    while block := source.read(BLOCK):
        target.write(block)
        last = block[-1:]
    if last != b"\n":
        target.write(b"\n")


def _text(header: bytes) -> str:
    return repr(header[:200].decode("utf-8", "replace"))


@contextmanager
def _damaged(uri: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise DataError(
            f'{uri} is no feature specification: it needs {{"FeatureAttributeNames": ["column", ...]}} or '
            '{"FeatureDataTypes": {"column": "numeric"}}'
        ) from None


def read_specification(actor: Actor, uri: str) -> tuple[str, ...] | None:
    """Return the columns that a feature specification chooses, None where it chooses all; raises DataError.

    AWS page: SageMaker API, TabularJobConfig. Types that it names are not used: they are found out from the values.
    """
    named = parse_uri(uri)
    with explained(actor, uri):
        content = read_key(actor, named.bucket, named.key, most=LARGEST_SPECIFICATION)
    with _damaged(uri):
        document = json.loads(content)
        names, types = document.get("FeatureAttributeNames"), document.get("FeatureDataTypes")
        if names is None and types is None:
            raise ValueError
        if not isinstance(types or {}, dict) or not all(isinstance(name, str) for name in names or ()):
            raise TypeError
        return None if names is None else tuple(names)
