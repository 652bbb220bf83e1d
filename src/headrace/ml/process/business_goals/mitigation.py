"""Equal selection of sensitive groups, on request: odds shifted by group, and what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from headrace.ml.adapters.group_shift import GroupShift
from headrace.ml.contract import Predictions, Task
from headrace.ml.errors import ColumnError, OptionError
from headrace.ml.metrics import Metric, Values, default_metric, find_metric
from headrace.ml.process.business_goals.threshold import Threshold, choose_threshold
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.evaluation import Evaluation
from headrace.ml.process.evaluation.fairness import rates, ratio_interval
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.training import Training

MOST_GROUPS = 12
FEWEST_ROWS = 20
_ROUNDS = 4
_LARGEST_FACTOR = 400.0
_TINY = 1e-6


@dataclass(frozen=True)
class Mitigation:
    """The shift, the held-out predictions before it, and the threshold that would have been used without it."""

    shift: GroupShift
    training: Training
    threshold: Threshold
    before: Threshold


def mitigate(
    column: str,
    business: BusinessProblem,
    framing: ProblemFraming,
    training: Training,
    preparation: Preparation,
    before: Threshold | None,
) -> Mitigation:
    """Shift the odds of each group of `column` so that all are selected at the same rate, on held-out rows.

    The threshold is chosen anew on the shifted predictions, as the two depend on each other. Groups of fewer than 20
    held-out rows are left alone. Raises `OptionError` unless the task is binary, and `ColumnError` for a column that
    the model does not read or that has more than 12 groups. Source: Hardt, Price and Srebro 2016 (demographic parity
    by a threshold for each group; here the threshold is one and the odds move).
    """
    if before is None or framing.task is not Task.BINARY:
        raise OptionError(f"--mitigate works for two classes, and the task is {framing.task.value}; leave it out")
    if column not in [each.name for each in training.plan.columns]:
        raise ColumnError(
            f"the column to mitigate, '{column}', is not read by the model; name a column that is learnt from, or "
            "pass --keep for it"
        )
    rows = training.held_out_rows
    frame = preparation.frame[rows].select(column)
    groups = _groups(frame[column])
    threshold, shift, shifted = before, GroupShift(column, {}), training.held_out
    for _ in range(_ROUNDS):
        shift = GroupShift(column, _factors(frame[column], groups, training.held_out[:, 1], shifted, threshold.value))
        shifted = shift.apply(frame, training.held_out)
        threshold = choose_threshold(business, framing, replace(training, held_out=shifted), preparation) or threshold
    in_sample = shift.apply(preparation.frame[preparation.train], training.in_sample)
    return Mitigation(shift, replace(training, held_out=shifted, in_sample=in_sample), threshold, before)


def _groups(values: pl.Series) -> list[Any]:
    counts = values.drop_nulls().alias("group").value_counts().sort("group")
    if counts.height > MOST_GROUPS:
        raise ColumnError(
            f"the column to mitigate, '{values.name}', has {counts.height:,} different values; at most {MOST_GROUPS} "
            "groups can be treated alike, so put its values into groups first"
        )
    return [group for group, count in counts.iter_rows() if count >= FEWEST_ROWS]


def _factors(values: pl.Series, groups: list[Any], scores: Values, shifted: Values, bound: float) -> dict[Any, float]:
    """Return the factor that brings each group's selection rate at `bound` to that of all rows."""
    share = float((shifted[:, 1] >= bound).mean())
    odds = bound / max(1 - bound, _TINY)
    found: dict[Any, float] = {}
    for group in groups:
        own = np.clip(scores[(values == group).fill_null(False).to_numpy()], _TINY, 1 - _TINY)
        place = float(np.quantile(own, np.clip(1 - share, 0, 1)))
        found[group] = float(np.clip(odds * (1 - place) / place, 1 / _LARGEST_FACTOR, _LARGEST_FACTOR))
    return found


def weigh_mitigation(
    mitigation: Mitigation,
    business: BusinessProblem,
    framing: ProblemFraming,
    preparation: Preparation,
    evaluation: Evaluation,
) -> dict[str, Any]:
    """Compare the groups, the score and the money with and without the shift, on the test part.

    {column, factors: [{group, factor}], groups: [{group, rows, before, after: {rates}}], impact: {before, after:
    {value, low, high}}, metrics: [{name, before, after}], money: {before, after, currency} or {}}.
    """
    frame, target = preparation.frame[preparation.test], preparation.target[preparation.test]
    after = evaluation.test_predictions
    before = mitigation.shift.inverse().apply(frame, after)
    bounds = (mitigation.before.value, mitigation.threshold.value)
    answers = [(before, bounds[0]), (after, bounds[1])]
    metric = find_metric(framing.metric, framing.task)
    judged = list(
        {each.name: each for each in (metric, default_metric(framing.task), find_metric("f1", framing.task))}.values()
    )
    values = frame[mitigation.shift.column]
    groups = [
        {"group": str(group), "rows": int(inside.sum())}
        | {
            name: rates(target[inside], (answer[inside, 1] >= bound).astype(np.int64))
            for name, (answer, bound) in zip(("before", "after"), answers, strict=True)
        }
        for group in mitigation.shift.factors
        if (inside := (values == group).fill_null(False).to_numpy()).any()
    ]
    return {
        "column": mitigation.shift.column,
        "factors": [{"group": str(group), "factor": factor} for group, factor in mitigation.shift.factors.items()],
        "groups": groups,
        "impact": {name: _impact(groups, name) for name in ("before", "after")},
        "metrics": [_scores(each, target, answers) for each in judged],
        "money": _money(business, target, answers),
    }


def _scores(metric: Metric, target: Any, answers: list[tuple[Predictions, float]]) -> dict[str, Any]:
    scores = [metric.score(target, answer, bound) for answer, bound in answers]
    return {"name": metric.name, "before": scores[0], "after": scores[1]}


def _money(business: BusinessProblem, target: Any, answers: list[tuple[Predictions, float]]) -> dict[str, Any]:
    """Return what a decision earns without and with the shift; empty where the charter gives no money."""
    decisions = business.charter.decisions
    if decisions is None:
        return {}
    payoffs = np.array(
        [
            [decisions.true_negative.value, decisions.false_positive.value],
            [decisions.false_negative.value, decisions.true_positive.value],
        ]
    )
    before, after = (
        float(payoffs[target, (answer[:, 1] >= bound).astype(np.int64)].mean()) for answer, bound in answers
    )
    return {"before": before, "after": after, "currency": business.charter.currency}


def _impact(groups: list[Mapping[str, Any]] | list[dict[str, Any]], name: str) -> dict[str, float | None]:
    """Return the lowest selection rate over the highest, of groups of 20 test rows or more."""
    found = [group[name] for group in groups if group["rows"] >= FEWEST_ROWS]
    if len(found) < 2:
        return {"value": None, "low": None, "high": None}
    least, most = (pick(found, key=lambda each: each["selection_rate"]) for pick in (min, max))
    if not most["selection_rate"]:
        return {"value": None, "low": None, "high": None}
    ends = [(each["selection_rate_low"], each["selection_rate_high"]) for each in (least, most)]
    low, high = ratio_interval(least["selection_rate"], ends[0], most["selection_rate"], ends[1])
    return {"value": least["selection_rate"] / most["selection_rate"], "low": low, "high": high}
