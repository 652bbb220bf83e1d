"""What a decision earns on the test part, beside the simple policies that need no model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.ml.contract import Predictions, Target, Task
from headrace.ml.metrics import Values, bootstrap, interval, weighted_mean
from headrace.ml.process.business_problem import BusinessProblem, Charter
from headrace.ml.process.business_problem.money import decision_values, error_values, row_values


def weigh_money(
    business: BusinessProblem,
    task: Task,
    target: Target,
    predictions: Predictions,
    known: Target,
    threshold: float,
    *,
    seed: int,
) -> Mapping[str, Any]:
    """Return {value, low, high, rows, policies, best_policy, gain}: money a decision, with 95 % bootstrap intervals.

    `policies`: [{name, value, low, high}] of acting on all, on none, or always answering the mean (or median) of
    `known`, the targets that were learnt from. `gain`: {value, low, high} over the best of them. Empty where the
    charter has no money for this task.
    """
    charter = business.charter
    model = row_values(charter, task, target, predictions, threshold)
    if model is None:
        return {}
    policies = simple_policies(charter, task, target, known)
    best = max(policies, key=lambda name: policies[name].mean())
    values = {**policies, "": model}
    found = bootstrap(
        lambda rows: {name: weighted_mean(money[rows]) for name, money in values.items()}, len(target), seed=seed
    )
    return {
        **_figure(model, found[""]),
        "currency": charter.currency,
        "rows": len(target),
        "policies": [{"name": name} | _figure(values, found[name]) for name, values in policies.items()],
        "best_policy": best,
        "gain": _figure(model - policies[best], found[""] - found[best]),
    }


def simple_policies(charter: Charter, task: Task, target: Target, known: Target) -> dict[str, Values]:
    """Return the money of each row [rows] under each policy that needs no model."""
    rows = len(target)
    if task is Task.BINARY and charter.decisions is not None:
        return {
            "act on all": decision_values(charter.decisions, target, np.ones(rows, dtype=np.int64)),
            "act on none": decision_values(charter.decisions, target, np.zeros(rows, dtype=np.int64)),
        }
    if task is Task.REGRESSION and charter.error_cost is not None:
        answers = {"always the mean": np.mean(known), "always the median": np.median(known)}
        return {
            name: error_values(charter.error_cost, target, np.full(rows, float(answer)))
            for name, answer in answers.items()
        }
    return {}


def _figure(values: Values, replicates: Values) -> dict[str, float]:
    low, high = interval(replicates)
    return {"value": float(values.mean()), "low": low, "high": high}
