"""Blobs as files of one folder: written to a staging file, synced, renamed into place."""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import NoReturn

from headrace.server.errors import Unavailable
from headrace.server.stores.objects.contract import BLOCK, Staged
from headrace.server.stores.objects.hashing import Hashing
from headrace.server.stores.objects.holds import Holds

LOG = logging.getLogger("headrace.objects")

_BLOB = re.compile(r"[0-9a-f]{32}")


class FileStore:
    """A store of blobs in `folder`: staging/<id> while they arrive, then objects/<first two digits>/<id>."""

    def __init__(self, folder: Path) -> None:
        self._staging = folder / "staging"
        self._objects = folder / "objects"
        for each in (self._staging, self._objects):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_folders()
        self._holds = Holds(lambda blob: self._path(blob).unlink(missing_ok=True))

    def stage(self, digests: tuple[str, ...] = ("md5",)) -> FileStaging:
        """Begin a blob whose digests of these kinds are computed while it is written."""
        blob = secrets.token_hex(16)
        return FileStaging(self._staging / blob, blob, digests)

    def commit(self, staged: Staged) -> str:
        """Rename a staged blob into place, make that durable, and return its id."""
        lasting = self._path(staged.blob)
        try:
            (self._staging / staged.blob).rename(lasting)
            _sync(lasting.parent)
        except OSError as error:
            _refuse(error)
        return staged.blob

    def discard(self, staged: Staged) -> None:
        """Delete a staged blob that will not be committed."""
        (self._staging / staged.blob).unlink(missing_ok=True)

    def read(self, blob: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Return blocks of at most 1 MiB; the file is open from now on, so that a deletion does not cut it short."""
        try:
            descriptor = os.open(self._path(blob), os.O_RDONLY)
        except FileNotFoundError:
            try:
                descriptor = os.open(self._staging / blob, os.O_RDONLY)
            except FileNotFoundError:
                raise _gone(blob) from None
        size = os.fstat(descriptor).st_size
        blocks = _Blocks(blob, descriptor, size - start if length is None else length)
        if length is not None and start + length > size:
            raise _short(blob)
        if start:
            os.lseek(descriptor, start, os.SEEK_SET)
        return blocks

    def hold(self, blobs: Sequence[str]) -> Callable[[], None]:
        """Keep blobs readable until the function that is returned is called."""
        self._holds.take(blobs)
        for blob in blobs:
            if not self._path(blob).exists():
                self._holds.give(blobs)
                raise _gone(blob)
        return partial(self._holds.give, blobs)

    def delete(self, blob: str) -> None:
        """Delete a blob soon, one that is held once it is not: freeing a large file keeps the disk busy for a while."""
        self._path(blob)
        _beside_requests().submit(self._delete, blob)

    def settle(self) -> None:
        """Return once what this process deleted has gone."""
        _beside_requests().submit(int).result()

    def blobs(self) -> Iterator[tuple[str, int]]:
        """Return every committed blob with its time of writing (ms), once what was deleted before has gone."""
        self.settle()
        for folder in sorted(self._objects.iterdir()):
            yield from _written(folder)

    def sweep(self, before: int) -> int:
        """Delete staging files last written before a time (ms); return how many there were."""
        stale = [blob for blob, written in _written(self._staging) if written < before]
        for blob in stale:
            (self._staging / blob).unlink(missing_ok=True)
        return len(stale)

    def _delete(self, blob: str) -> None:
        try:
            self._holds.delete(blob)
        except OSError:
            LOG.exception("blob %s could not be deleted; the sweep will try again", blob)

    def _make_folders(self) -> None:
        """Make all folders of blobs at once, so that no commit has to make one durable."""
        missing = {f"{number:02x}" for number in range(256)}.difference(path.name for path in self._objects.iterdir())
        for name in missing:
            (self._objects / name).mkdir(mode=0o700)
        if missing:
            _sync(self._objects)

    def _path(self, blob: str) -> Path:
        if not _BLOB.fullmatch(blob):
            raise ValueError(f"{blob!r} is no id of a blob")
        return self._objects / blob[:2] / blob


class FileStaging:
    """A blob being written to a staging file."""

    def __init__(self, path: Path, blob: str, digests: tuple[str, ...]) -> None:
        self._path = path
        self._blob = blob
        self._size = 0
        self._hashing = Hashing(("md5", *digests))
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            _refuse(error)

    def write(self, block: bytes) -> None:
        """Append a block, hashing it on the way; raises Unavailable, leaving nothing, when the disk is full."""
        self._hashing.update(block)
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self.abort()
            _refuse(error)
        self._size += len(block)

    def finish(self) -> Staged:
        """Make the bytes durable (fsync) and return what was written."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self.abort()
            _refuse(error)
        self._close()
        return Staged(self._blob, self._size, self._hashing.finish())

    def abort(self) -> None:
        """Forget what was written."""
        self._close()
        self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class _Blocks:
    """The blocks of an open file; it is closed at the end, or when nobody wants the rest."""

    def __init__(self, blob: str, descriptor: int, length: int) -> None:
        self._blob = blob
        self._descriptor = descriptor
        self._rest = length

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._rest <= 0:
            self.close()
            raise StopIteration
        block = os.read(self._descriptor, min(BLOCK, self._rest))
        if not block:
            self.close()
            raise _short(self._blob)
        self._rest -= len(block)
        return block

    def close(self) -> None:
        self._rest = 0
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    __del__ = close


@cache
def _beside_requests() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="deletion")


os.register_at_fork(after_in_child=_beside_requests.cache_clear)


def _written(folder: Path) -> Iterator[tuple[str, int]]:
    for path in folder.iterdir():
        with suppress(FileNotFoundError):
            yield path.name, path.stat().st_mtime_ns // 1_000_000


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _gone(blob: str) -> Unavailable:
    return Unavailable(f"the bytes of blob {blob} are gone from the data folder; restore a backup")


def _short(blob: str) -> Unavailable:
    return Unavailable(f"blob {blob} of the data folder is shorter than it was; restore a backup")


def _refuse(error: OSError) -> NoReturn:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise Unavailable("the disk that holds the data folder is full; free some space and try again") from None
    raise Unavailable(f"the data folder can't be written ({error.strerror}); see to its disk and try again") from None
