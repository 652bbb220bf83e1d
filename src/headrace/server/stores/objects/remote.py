"""Blobs in an object store by URL (s3://, gs://, az://, memory://), through obstore."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from headrace.server.errors import Unavailable
from headrace.server.stores.objects.contract import BLOCK, Staged
from headrace.server.stores.objects.hashing import Hashing
from headrace.server.stores.objects.holds import Holds

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Remote

_PART = 8 << 20


class RemoteStore:
    """A store of blobs under objects/<first two digits>/<id> of a remote store.

    An object store shows an upload whole or not at all, so a blob is written to its lasting place; until a row names it
    nobody sees it, and the sweep of unnamed blobs removes what was never committed.
    """

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._holds = Holds(self._remove)

    @classmethod
    def open(cls, url: str) -> RemoteStore:
        """Return the store at `url`; credentials come from the provider's own environment variables."""
        try:
            from obstore.store import from_url
        except ImportError:
            raise Unavailable(
                f"the object store {_shown(url)} needs obstore; install it with: pip install 'headrace[object-stores]'"
            ) from None
        try:
            return cls(from_url(url))
        except Exception as error:
            reason = _first_line(error).replace(url, "the URL")
            raise Unavailable(f"the object store {_shown(url)} can't be opened ({reason}); check the URL") from None

    def stage(self, digests: tuple[str, ...] = ("md5",)) -> RemoteStaging:
        """Begin a blob whose digests of these kinds are computed while it is written."""
        return RemoteStaging(self._remote, secrets.token_hex(16), digests)

    def commit(self, staged: Staged) -> str:
        """Return the blob's id: it is in its place already."""
        return staged.blob

    def discard(self, staged: Staged) -> None:
        """Delete a staged blob that will not be committed."""
        self.delete(staged.blob)

    def read(self, blob: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Return blocks of at most 1 MiB of a blob; raises Unavailable when its bytes are gone or the store is away."""
        import obstore

        if length == 0:
            return iter(())
        place: Any = (start, start + length) if length is not None else {"offset": start}
        try:
            result = obstore.get(self._remote, _path(blob), options={"range": place} if start or length else None)
        except FileNotFoundError:
            raise Unavailable(f"the bytes of blob {blob} are gone from the object store; restore a backup") from None
        except Exception as error:
            raise _away(error) from None
        return _blocks(result.stream(min_chunk_size=BLOCK))

    def hold(self, blobs: Sequence[str]) -> Callable[[], None]:
        """Keep blobs readable until the function that is returned is called; those that are gone are told when read."""
        self._holds.take(blobs)
        return partial(self._holds.give, blobs)

    def delete(self, blob: str) -> None:
        """Delete a blob, one that is held once it is not; one that is absent is no error."""
        self._holds.delete(blob)

    def _remove(self, blob: str) -> None:
        import obstore

        try:
            with suppress(FileNotFoundError):
                obstore.delete(self._remote, _path(blob))
        except Exception as error:
            raise _away(error) from None

    def settle(self) -> None:
        """Return: a deletion here is not left for later."""

    def blobs(self) -> Iterator[tuple[str, int]]:
        """Return every blob with its time of writing (ms)."""
        import obstore

        for some in obstore.list(self._remote, prefix="objects"):
            for each in some:
                yield each["path"].rsplit("/", 1)[-1], int(each["last_modified"].timestamp() * 1000)

    def sweep(self, before: int) -> int:
        """Return 0: nothing is staged elsewhere than among the blobs."""
        del before
        return 0


class RemoteStaging:
    """A blob being sent to a remote store in parts."""

    def __init__(self, remote: Remote, blob: str, digests: tuple[str, ...]) -> None:
        import obstore

        self._remote = remote
        self._blob = blob
        self._size = 0
        self._hashing = Hashing(("md5", *digests))
        self._writer = obstore.open_writer(remote, _path(blob), buffer_size=_PART, max_concurrency=4)

    def write(self, block: bytes) -> None:
        """Append a block, hashing it on the way; raises Unavailable when the store is away."""
        self._hashing.update(block)
        try:
            self._writer.write(block)
        except Exception as error:
            raise _away(error) from None
        self._size += len(block)

    def finish(self) -> Staged:
        """Complete the upload and return what was written."""
        try:
            self._writer.close()
        except Exception as error:
            raise _away(error) from None
        return Staged(self._blob, self._size, self._hashing.finish())

    def abort(self) -> None:
        """Forget what was written."""
        import obstore

        with suppress(Exception):
            self._writer.close()
        with suppress(Exception):
            obstore.delete(self._remote, _path(self._blob))


def _path(blob: str) -> str:
    return f"objects/{blob[:2]}/{blob}"


def _blocks(stream: Any) -> Iterator[bytes]:
    for chunk in stream:
        view = memoryview(chunk)
        for start in range(0, len(view), BLOCK):
            yield bytes(view[start : start + BLOCK])


def _shown(url: str) -> str:
    """Show a URL without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _away(error: Exception) -> Unavailable:
    return Unavailable(f"the object store did not answer ({_first_line(error)}); try again, or see to the store")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
