"""The seconds that evaluation may take, and what was left out to keep within them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

SECONDS_A_CELL = 1e-8
"""What a metric takes for one row of one resample, on an idle core."""
FEWEST_REPLICATES = 50


@dataclass
class Allowance:
    """A clock that parts of the evaluation ask before they start; `notes` says what was left out or shortened.

    `seconds_a_row` is how long the model took to predict one of many rows; estimates for an idle core are multiplied
    by `slowdown`.
    """

    seconds: float
    slowdown: float = 1.0
    seconds_a_row: float = 0.0
    started: float = field(default_factory=time.monotonic)
    notes: list[str] = field(default_factory=list)

    def left(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.seconds - (time.monotonic() - self.started))

    def replicates(self, rows: int, weight: float, *, most: int, share: float = 0.3) -> int:
        """Return how many resamples of `rows` rows a share of the time left pays, `most` at most and 50 at least.

        `weight` is what a row costs beside one of a simple metric.
        """
        affordable = share * self.left() / (max(rows, 1) * weight * SECONDS_A_CELL * self.slowdown)
        return int(min(most, max(FEWEST_REPLICATES, affordable)))

    def allows(self, part: str, seconds: float = 0.0) -> bool:
        """Whether more than `seconds` are left; where not, note that `part` was left out."""
        if self.left() > seconds:
            return True
        self.notes.append(f"{part} left out: the time for evaluation was up.")
        return False
