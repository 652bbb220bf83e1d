"""Step 9, business goals: the threshold that earns the most, KPIs met or missed, go or no-go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.ml.metrics import find_metric
from headrace.ml.process.business_goals.baseline import compare_with_baseline
from headrace.ml.process.business_goals.decision import CONDITIONAL, GO, NO_GO, decide
from headrace.ml.process.business_goals.expected_value import weigh_money
from headrace.ml.process.business_goals.kpis import cost_per_1000, hold_kpis, too_small
from headrace.ml.process.business_goals.outlook import advise, generalisation, weigh_more_data
from headrace.ml.process.business_goals.threshold import Threshold, choose_threshold
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.evaluation import Evaluation
from headrace.ml.process.preparation import Preparation
from headrace.ml.process.problem_framing import ProblemFraming
from headrace.ml.process.training import Training

__all__ = [
    "CONDITIONAL",
    "GO",
    "NO_GO",
    "BusinessGoals",
    "Threshold",
    "choose_threshold",
    "evaluate_business_goals",
]


@dataclass(frozen=True)
class BusinessGoals:
    """Step 9's record: `decision` is go, go-with-conditions or no-go.

    `kpis`: [{name, metric, bound, minimum, maximum, value, low, high, status: met | uncertain | missed}], the charter's
    limits of latency and cost among them. `expected_value`: {value, low, high, currency, rows, policies: [{name, value,
    low, high}], best_policy, gain: {value, low, high}}, money a decision on the test part; empty without money.
    `more_data`: {helps, slope, expected_gain, rows, reading}. `generalisation`: {held_out, test, holds, newest,
    reading}. `serving`: {latency_ms, cost_per_1000}.
    """

    threshold: Threshold | None
    currency: str
    expected_value: Mapping[str, Any]
    kpis: tuple[Mapping[str, Any], ...]
    decision: str
    reasons: tuple[str, ...]
    conditions: tuple[str, ...]
    more_data: Mapping[str, Any]
    advice: tuple[str, ...]
    generalisation: Mapping[str, Any] = field(default_factory=dict)
    serving: Mapping[str, float] = field(default_factory=dict)


def evaluate_business_goals(
    business: BusinessProblem,
    framing: ProblemFraming,
    preparation: Preparation,
    training: Training,
    evaluation: Evaluation,
    threshold: Threshold | None,
    *,
    predict_microseconds: float,
    seed: int,
    suspicious: Mapping[str, str] | None = None,
) -> BusinessGoals:
    """Confirm the threshold on the test part, hold the KPIs' intervals against their bounds, and decide.

    `suspicious` maps a column that may leak the target to the evidence; one that is learnt from is a condition.
    """
    metric = find_metric(framing.metric, framing.task)
    target, predictions = preparation.target[preparation.test], evaluation.test_predictions
    money = weigh_money(
        business, framing.task, target, predictions, preparation.target[training.held_out_rows],
        0.5 if threshold is None else threshold.value, seed=seed,
    )  # fmt: skip
    small = too_small(framing.task, target)
    kpis = hold_kpis(business, evaluation, money, predict_microseconds=predict_microseconds, small=small)
    comparison = compare_with_baseline(framing, preparation, training, predictions, seed=seed)
    general = generalisation(preparation, evaluation, metric)
    learnt_from = {column.name for column in preparation.columns}
    leaks = [name for name in suspicious or {} if name in learnt_from]
    findings = decide(business, training, comparison, money, kpis, general, small, leaks)
    more_data = weigh_more_data(evaluation, metric, len(preparation.train) + len(preparation.validation))
    return BusinessGoals(
        threshold=threshold,
        currency=business.charter.currency,
        expected_value=money,
        kpis=tuple(kpis),
        decision=findings.decision,
        reasons=findings.reasons,
        conditions=tuple(findings.conditions),
        more_data=more_data,
        advice=tuple(advise(business, preparation, evaluation, metric, more_data)),
        generalisation=general,
        serving={
            "latency_ms": predict_microseconds / 1000,
            "cost_per_1000": cost_per_1000(business.charter, predict_microseconds),
        },
    )
