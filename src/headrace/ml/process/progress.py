"""How a running process tells what it is doing, and how long it may still take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

_CALM = 1.5
"""What is planned ahead is not changed for a machine that is less busy than this: plans repeat on a calm one."""


@dataclass(frozen=True)
class Moment:
    """What a progress display shows: the step, what it is doing, the best score so far, seconds left."""

    step: str = ""
    doing: str = ""
    best: str = ""
    remaining: float | None = None
    fraction: float | None = None


class Pace:
    """How much slower the run is at the moment than on idle cores, by stretches of work that were measured.

    Only the newest stretches count, of `MEMORY` processor seconds together: other programs come and go.
    """

    MEMORY = 4.0
    SHORTEST = 0.01

    def __init__(self) -> None:
        self._stretches: deque[tuple[float, float]] = deque()

    def note(self, wall: float, processor: float) -> None:
        """Take in a stretch without waiting for anything but a core: its wall and its processor seconds."""
        if processor < self.SHORTEST:
            return
        self._stretches.append((max(wall, processor), processor))
        while len(self._stretches) > 1 and sum(seconds for _, seconds in self._stretches) > self.MEMORY:
            self._stretches.popleft()

    def slowdown(self) -> float:
        """Wall seconds that a processor second takes: 1 on idle cores, and where nothing was measured yet."""
        processor = sum(seconds for _, seconds in self._stretches)
        return sum(wall for wall, _ in self._stretches) / processor if processor else 1.0


@dataclass
class Progress:
    """The clock of a run and its listener.

    `started` is a `time.monotonic()` stamp; `budget` is in seconds, None where the number of trials decides. `closing`
    is what must still be done after training, in seconds of an idle core.
    """

    budget: float | None = 60.0
    started: float = field(default_factory=time.monotonic)
    listener: Callable[[Moment], None] = lambda _: None
    pace: Pace = field(default_factory=Pace)
    closing: float = 0.0
    _moment: Moment = field(default_factory=Moment)

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def remaining(self) -> float:
        """Seconds left of the budget; infinite without one."""
        return float("inf") if self.budget is None else self.budget - self.elapsed()

    def affordable(self) -> float | None:
        """The budget in seconds of idle cores: what plans are made for. On a calm machine that is the budget."""
        slowdown = self.pace.slowdown()
        return self.budget if self.budget is None or slowdown < _CALM else self.budget / slowdown

    def spares(self, seconds: float, share: float = 0.05) -> bool:
        """Whether work of so many seconds of an idle core takes a share of the time left at most.

        On a calm machine what belongs to a run is done, whatever the budget.
        """
        slowdown = self.pace.slowdown()
        return slowdown < _CALM or seconds * slowdown <= share * self.remaining()

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
