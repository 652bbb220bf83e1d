"""The model by the charter's money: a candidate takes the ensemble's place where it surely earns more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from headrace.ml.contract import Target, Task
from headrace.ml.metrics import Metric, Values, positive_probability
from headrace.ml.metrics.money import Payoffs
from headrace.ml.metrics.outcomes import Outcomes
from headrace.ml.process.training.ensemble import LATENCY_LIMIT_MS, admissible, mix, rank_trials
from headrace.ml.process.training.trial import Trial

if TYPE_CHECKING:
    from headrace.ml.process.business_problem import Charter

SURE = 3.3
"""Standard errors by which a candidate must earn more: among dozens of them, 2 come about by chance."""
_MOST_CELLS = 20_000_000  # candidates times rows


def choose_by_money(
    charter: Charter, task: Task, tried: Sequence[Trial], weights: Mapping[str, float], target: Target, metric: Metric
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the members' weights, those given or one better candidate's, and what was found, a sentence.

    Each is judged on held-out rows at the threshold where it earns the most within the charter's capacity, and
    compared row by row. Nothing changes without the money of yes/no decisions.
    """
    given = dict(weights)
    if task is not Task.BINARY or charter.decisions is None:
        return given, ()
    decisions = charter.decisions
    payoffs = Payoffs(
        decisions.true_positive.value,
        decisions.false_positive.value,
        decisions.false_negative.value,
        decisions.true_negative.value,
    )
    ranked = admissible(rank_trials(tried, metric), charter.latency_limit_ms or LATENCY_LIMIT_MS)
    others = [t for t in ranked if t.held_out is not None and not (len(given) == 1 and t.name in given)]
    others = others[: max(1, _MOST_CELLS // max(len(target), 1))]
    known = {t.name: t.held_out for t in tried if t.name in given and t.held_out is not None}
    if not others or len(known) < len(given):
        return given, ()
    share = _share(charter)
    ours = _earned(payoffs, target, positive_probability(mix(known, given)), share)
    found = []
    for trial in others:
        assert trial.held_out is not None
        more = _earned(payoffs, target, positive_probability(trial.held_out), share) - ours
        found.append((float(more.mean()), float(more.std() / np.sqrt(len(more))), trial.name))
    gain, error, name = max(found)
    figures = f"{gain:+.4g} {charter.currency} a decision (standard error {error:.2g}) on held-out rows"
    if gain > SURE * error:
        said = (
            f"{name} alone is the model: by the charter's money it surely earns more than the choice by {metric.title}"
        )
        return {name: 1.0}, (f"{said}, {figures}",)
    said = "the charter's money does not speak for another model: the best of"
    return given, (f"{said} {len(found)} candidates, {name}, earns {figures} beside the model",)


def _share(charter: Charter) -> float:
    from headrace.ml.process.capacity import parse_capacity

    return 1.0 if charter.capacity is None else parse_capacity(charter.capacity, charter.rate).share


def _earned(payoffs: Payoffs, target: Target, scores: Values, share: float) -> Values:
    """Return the money of each row [rows], acting from the threshold on that earns the most within the share."""
    steps = Outcomes.at_every(target, scores)
    worth = np.where(steps.acted <= share * steps.rows, steps.money(payoffs), -np.inf)
    acted = scores.astype(np.float32) >= np.float32(steps.thresholds[int(worth.argmax())])
    table = np.array([[payoffs.true_negative, payoffs.false_positive], [payoffs.false_negative, payoffs.true_positive]])
    values: Values = table[(target == 1).astype(np.int64), acted.astype(np.int64)]
    return values
