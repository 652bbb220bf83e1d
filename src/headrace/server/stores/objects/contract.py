"""What a store of blobs does; buckets, keys and versions are rows of the metadata store, blobs are only bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

BLOCK = 1 << 20
"""Largest block that a store hands out, in bytes."""


@dataclass(frozen=True)
class Staged:
    """A body that has arrived whole and is durable, and not yet visible: an operation commits or discards it.

    `digests` maps "md5", "sha256", "sha1", "crc32", "crc32c", "crc64nvme" to raw digests, those that were asked for
    (md5 always). `checksum` is the (algorithm, base64) pair that the client sent, in a header or a trailer, verified.
    """

    blob: str
    size: int
    digests: Mapping[str, bytes] = field(default_factory=dict)
    checksum: tuple[str, str] | None = None


class Staging(Protocol):
    """A blob being written."""

    def write(self, block: bytes) -> None:
        """Append a block, hashing it on the way; the caller does not change it afterwards."""

    def finish(self) -> Staged:
        """Make the bytes durable (fsync) and return what was written."""

    def abort(self) -> None:
        """Forget what was written; may be called at any time and again."""


class ObjectStore(Protocol):
    """A store of immutable blobs, each under an id that the store chose."""

    def stage(self, digests: tuple[str, ...] = ("md5",)) -> Staging:
        """Begin a blob whose digests of these kinds are computed while it is written."""

    def commit(self, staged: Staged) -> str:
        """Move a staged blob to its lasting place (rename) and return its id; call before its row commits."""

    def discard(self, staged: Staged) -> None:
        """Delete a staged blob that will not be committed."""

    def read(self, blob: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Return blocks of at most 1 MiB of a blob; raises Unavailable when its bytes are gone, or fewer than `length`.

        A staged blob is read under its own id before it is committed.
        """

    def hold(self, blobs: Sequence[str]) -> Callable[[], None]:
        """Keep blobs readable, though they be deleted, until the function that is returned is called.

        Raises Unavailable when it is too late for one of them.
        """

    def delete(self, blob: str) -> None:
        """Delete a blob, soon and not while it is held; one that is absent is no error."""

    def settle(self) -> None:
        """Return once what this process deleted has gone: what it does before its end."""

    def blobs(self) -> Iterator[tuple[str, int]]:
        """Return every committed blob with its time of writing (ms), for the sweep of those that no row names."""

    def sweep(self, before: int) -> int:
        """Delete what was staged before a time (ms) and never committed; return how many there were."""


def stage_file(store: ObjectStore, file: BinaryIO, digests: tuple[str, ...] = ("md5",)) -> Staged:
    """Make the bytes of an open file durable; nothing of them stays where that fails."""
    staging = store.stage(digests)
    try:
        while block := file.read(BLOCK):
            staging.write(block)
        return staging.finish()
    except BaseException:
        staging.abort()
        raise
