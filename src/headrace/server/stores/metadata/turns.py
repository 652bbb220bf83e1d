"""A lock that is given to those who wait in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """Whoever waits first is next, however eagerly others come back (threading.Lock and queues let them barge in)."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def take(self, patience: float) -> bool:
        """Wait up to `patience` seconds for the turn; return whether it came."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            called = threading.Lock()
            called.acquire()
            self._waiting.append(called)
        if called.acquire(timeout=patience):
            return True
        with self._guard:
            if called in self._waiting:
                self._waiting.remove(called)
                return False
        return True

    def give(self) -> None:
        """Pass the turn to the one who has waited longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
