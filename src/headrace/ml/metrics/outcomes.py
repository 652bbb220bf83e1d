"""What happens when acting from each threshold on: how many rows, how many of them rightly, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Target
from headrace.ml.metrics.metric import Values, divide
from headrace.ml.metrics.money import Payoffs

REPLICATES = 1000


@dataclass(frozen=True)
class Outcomes:
    """Counts at `thresholds`, which fall [thresholds]; a row is acted on where its probability is at least that.

    `found` (rightly acted on) and `acted` are [..., thresholds] and rise, `positives` is [..., 1]; what stands before
    the last dimension are resamples. Thresholds are numbers of single precision, as a compiled model compares.
    """

    thresholds: Values
    found: Values
    acted: Values
    positives: Values
    rows: float

    @classmethod
    def at_every(cls, target: Target, scores: Values) -> Outcomes:
        """Count at every threshold that makes a difference, from acting on no row to acting on all.

        `target` is 1 where acting is right; `scores` are probabilities [rows].
        """
        scores = np.asarray(scores, dtype=np.float32)
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
        steps = ranked[ends].astype(np.float64)
        above = np.r_[1.0, steps[:-1]]
        between = ((above + steps) / 2).astype(np.float32)
        middle = np.where(between > ranked[ends], between, above.astype(np.float32))
        if steps[0] >= 1:
            middle[0] = np.nextafter(np.float32(steps[0]), np.float32(np.inf))
        found = np.cumsum(np.asarray(target)[order] == 1)[ends].astype(np.float64)
        return cls(
            thresholds=np.r_[middle.astype(np.float64), 0.0],
            found=np.r_[0.0, found],
            acted=np.r_[0.0, ends + 1.0],
            positives=found[-1:],
            rows=float(len(scores)),
        )

    @classmethod
    def at(cls, target: Target, scores: Values, thresholds: Values) -> Outcomes:
        """Count at these thresholds, which fall."""
        single = np.asarray(scores, dtype=np.float32)
        positive = np.asarray(target) == 1
        bounds = np.asarray(thresholds, dtype=np.float32)
        everyone, hits = np.sort(single), np.sort(single[positive])
        return cls(
            thresholds=np.asarray(thresholds, dtype=np.float64),
            found=(len(hits) - np.searchsorted(hits, bounds)).astype(np.float64),
            acted=(len(single) - np.searchsorted(everyone, bounds)).astype(np.float64),
            positives=np.array([float(len(hits))]),
            rows=float(len(single)),
        )

    def only(self, places: npt.NDArray[np.int64]) -> Outcomes:
        """Return the outcomes at some of the thresholds."""
        return replace(
            self, thresholds=self.thresholds[places], found=self.found[..., places], acted=self.acted[..., places]
        )

    def resampled(self, *, seed: int, replicates: int = REPLICATES) -> Outcomes:
        """Draw bootstrap resamples of the rows: counts [replicates, thresholds], the same resamples for all thresholds.

        Only how many rows of each class lie between two thresholds matters, so that these numbers are drawn at once,
        whatever the number of rows. Source: Efron, Bootstrap Methods: Another Look at the Jackknife, 1979.
        """
        found = np.diff(self.found, prepend=0.0, append=self.positives)
        missed = np.diff(self.acted - self.found, prepend=0.0, append=self.rows - self.positives)
        shares = np.maximum(np.r_[found, missed], 0.0)
        drawn = np.random.default_rng(seed).multinomial(int(self.rows), shares / shares.sum(), size=replicates)
        hits, others = drawn[:, : len(found)].cumsum(axis=1), drawn[:, len(found) :].cumsum(axis=1)
        return replace(
            self,
            found=hits[:, :-1].astype(np.float64),
            acted=(hits + others)[:, :-1].astype(np.float64),
            positives=hits[:, -1:].astype(np.float64),
        )

    @property
    def counts(self) -> tuple[Values, Values, Values, Values]:
        """True positives, false positives, false negatives and true negatives, each [..., thresholds]."""
        false_positives = self.acted - self.found
        return (
            self.found,
            false_positives,
            self.positives - self.found,
            self.rows - self.positives - false_positives,
        )

    def money(self, payoffs: Payoffs) -> Values:
        """Return the money a decision [..., thresholds]."""
        hits, alarms, misses, rest = self.counts
        earned: Values = (
            hits * payoffs.true_positive
            + alarms * payoffs.false_positive
            + misses * payoffs.false_negative
            + rest * payoffs.true_negative
        ) / self.rows
        return earned

    def rate(self, name: str) -> Values:
        """Return a metric of `RATES` [..., thresholds], as `METRICS` would give it for the decided labels."""
        return RATES[name](*self.counts)


def _f1(hits: Values, alarms: Values, misses: Values, _: Values) -> Values:
    return divide(2 * hits, 2 * hits + alarms + misses, 0.0)


def _balanced_accuracy(hits: Values, alarms: Values, misses: Values, rest: Values) -> Values:
    positives, negatives = hits + misses, rest + alarms
    seen = (positives > 0).astype(np.float64) + (negatives > 0)
    return divide(divide(hits, positives, 0.0) + divide(rest, negatives, 0.0), seen)


def _mcc(hits: Values, alarms: Values, misses: Values, rest: Values) -> Values:
    spread = (hits + alarms) * (hits + misses) * (rest + alarms) * (rest + misses)
    return divide(hits * rest - alarms * misses, np.sqrt(np.maximum(spread, 0.0)), 0.0)


def _share(hits: Values, alarms: Values, misses: Values, rest: Values) -> Values:
    return divide(hits + alarms, hits + alarms + misses + rest, 0.0)


def _accuracy(hits: Values, alarms: Values, misses: Values, rest: Values) -> Values:
    return divide(hits + rest, hits + alarms + misses + rest, 0.0)


RATES: dict[str, Callable[[Values, Values, Values, Values], Values]] = {
    "share": _share,
    "precision": lambda hits, alarms, _misses, _rest: divide(hits, hits + alarms, 0.0),
    "recall": lambda hits, _alarms, misses, _rest: divide(hits, hits + misses),
    "f1": _f1,
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "mcc": _mcc,
}
"""What the threshold decides: name → metric of the counts of true and false positives, false and true negatives."""
