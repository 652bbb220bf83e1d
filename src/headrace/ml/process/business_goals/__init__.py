"""Step 9, business goals: the threshold that earns the most, KPIs met or missed, go or no-go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from headrace.ml.contract import Task
from headrace.ml.metrics.money import CostMatrix
from headrace.ml.process.business_goals.findings import CONDITIONAL, GO, NO_GO
from headrace.ml.process.business_goals.threshold import Threshold, choose_threshold

if TYPE_CHECKING:  # a decision taken again imports this package, and nothing heavy
    from headrace.ml.contract import Predictions, Target
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
    `limits`: what KPIs and capacity cost on the test part, see `weigh_limits`. `profits`: what each candidate would
    earn on held-out rows, see `compare_profits`. `findings`: [{weight: against | condition | favour, about, sentence}],
    all that was weighed. `more_data`: {helps, slope, expected_gain, rows, reading}. `generalisation`: {held_out, test,
    holds, newest, reading}. `serving`: {latency_ms, cost_per_1000}.
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
    limits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    profits: tuple[Mapping[str, Any], ...] = ()
    findings: tuple[Mapping[str, str], ...] = ()


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
    from headrace.ml.metrics import find_metric
    from headrace.ml.process.business_goals.baseline import compare_with_baseline
    from headrace.ml.process.business_goals.class_costs import weigh_class_costs
    from headrace.ml.process.business_goals.decision import decide
    from headrace.ml.process.business_goals.expected_value import weigh_limits
    from headrace.ml.process.business_goals.goal import goal_of, unit_costs_of
    from headrace.ml.process.business_goals.kpis import cost_per_1000, hold_kpis, too_small
    from headrace.ml.process.business_goals.outlook import advise, generalisation, weigh_more_data
    from headrace.ml.process.business_goals.profits import compare_profits
    from headrace.ml.process.business_goals.shift import advise_shift

    metric, goal = find_metric(framing.metric, framing.task), goal_of(business.charter)
    target, predictions = preparation.target[preparation.test], evaluation.test_predictions
    known = preparation.target[training.held_out_rows]
    money = _money(business, framing, target, predictions, known, threshold, seed)
    small = too_small(framing.task, target)
    kpis = hold_kpis(business, evaluation, money, predict_microseconds=predict_microseconds, small=small)
    comparison = compare_with_baseline(framing, preparation, training, predictions, seed=seed)
    general = generalisation(preparation, evaluation, metric)
    learnt_from = {column.name for column in preparation.columns}
    leaks = [name for name in suspicious or {} if name in learnt_from]
    limits = {} if threshold is None else weigh_limits(goal, threshold, target, predictions[:, -1])
    findings = decide(
        business, training, comparison, money, kpis, general, small, leaks, capacity=limits.get("capacity"),
        test_rows=len(target),
    )  # fmt: skip
    if framing.task is Task.MULTICLASS and money:
        weigh_class_costs(findings, CostMatrix.of(business.charter.costs, framing.classes), money)
    costs = unit_costs_of(business.charter)
    shift: tuple[str, ...] = ()
    if framing.task is Task.REGRESSION and costs is not None:
        shift = advise_shift(costs, business.charter.currency, (known, training.held_out), (target, predictions))
    more_data = weigh_more_data(evaluation, metric, len(preparation.train) + len(preparation.validation))
    return BusinessGoals(
        threshold=threshold,
        currency=business.charter.currency,
        expected_value=money,
        kpis=tuple(kpis),
        decision=findings.decision,
        reasons=findings.reasons,
        conditions=findings.conditions,
        more_data=more_data,
        advice=(*shift, *advise(business, preparation, evaluation, more_data)),
        generalisation=general,
        serving={
            "latency_ms": predict_microseconds / 1000,
            "cost_per_1000": cost_per_1000(business.charter, predict_microseconds),
        },
        limits=limits,
        profits=() if threshold is None else compare_profits(goal, training, known, metric),
        findings=findings.facts,
    )


def _money(
    business: BusinessProblem,
    framing: ProblemFraming,
    target: Target,
    predictions: Predictions,
    known: Target,
    threshold: Threshold | None,
    seed: int,
) -> Mapping[str, Any]:
    """Return the money a decision on the test part; empty where the charter has none for this task."""
    from headrace.ml.process.business_goals.expected_value import money_of_decisions, money_of_errors
    from headrace.ml.process.business_goals.goal import goal_of, unit_costs_of

    charter, task = business.charter, framing.task
    if task is Task.MULTICLASS and charter.costs:
        from headrace.ml.process.business_goals.class_costs import money_of_classes

        matrix = CostMatrix.of(charter.costs, framing.classes)
        return money_of_classes(matrix, charter.currency, target, predictions)
    if task is Task.BINARY and threshold is not None:
        return money_of_decisions(goal_of(charter), target, predictions[:, -1], threshold.value)
    costs = unit_costs_of(charter)
    if task is Task.REGRESSION and costs is not None:
        return money_of_errors(costs, charter.currency, target, predictions, known, seed=seed)
    return {}
