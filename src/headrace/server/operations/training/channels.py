"""The objects that a data source of S3 names, and channels of training jobs as files under a folder."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.server.containers.archives import PIECE
from headrace.server.errors import Denied, InvalidInput, NotFound, OperationError, TooLarge
from headrace.server.operations.acting import Actor
from headrace.server.operations.storage.transfer import Key, list_keys, open_key, parse_uri, read_key

LARGEST_MANIFEST = 64 << 20
LONGEST_NAME = 255


class DataError(Exception):
    """The data of a channel can't be had: one sentence, which becomes the FailureReason after "ClientError: "."""


@dataclass(frozen=True)
class Source:
    """A channel's data as the request describes it; `wrapped` asks for RecordIO, `seed` for another order."""

    name: str
    data: Mapping[str, Any]
    mode: str
    gzipped: bool = False
    wrapped: bool = False
    seed: int | None = None
    content_type: str = ""

    @property
    def streamed(self) -> bool:
        """Whether the algorithm gets a stream of the objects, not files by their names."""
        return self.mode == "Pipe"

    @property
    def augmented(self) -> bool:
        """Whether the data is what a manifest's lines hold and name."""
        return bool(self.data["s3_data_type"] == "AugmentedManifestFile")


def sources_of(record: Mapping[str, Any]) -> list[Source]:
    """Return the channels of a training job's record."""
    general = record["algorithm_specification"]["training_input_mode"]
    return [
        Source(
            channel["channel_name"],
            channel["data_source"]["s3_data_source"],
            channel.get("input_mode") or general,
            channel.get("compression_type") == "Gzip",
            channel.get("record_wrapper_type") == "RecordIO",
            channel.get("shuffle_config", {}).get("seed"),
            channel.get("content_type") or "",
        )
        for channel in record.get("input_data_config") or ()
    ]


def keys_of(actor: Actor, data_source: Mapping[str, Any]) -> list[Key]:
    """Return the objects of an S3DataSource: those under an S3Prefix, or those that a ManifestFile lists, in order.

    Sizes and ETags of a manifest's objects are not known (0 and ""). Raises DataError with AWS's sentence where there
    is none, or where the role may not look.
    """
    uri = data_source["s3_uri"]
    with explained(actor, uri):
        named = parse_uri(uri)
        if data_source["s3_data_type"] == "ManifestFile":
            return _manifest_keys(uri, read_key(actor, named.bucket, named.key, most=LARGEST_MANIFEST))
        keys = [
            key for key in list_keys(actor, named.bucket, named.key) if not (key.key.endswith("/") and not key.size)
        ]
    if not keys:
        raise DataError(_nothing(actor, uri))
    return keys


def folder_name(data_source: Mapping[str, Any], key: Key) -> str:
    """Return where an object lies in its channel's folder: its key after the prefix (or that of the manifest)."""
    prefix = parse_uri(data_source["s3_uri"]).key if data_source["s3_data_type"] == "S3Prefix" else ""
    if prefix and (prefix.endswith("/") or key.key.startswith(f"{prefix}/")):
        name = key.key[len(prefix) :].lstrip("/")
    else:
        name = key.key[prefix.rfind("/") + 1 :]
    parts = name.split("/")
    if any(part in ("", ".", "..") or len(part.encode()) > LONGEST_NAME or "\0" in part for part in parts):
        raise DataError(f"Data download failed: the key of {key.uri} can't be the name of a file; rename the object")
    return name


def fetch(actor: Actor, source: Source, folder: Path, *, room: Room, stopped: Callable[[], bool]) -> int:
    """Write a channel's objects into a folder and return how many there were; raises DataError, Interrupted."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for key in keys_of(actor, source.data):
        if stopped():
            raise Interrupted
        path = folder / folder_name(source.data, key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists():
                raise FileExistsError
            write_blocks(blocks_of(actor, key), path, room)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise DataError(
                f"Data download failed: {key.uri} has the name of another object or of its folder; rename one of them"
            ) from None
        count += 1
    return count


class Interrupted(Exception):  # noqa: N818
    """The job is to stop."""


class Room:
    """The disk that a job's channels may fill: its VolumeSizeInGB."""

    def __init__(self, gibibytes: int) -> None:
        self.gibibytes = gibibytes
        self.left = gibibytes << 30

    def take(self, size: int) -> None:
        """Count bytes; raises DataError when there is no room for them."""
        self.left -= size
        if self.left < 0:
            raise DataError(
                f"Data download failed: the data is larger than the VolumeSizeInGB {self.gibibytes} of ResourceConfig; "
                "ask for a larger volume"
            )


def blocks_of(actor: Actor, key: Key) -> Iterator[bytes]:
    """Yield the bytes of an object; raises DataError."""
    with explained(actor, key.uri):
        yield from open_key(actor, key.bucket, key.key)[1]


def write_blocks(blocks: Iterator[bytes], path: Path, room: Room) -> None:
    """Write blocks into a new file."""
    with path.open("xb", buffering=PIECE) as file:
        for block in blocks:
            room.take(len(block))
            file.write(block)


def shuffled(keys: list[Any], seed: int | None, epoch: int = 0) -> list[Any]:
    """Return a list in the order that a ShuffleConfig's seed says for an epoch."""
    if seed is None:
        return keys
    return random.Random(f"{seed}/{epoch}").sample(keys, len(keys))


class explained:  # noqa: N801
    """A context manager that turns errors of S3 into the sentences that training jobs fail with."""

    def __init__(self, actor: Actor, uri: str) -> None:
        self.actor, self.uri = actor, uri

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        """Raise DataError where an operation on S3 failed."""
        if isinstance(error, Denied):
            raise DataError(
                f"Data download failed: AccessDenied (403): Access Denied to {self.uri} with the role "
                f"{self.actor.caller.principal}: {error.message}"
            ) from error
        if isinstance(error, NotFound):
            raise DataError(f"{_nothing(self.actor, self.uri)} Error message from S3: {error.message}") from error
        if isinstance(error, InvalidInput | TooLarge):
            raise DataError(f"Data download failed: {error.message}") from error
        if isinstance(error, OperationError) and error.status < 500:
            raise DataError(f"Data download failed: {error.code or error.status}: {error.message}") from error


def _manifest_keys(uri: str, content: bytes) -> list[Key]:
    try:
        entries = json.loads(content)
        first, *names = entries
        prefix = first["prefix"] if isinstance(first, dict) else ""
        if not prefix or not all(isinstance(name, str) for name in names):
            raise ValueError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise DataError(
            f'The manifest {uri} is not a JSON list of an object {{"prefix": "s3://bucket/prefix/"}} and the names '
            "after it; correct it"
        ) from None
    if not names:
        raise DataError(f"The manifest {uri} names no object; list them after its prefix")
    return [parse_uri(f"{prefix}{name}") for name in names]


def _nothing(actor: Actor, uri: str) -> str:
    named = parse_uri(uri)
    return (
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket exists in '
        f"the selected region ({actor.place.region}), that objects exist under that S3 prefix, and that the role "
        f'"{actor.caller.principal}" has "s3:ListBucket" permissions on bucket "{named.bucket}".'
    )
