"""Blobs that somebody reads: their deletion waits for the last reader."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable


class Holds:
    """Counts the readers of blobs in this process, and remembers which of their blobs are to go."""

    def __init__(self, remove: Callable[[str], None]) -> None:
        self._remove = remove
        self._lock = threading.Lock()
        self._readers: Counter[str] = Counter()
        self._leaving: set[str] = set()

    def take(self, blobs: Iterable[str]) -> None:
        """Keep blobs from being removed until as many readers as took them have given them back."""
        with self._lock:
            self._readers.update(blobs)

    def give(self, blobs: Iterable[str]) -> None:
        """Give blobs back, and remove those whose deletion has waited for it."""
        for blob in blobs:
            with self._lock:
                self._readers[blob] -= 1
                last = self._readers[blob] <= 0
                if last:
                    del self._readers[blob]
                goes = last and blob in self._leaving
                self._leaving.difference_update([blob] if goes else [])
            if goes:
                self._remove(blob)

    def delete(self, blob: str) -> None:
        """Remove a blob, now or when nobody reads it any more."""
        with self._lock:
            if self._readers[blob] > 0:
                self._leaving.add(blob)
                return
            del self._readers[blob]
        self._remove(blob)
