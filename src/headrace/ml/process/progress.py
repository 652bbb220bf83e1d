"""How a running process tells what it is doing, and how long it may still take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Moment:
    """What a progress display shows: the step, what it is doing, the best score so far, seconds left."""

    step: str = ""
    doing: str = ""
    best: str = ""
    remaining: float | None = None
    fraction: float | None = None


@dataclass
class Progress:
    """The clock of a run and its listener.

    `started` is a `time.monotonic()` stamp; `budget` is in seconds, None where the number of trials decides.
    """

    budget: float | None = 60.0
    started: float = field(default_factory=time.monotonic)
    listener: Callable[[Moment], None] = lambda _: None
    _moment: Moment = field(default_factory=Moment)

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def remaining(self) -> float:
        """Seconds left of the budget; infinite without one."""
        return float("inf") if self.budget is None else self.budget - self.elapsed()

    def tell(
        self, doing: str = "", *, step: str | None = None, best: str | None = None, fraction: float | None = None
    ) -> None:
        """Report what is being done now; `step` and `best` stay until they are told anew."""
        self._moment = replace(
            self._moment,
            doing=doing,
            step=self._moment.step if step is None else step,
            best=self._moment.best if best is None else best,
            remaining=None if self.budget is None else max(0.0, self.remaining()),
            fraction=fraction,
        )
        self.listener(self._moment)
