"""The probability from which on to act: the one that earns the most, or has the best F1."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from headrace.ml.contract import Target, Task
from headrace.ml.metrics import Values, positive_probability
from headrace.ml.process.business_problem import BusinessProblem, Decisions
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.training import Training

_MOST_POINTS = 200
_SMOOTHED_SHARE = 0.02


@dataclass(frozen=True)
class Threshold:
    """The decision threshold on the positive class's probability, chosen on held-out rows.

    `curve`: [{threshold, share, precision, recall, f1, expected_value}]; `share` of the rows is acted on, and
    `expected_value` is there with money only.
    """

    value: float
    chosen_by: str
    expected_value: float | None
    curve: tuple[Mapping[str, float], ...]


@dataclass(frozen=True)
class _Steps:
    """What happens at each possible threshold, from acting on no row to acting on all."""

    thresholds: Values
    true_positives: Values
    acted: Values
    positives: float
    rows: float

    @classmethod
    def of(cls, target: Target, scores: Values) -> _Steps:
        order = np.argsort(-scores, kind="stable")
        ranked = scores[order]
        ends = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
        found = np.cumsum(target[order] == 1)[ends].astype(np.float64)
        middle = (ranked[ends][:-1] + ranked[ends][1:]) / 2
        nobody = float(np.nextafter(np.float32(1.0), np.float32(2.0))) if ranked[0] >= 1 else (1 + float(ranked[0])) / 2
        return cls(
            thresholds=np.r_[nobody, middle, 0.0],
            true_positives=np.r_[0.0, found],
            acted=np.r_[0.0, ends + 1.0],
            positives=float((target == 1).sum()),
            rows=float(len(target)),
        )

    @property
    def f1(self) -> Values:
        return 2 * self.true_positives / np.maximum(self.acted + self.positives, 1.0)

    def money(self, decisions: Decisions) -> Values:
        """Return the money a decision at each threshold."""
        false_positives = self.acted - self.true_positives
        false_negatives = self.positives - self.true_positives
        true_negatives = self.rows - self.positives - false_positives
        total = (
            self.true_positives * decisions.true_positive.value
            + false_positives * decisions.false_positive.value
            + true_negatives * decisions.true_negative.value
            + false_negatives * decisions.false_negative.value
        )
        earned: Values = total / self.rows
        return earned

    def curve(self, money: Values | None, chosen: int) -> tuple[dict[str, float], ...]:
        """Return at most 200 points, evenly spread over the rows acted on, the chosen one among them."""
        even = np.linspace(0, len(self.acted) - 1, min(len(self.acted), _MOST_POINTS - 1)).round().astype(np.int64)
        return tuple(
            {
                "threshold": float(self.thresholds[i]),
                "share": float(self.acted[i] / self.rows),
                "precision": float(self.true_positives[i] / self.acted[i]) if self.acted[i] else 1.0,
                "recall": float(self.true_positives[i] / self.positives) if self.positives else 0.0,
                "f1": float(self.f1[i]),
            }
            | ({} if money is None else {"expected_value": float(money[i])})
            for i in np.union1d(even, [chosen])[::-1]
        )


def choose_threshold(
    business: BusinessProblem, framing: ProblemFraming, training: Training, preparation: Preparation
) -> Threshold | None:
    """Choose the threshold that earns the most by the charter's money, or the best F1 without; None unless binary.

    It is chosen on held-out rows, after smoothing over neighbouring thresholds (2 % of the rows), so that one lucky row
    does not decide.
    """
    if framing.task is not Task.BINARY:
        return None
    target = preparation.target[training.held_out_rows]
    steps = _Steps.of(target, positive_probability(training.held_out))
    money = None if business.charter.decisions is None else steps.money(business.charter.decisions)
    chosen = _best(steps.f1 if money is None else money)
    currency = business.charter.currency
    if money is None:
        chosen_by = f"best F1 on {len(target):,} held-out rows ({steps.f1[chosen]:.3f}), as the charter gives no money"
    else:
        chosen_by = f"most money on {len(target):,} held-out rows ({money[chosen]:.4g} {currency} a decision)"
    return Threshold(
        value=float(steps.thresholds[chosen]),
        chosen_by=chosen_by,
        expected_value=None if money is None else float(money[chosen]),
        curve=steps.curve(money, chosen),
    )


def _best(values: Values) -> int:
    """Return the position of the highest smoothed value; the ends, acting on all or none, stand for themselves."""
    width = max(1, int(len(values) * _SMOOTHED_SHARE)) // 2
    if width == 0:
        return int(values.argmax())
    total = np.r_[0.0, np.cumsum(values)]
    places = np.arange(len(values))
    reach = np.minimum(width, np.minimum(places, len(values) - 1 - places))
    smooth = (total[places + reach + 1] - total[places - reach]) / (2 * reach + 1)
    return int(smooth.argmax())
