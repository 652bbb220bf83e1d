"""Several digests of one stream, computed beside each other while the stream is being written."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

from headrace.server.stores import digests

PARALLEL_FROM = 1 << 17
"""Blocks of this many bytes and more are hashed in two threads: hashlib gives the interpreter free meanwhile."""


class Hashing:
    """Digests of the blocks that `update` is given, in their order.

    Of a large block the first digest, which is to be the slowest, is computed while the caller goes on.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._digests = {name: digests.new(name) for name in dict.fromkeys(names)}
        self._running: Future[None] | None = None

    def update(self, block: bytes) -> None:
        """Take a block in."""
        self._wait()
        first, *others = self._digests.values()
        if len(block) < PARALLEL_FROM:
            first.update(block)
        else:
            self._running = _threads().submit(first.update, block)
        for digest in others:
            digest.update(block)

    def finish(self) -> dict[str, bytes]:
        """Return the raw digest of each name."""
        self._wait()
        return {name: digest.digest() for name, digest in self._digests.items()}

    def _wait(self) -> None:
        if self._running is not None:
            self._running.result()
            self._running = None


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2), thread_name_prefix="hashing")


os.register_at_fork(after_in_child=_threads.cache_clear)
