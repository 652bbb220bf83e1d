"""The seconds that evaluation may take, and what was left out to keep within them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Allowance:
    """A clock that parts of the evaluation ask before they start; `notes` says what was left out or shortened.

    `seconds_a_row` is how long the model took to predict one of many rows.
    """

    seconds: float
    seconds_a_row: float = 0.0
    started: float = field(default_factory=time.monotonic)
    notes: list[str] = field(default_factory=list)

    def left(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.seconds - (time.monotonic() - self.started))

    def allows(self, part: str, seconds: float = 0.0) -> bool:
        """Whether more than `seconds` are left; where not, note that `part` was left out."""
        if self.left() > seconds:
            return True
        self.notes.append(f"{part} left out: the time for evaluation was up.")
        return False
