"""What a server does by itself from time to time: deliveries, sweeps, retention."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TypeVar

from headrace.server.context import Context, Platform
from headrace.server.resources import Place
from headrace.server.security.credentials import Caller

Result = TypeVar("Result")

LOG = logging.getLogger("headrace.upkeep")

FIRST_SECONDS = 60.0
"""When the first round of a chore is due at the latest, so that those of once a day come in servers that run less."""

STOP_SECONDS = 20.0
"""How long a chore at work may keep the server from stopping."""


@dataclass(frozen=True)
class Chore:
    """A task that comes back: `run(platform, now)` every `seconds(platform)`, `at_end` once more at the stop."""

    name: str
    seconds: Callable[[Platform], float]
    run: Callable[[Platform, int], object]
    at_end: bool = False


class Upkeep:
    """Runs chores one after the other in a thread of its own; one that fails is logged and tried again next time."""

    def __init__(self, platform: Platform, chores: Sequence[Chore], *, first: float = FIRST_SECONDS) -> None:
        self.platform = platform
        self.chores = chores
        self.first = first
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="upkeep", daemon=True)

    def __enter__(self) -> Upkeep:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        for chore in self.chores:
            if chore.at_end:
                self._run(chore)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def _loop(self) -> None:
        began = time.monotonic()
        due = {chore.name: began + min(self.first, chore.seconds(self.platform)) for chore in self.chores}
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


def by_itself(platform: Platform, work: Callable[[Context], Result], place: Place | None = None) -> Result:
    """Run `work` in a transaction of its own, with a context in which the platform is the caller and may do all.

    Its place is the server's own region unless one is given.
    """
    committed: list[Callable[[], None]] = []
    with platform.metadata.writing() as connection:
        context = Context(
            platform=platform,
            connection=connection,
            caller=Caller("AWSService", platform.account, "", "headrace", "headrace", "headrace"),
            place=place or Place(platform.account, platform.settings.region, platform.partition),
            now=platform.clock(),
            request_id="",
            authorise=lambda *_: None,
            committed=committed,
        )
        result = work(context)
    for action in committed:
        action()
    return result
