"""What every candidate would earn on held-out rows, from acting on no row to acting on all, beside the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headrace.ml.contract import Target
from headrace.ml.metrics import Metric, Values, positive_probability
from headrace.ml.metrics.outcomes import Outcomes
from headrace.ml.process.business_goals.expected_value import figure
from headrace.ml.process.business_goals.goal import Goal
from headrace.ml.process.business_goals.threshold import best_place

if TYPE_CHECKING:
    from headrace.ml.process.training import Candidate, Training

THE_MODEL = "the model"
Acting = npt.NDArray[np.bool_]
_POINTS = 60
_MOST_CANDIDATES = 40
_MOST_CELLS = 4_000_000  # candidates times rows
_SEED = 0


def compare_profits(goal: Goal, training: Training, target: Target, metric: Metric) -> tuple[Mapping[str, Any], ...]:
    """Return [{name, algorithm, weight, threshold, share, value, gain, acted, found, worth}], the model first.

    Each acts from its own best threshold on; `value` is what that earns a decision (or its F1 without money) on the
    held-out rows, `gain` {value, low, high} how much more than the model, on the same resamples. `acted` and `found`
    are counts of rows at up to 60 thresholds, from none to all, and `worth` is what acting from there on earns. Of
    many candidates (or rows) those with the best scores are compared; the best comes first.
    """
    weights = {member.candidate: member.weight for member in training.members}
    model = positive_probability(training.held_out)
    steps = Outcomes.at_every(target, model)
    acting = _acting(model, float(steps.thresholds[best_place(goal, steps)]))
    rows = [_row(goal, THE_MODEL, "", None, target, model, acting)]
    for candidate in _compared(training, weights, metric, len(target)):
        assert candidate.held_out is not None
        scores = positive_probability(candidate.held_out)
        weight = weights.get(candidate.name)
        rows.append(_row(goal, candidate.name, candidate.algorithm, weight, target, scores, acting))
    return (rows[0], *sorted(rows[1:], key=lambda row: -row["value"]))


def _compared(training: Training, weights: Mapping[str, float], metric: Metric, rows: int) -> Sequence[Candidate]:
    """The members of the model, and the candidates with the best scores."""
    known = [c for c in training.candidates if c.held_out is not None and len(c.held_out) == len(training.held_out)]
    sign = -1.0 if metric.greater_is_better else 1.0
    ranked = sorted(known, key=lambda c: (c.name not in weights, np.inf if c.score is None else sign * c.score))
    return ranked[: max(len(weights) + 1, min(_MOST_CANDIDATES, _MOST_CELLS // max(rows, 1)))]


def _row(
    goal: Goal,
    name: str,
    algorithm: str,
    weight: float | None,
    target: Target,
    scores: Values,
    model: Acting,
) -> dict[str, Any]:
    steps = Outcomes.at_every(target, scores)
    place, worth = best_place(goal, steps), goal.worth(steps)
    threshold = float(steps.thresholds[place])
    even = np.linspace(0, len(worth) - 1, min(len(worth), _POINTS)).round().astype(np.int64)
    points = steps.only(np.union1d(even, [place]))
    return {
        "name": name,
        "algorithm": algorithm,
        "weight": weight,
        "threshold": threshold,
        "share": float(steps.acted[place] / steps.rows),
        "value": float(worth[place]),
        "gain": _paired(goal, target, _acting(scores, threshold), model),
        "acted": points.acted.astype(int).tolist(),
        "found": points.found.astype(int).tolist(),
        "worth": goal.worth(points).tolist(),
    }


def _acting(scores: Values, threshold: float) -> Acting:
    return np.asarray(scores.astype(np.float32) >= np.float32(threshold))


def _paired(goal: Goal, target: Target, ours: Acting, theirs: Acting) -> dict[str, float]:
    """How much more acting on `ours` is worth than acting on `theirs`, with its interval, on the same resamples.

    Rows fall into eight kinds, by class and by who acts on them, so that their numbers are drawn at once.
    """
    kinds = np.bincount(4 * (target == 1) + 2 * ours.astype(np.int64) + theirs, minlength=8).astype(np.float64)
    rows = float(kinds.sum())
    drawn = np.random.default_rng(_SEED).multinomial(int(rows), kinds / rows, size=1000).astype(np.float64)

    def worth(counts: Values, acting: list[int]) -> Values:
        found = counts[:, [4 + kind for kind in acting]].sum(axis=1, keepdims=True)
        acted = found + counts[:, acting].sum(axis=1, keepdims=True)
        return goal.worth(Outcomes(np.zeros(1), found, acted, counts[:, 4:].sum(axis=1, keepdims=True), rows))[:, 0]

    draws, plain = (worth(counts, [2, 3]) - worth(counts, [1, 3]) for counts in (drawn, kinds[None]))
    return figure(float(plain[0]), draws)
