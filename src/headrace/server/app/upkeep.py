"""What a server does by itself from time to time: deliveries, sweeps, retention."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

from headrace.server.context import Platform

LOG = logging.getLogger("headrace.upkeep")


@dataclass(frozen=True)
class Chore:
    """A task that comes back: `run(platform, now)` every `seconds(platform)`, `at_end` once more at the stop."""

    name: str
    seconds: Callable[[Platform], float]
    run: Callable[[Platform, int], object]
    at_end: bool = False


class Upkeep:
    """Runs chores one after the other in a thread of its own; one that fails is logged and tried again next time."""

    def __init__(self, platform: Platform, chores: Sequence[Chore]) -> None:
        self.platform = platform
        self.chores = chores
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="upkeep", daemon=True)

    def __enter__(self) -> Upkeep:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for chore in self.chores:
            if chore.at_end:
                self._run(chore)

    def start(self) -> None:
        """Begin; the first round is due after each chore's own period."""
        self._thread.start()

    def _loop(self) -> None:
        due = {chore.name: time.monotonic() + chore.seconds(self.platform) for chore in self.chores}
        while not self._stop.wait(max(0.0, min(due.values(), default=60.0) - time.monotonic())):
            for chore in self.chores:
                if due[chore.name] <= time.monotonic() and not self._stop.is_set():
                    self._run(chore)
                    due[chore.name] = time.monotonic() + chore.seconds(self.platform)

    def _run(self, chore: Chore) -> None:
        try:
            chore.run(self.platform, self.platform.clock())
        except Exception:
            LOG.exception("upkeep: %s failed; it is tried again", chore.name)
