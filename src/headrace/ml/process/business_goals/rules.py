"""Step 9 of association rules: whether there are any, whether they hold, and whether recommending by them helps."""

from __future__ import annotations

from headrace.ml.process.business_goals import BusinessGoals
from headrace.ml.process.business_goals.findings import AGAINST, CONDITION, FAVOUR, Findings
from headrace.ml.process.business_goals.unlabelled import weigh_findings
from headrace.ml.process.business_problem import BusinessProblem
from headrace.ml.process.evaluation.rules import RuleEvaluation
from headrace.ml.process.training.rules import RuleMining

_MOSTLY = 0.8


def judge_rules(
    business: BusinessProblem,
    training: RuleMining,
    evaluation: RuleEvaluation,
    *,
    tested: int,
    predict_microseconds: float,
) -> BusinessGoals:
    """Weigh the rules: no-go where there are none, or where most do not hold on the test baskets."""
    findings = Findings()
    findings.add(FAVOUR if training.rules else AGAINST, "rules", training.reason)
    share = evaluation.metrics["test"].get("confirmed")
    if share is not None:
        number = sum(bool(rule["confirmed"]) for rule in evaluation.rules)
        said = f"{number:,} of {len(evaluation.rules):,} rules hold on baskets they were not found in ({share:.0%})"
        if share >= _MOSTLY:
            findings.add(FAVOUR, "confirmed", f"{said}.")
        elif number:
            findings.add(CONDITION, "confirmed", f"Use the confirmed rules only: {said}.")
        else:
            findings.add(AGAINST, "confirmed", f"{said}.")
    if evaluation.gain:
        gain, rate = evaluation.gain, evaluation.metrics["test"]["hit_rate"]
        figures = (
            f"of items hidden from a basket, {rate:.1%} are among the five recommended, {gain['value'] * 100:+.1f} "
            f"points against the most frequent items (95 % interval {gain['low'] * 100:+.1f} to "
            f"{gain['high'] * 100:+.1f})"
        )
        if gain["low"] > 0:
            findings.add(FAVOUR, "hit rate", f"Recommending by the rules helps: {figures}.")
        elif gain["high"] < 0:
            findings.add(CONDITION, "hit rate", f"Do not recommend by the rules, only read them: {figures}.")
        else:
            findings.add(CONDITION, "hit rate", f"Recommending by the rules is not surely of use: {figures}.")
    return weigh_findings(
        business, evaluation, findings, tested=tested, predict_microseconds=predict_microseconds,
        advice=("A rule says what goes together, not why: try it before prices or shelves are changed.",),
    )  # fmt: skip
