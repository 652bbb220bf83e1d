"""What a decision earns on the test part, beside the simple policies that need no model, and what limits cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.ml.contract import Predictions, Target
from headrace.ml.metrics import Values, bootstrap, interval, weighted_mean
from headrace.ml.metrics.money import UnitCosts
from headrace.ml.metrics.outcomes import Outcomes
from headrace.ml.process.business_goals.goal import Goal
from headrace.ml.process.business_goals.threshold import Threshold

_SEED = 0
_NOBODY, _EVERYBODY = 2.0, 0.0


def money_of_decisions(goal: Goal, target: Target, scores: Values, threshold: float) -> Mapping[str, Any]:
    """Return {value, low, high, currency, rows, policies, best_policy, gain}: money a decision, with 95 % intervals.

    `target` is 1 where acting is right, `scores` are probabilities [rows]. `policies`: [{name, value, low, high}] of
    acting on all (or on as many at random as there is capacity for) and on none. `gain`: {value, low, high} over the
    best of them. Empty without money.
    """
    if goal.payoffs is None:
        return {}
    outcomes = Outcomes.at(target, scores, np.array([_NOBODY, threshold, _EVERYBODY]))
    values, drawn = outcomes.money(goal.payoffs), outcomes.resampled(seed=_SEED).money(goal.payoffs)
    share = 1.0 if goal.capacity is None else goal.capacity.share
    most = "act on all" if share == 1 else f"act on {100 * share:.3g} % at random"
    mixed = share * drawn[:, 2] + (1 - share) * drawn[:, 0]
    policies = {
        most: (float(share * values[2] + (1 - share) * values[0]), mixed),
        "act on none": (values[0], drawn[:, 0]),
    }
    return beside(goal.currency, len(target), (values[1], drawn[:, 1]), policies)


def money_of_errors(
    costs: UnitCosts, currency: str, target: Target, predictions: Predictions, known: Target, *, seed: int
) -> Mapping[str, Any]:
    """Return what `money_of_decisions` does, for predicted numbers.

    The policies are always answering the mean, or the median, of `known`, the targets that were learnt from.
    """
    answers = {"always the mean": np.mean(known), "always the median": np.median(known)}
    values = {name: costs.earned(target, np.full(len(target), float(answer))) for name, answer in answers.items()}
    values[""] = costs.earned(target, predictions)
    drawn = bootstrap(
        lambda rows: {name: weighted_mean(money[rows]) for name, money in values.items()}, len(target), seed=seed
    )
    found = {name: (float(values[name].mean()), drawn[name]) for name in values}
    model = found.pop("")
    return beside(currency, len(target), model, found)


Estimate = tuple[float, Values]
"""A value and its bootstrap values."""


def beside(currency: str, rows: int, model: Estimate, policies: Mapping[str, Estimate]) -> Mapping[str, Any]:
    """Return {value, low, high, currency, rows, policies, best_policy, gain} of a model and its alternatives."""
    best = max(policies, key=lambda name: policies[name][0])
    return {
        **figure(*model),
        "currency": currency,
        "rows": rows,
        "policies": [{"name": name} | figure(*estimate) for name, estimate in policies.items()],
        "best_policy": best,
        "gain": figure(model[0] - policies[best][0], model[1] - policies[best][1]),
    }


def figure(value: float, replicates: Values) -> dict[str, float]:
    """Return {value, low, high}: a value and the 95 % interval of its bootstrap values."""
    low, high = interval(replicates)
    return {"value": float(value), "low": low, "high": high}


def weigh_limits(goal: Goal, threshold: Threshold, target: Target, scores: Values) -> Mapping[str, Mapping[str, Any]]:
    """Return what each limit of the choice costs on the test part: name → {threshold, share, cost, unit}.

    `cost`: {value, low, high} is what the threshold without that limit would earn more (or have more F1). The capacity
    has `text`, `allowed` (the share of rows) and `share` {value, low, high} acted on, too.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, other in threshold.alternatives.items():
        pair = np.sort(np.array([threshold.value, other]))[::-1]
        ours = int(np.argmax(pair == threshold.value))
        outcomes = Outcomes.at(target, scores, pair)
        drawn = outcomes.resampled(seed=_SEED)
        worth, draws = goal.worth(outcomes), goal.worth(drawn)
        unit = "F1" if goal.payoffs is None else f"{goal.currency} a decision"
        cost = figure(worth[1 - ours] - worth[ours], draws[:, 1 - ours] - draws[:, ours])
        share = outcomes.rate("share")
        found[name] = {"threshold": other, "cost": cost | {"unit": unit}}
        if name == "capacity" and goal.capacity is not None:
            acted = figure(share[ours], drawn.rate("share")[:, ours])
            found[name] |= {"text": goal.capacity.text, "allowed": goal.capacity.share, "share": acted}
    return found
