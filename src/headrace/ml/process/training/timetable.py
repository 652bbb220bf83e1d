"""When the search must end: what refitting, diagnosis and the steps after training still need is set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headrace.ml.process.progress import Progress
from headrace.ml.process.training.trial import FITTED, Trial

LIKELY_MEMBERS = 5
GRACE = 2.0
"""Seconds beyond its time that training may wait for its first model: a budget may be overrun by three."""
SHARE_OF_REST = 0.4
MARGIN = 1.2
"""What comes after training is estimated; so much more is set aside for it."""


@dataclass(frozen=True)
class Timetable:
    """Seconds left for each part of training; all infinite without a budget."""

    progress: Progress
    cores: int

    def left(self) -> float:
        """Seconds until training must be over: evaluation, compilation and the report need the rest.

        That is a share of the budget, or more where the least of it takes longer at the speed of the moment.
        """
        budget = self.progress.budget
        if budget is None:
            return float("inf")
        least = MARGIN * self.progress.closing * self.progress.pace.slowdown()
        return self.progress.remaining() - max(4.0, 0.08 * budget, least)

    def left_for_first_model(self) -> float:
        """Seconds that may still be waited for any model at all, beyond what is planned."""
        return self.left() + GRACE

    def left_for_diagnosis(self) -> float:
        """Seconds until diagnosis, which comes after the final fits, must be over."""
        return self.left()

    def diagnosis(self) -> float:
        """Seconds set aside for the learning curve and for bias and variance."""
        budget = self.progress.budget
        if budget is None:
            return float("inf")
        return min(0.06 * budget, 30.0) if budget >= 45 else 0.0

    def left_for_search(
        self, trials: Sequence[Trial], higher_is_better: bool, growth: float, largest: float = 0.0
    ) -> float:
        """Seconds until the search must end, so that the likely members can still be refitted.

        `growth` is rows of the refit by rows of a fold; `largest` that with all rows of a table too large for the
        memory, for which a share of the budget is set aside at most.
        """
        if self.progress.budget is None:
            return float("inf")
        refit = self.refit_estimate(trials, higher_is_better, growth)
        if largest > growth:
            most = SHARE_OF_REST * self.progress.budget
            refit = max(refit, min(most, self.refit_estimate(trials, higher_is_better, largest)))
        return self.left() - self.diagnosis() - refit

    def refit_estimate(self, trials: Sequence[Trial], higher_is_better: bool, growth: float) -> float:
        """Seconds that refitting the best few trials in parallel takes; without early stopping it is rather quicker."""
        fitted = [trial for trial in trials if trial.status == FITTED and trial.score is not None]
        ranked = sorted(fitted, key=lambda trial: (trial.score or 0.0) * (-1 if higher_is_better else 1))
        seconds: list[float] = [
            sum(result["seconds"] for result in trial.results.values()) / len(trial.results) * growth
            for trial in ranked[:LIKELY_MEMBERS]
        ]
        if not seconds:
            return 1.0
        return 1.0 + max(*seconds, sum(seconds) / self.cores)
