"""Which classes cannot be ruled out: conformal prediction sets from held-out probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headrace.ml.contract import CLASSIFICATION, Predictions, Target
from headrace.ml.prediction.sets import CUMULATIVE, LEAST_AMBIGUOUS, REGULARISED, SetRule
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.training import Training
from headrace.ml.process.training.intervals import NONE, conformal_quantile, too_few

FEWEST_ROWS = 50
PENALTIES = ((0.01, 1), (0.1, 1), (0.1, 2), (0.5, 2))
"""Penalties and free classes that are tried with more than two classes."""


@dataclass(frozen=True)
class PredictionSets:
    """The rule that goes into the manifest, with its evidence; `rule` is None where the rows are too few.

    `coverage` is the share of rows whose true class the set is meant to hold. `methods`: [{name, size, single}], the
    mean number of classes in a set on `rows` held-out rows, and the share of sets with one class.
    """

    method: str
    reason: str
    coverage: float
    rows: int
    rule: SetRule | None = None
    methods: tuple[Mapping[str, Any], ...] = ()


def fit_sets(training: Training, preparation: Preparation, *, coverage: float) -> Training:
    """Return the record with the rule whose sets are smallest on held-out rows; other tasks come back as they are.

    `training.held_out` are calibrated by then, each row by a curve that did not see it.
    """
    if preparation.task not in CLASSIFICATION:
        return training
    target = preparation.target[training.held_out_rows]
    return replace(training, conformal=choose_sets(target, training.held_out, coverage))


def choose_sets(target: Target, probabilities: Predictions, coverage: float) -> PredictionSets:
    """Compare the rules on held-out rows [rows, classes]."""
    if short := too_few(len(target), coverage, FEWEST_ROWS):
        return PredictionSets(NONE, short, coverage, len(target))
    tried = [SetRule(LEAST_AMBIGUOUS, 0.0), SetRule(CUMULATIVE, 0.0)]
    if probabilities.shape[1] > 2:
        tried += [
            SetRule(REGULARISED, 0.0, penalty, free) for penalty, free in PENALTIES if free < probabilities.shape[1]
        ]
    rules = [_bounded(rule, target, probabilities, coverage) for rule in tried]
    sizes = [rule.members(probabilities).sum(axis=1) for rule in rules]
    best = min(range(len(rules)), key=lambda place: (sizes[place].mean(), place))
    methods: dict[str, dict[str, Any]] = {}
    for rule, size in zip(rules, sizes, strict=True):
        figures = {"name": rule.method, "size": float(size.mean()), "single": float((size == 1).mean())}
        if rule.method not in methods or figures["size"] < methods[rule.method]["size"]:
            methods[rule.method] = figures
    chosen = methods[rules[best].method]
    reason = (
        f"{rules[best].method.replace('_', ' ')}: the smallest sets at a coverage of {coverage:g} on {len(target):,} "
        f"held-out rows, {chosen['size']:.2f} classes on average, one alone in {100 * chosen['single']:.0f} % of rows"
    )
    return PredictionSets(rules[best].method, reason, coverage, len(target), rules[best], tuple(methods.values()))


def _bounded(rule: SetRule, target: Target, probabilities: Predictions, coverage: float) -> SetRule:
    """Set the bound; a little slack keeps the rows that lie on it inside when float32 rounds them."""
    scores = rule.scores(np.asarray(probabilities, np.float64))[np.arange(len(target)), target]
    return replace(rule, bound=conformal_quantile(scores, coverage) + 1e-6)
