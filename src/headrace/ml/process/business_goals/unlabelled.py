"""Step 9 without a label: what was measured against the charter's bounds, and go or no-go."""

from __future__ import annotations

from typing import Any, cast

from headrace.ml.process.business_goals import BusinessGoals
from headrace.ml.process.business_goals.findings import CONDITION, Findings, weigh_kpis
from headrace.ml.process.business_goals.kpis import FEWEST_TEST_ROWS, cost_per_1000, hold_kpis
from headrace.ml.process.business_problem import DO_NOT_USE_ML, BusinessProblem


def weigh_findings(
    business: BusinessProblem,
    evaluation: Any,
    findings: Findings,
    *,
    tested: int,
    predict_microseconds: float,
    advice: tuple[str, ...] = (),
) -> BusinessGoals:
    """Hold the KPIs against their bounds and decide.

    `evaluation` has `metrics` and `intervals` of the test part, of `tested` rows; `findings` are what the task's own
    evidence says.
    """
    small = f"the test part has only {tested} rows" if tested < FEWEST_TEST_ROWS else ""
    kpis = hold_kpis(business, cast(Any, evaluation), {}, predict_microseconds=predict_microseconds, small=small)
    weigh_kpis(findings, kpis)
    if small:
        findings.add(CONDITION, "test part", f"Test on more rows before relying on it: {small}.")
    if business.verdict == DO_NOT_USE_ML:
        said = f"Show first that machine learning is the right tool: {business.reasons[0]}"
        findings.add(CONDITION, "verdict", said)
    return BusinessGoals(
        threshold=None,
        currency=business.charter.currency,
        expected_value={},
        kpis=tuple(kpis),
        decision=findings.decision,
        reasons=findings.reasons,
        conditions=findings.conditions,
        more_data={},
        advice=advice,
        findings=findings.facts,
        serving={
            "latency_ms": predict_microseconds / 1000,
            "cost_per_1000": cost_per_1000(business.charter, predict_microseconds),
        },
    )
