"""Trying one thing after another, in the order of their worth, until the time is up."""

from __future__ import annotations

from dataclasses import dataclass, field

from headrace.ml.process.progress import Progress


@dataclass
class Turns:
    """Tells before each turn whether there is time for another as long as the longest so far.

    All turns together may take `share` of the time that is left when the first is asked for, and the first `fewest` are
    taken whatever the time. Without a budget there is always another.
    """

    progress: Progress
    share: float
    fewest: int = 1
    taken: int = 0
    _stop: float = field(default=0.0, init=False)
    _began: float = field(default=0.0, init=False)
    _longest: float = field(default=0.0, init=False)

    def another(self) -> bool:
        """Whether to take another turn; asking ends the turn before."""
        now = self.progress.elapsed()
        if self.taken:
            self._longest = max(self._longest, now - self._began)
        else:
            self._stop = (1 - self.share) * max(0.0, self.progress.remaining())
        if self.taken >= self.fewest and self.progress.remaining() - self._longest < self._stop:
            return False
        self._began = now
        self.taken += 1
        return True
