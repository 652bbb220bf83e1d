"""Go, go with conditions, or no-go, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.ml.process.business_goals.findings import (
    AGAINST,
    CONDITION,
    FAVOUR,
    Findings,
    shown,
    weigh_capacity,
    weigh_kpis,
    weigh_money,
)
from headrace.ml.process.business_problem import DO_NOT_USE_ML, BusinessProblem
from headrace.ml.process.problem_framing.shortlist import INTERPRETABLE
from headrace.ml.process.training import Training

if TYPE_CHECKING:
    from headrace.ml.process.business_goals.baseline import Comparison

FEWEST_FOR_A_GO = 20
"""Test rows; with fewer, no interval means what it says (readiness asks for 100 labelled rows, a fifth of them)."""


def decide(
    business: BusinessProblem,
    training: Training,
    comparison: Comparison,
    money: Mapping[str, Any],
    kpis: Sequence[Mapping[str, Any]],
    generalisation: Mapping[str, Any],
    small: str,
    leaks: Sequence[str] = (),
    capacity: Mapping[str, Any] | None = None,
    test_rows: int | None = None,
) -> Findings:
    """Weigh everything: each KPI's interval must pass for a go, each value for a go with conditions.

    `small` says why the test part, of `test_rows`, is too small to trust intervals; of very few rows it is a no-go.
    """
    findings = Findings()
    _weigh_baseline(findings, comparison)
    weigh_money(findings, money)
    weigh_kpis(findings, kpis)
    weigh_capacity(findings, capacity or {})
    if small and test_rows is not None and test_rows < FEWEST_FOR_A_GO:
        findings.add(
            AGAINST,
            "test part",
            f"No confidence can rest on so few rows: {small}, and any figure may be chance; collect at least "
            f"{5 * FEWEST_FOR_A_GO} labelled rows.",
        )
    elif small:
        findings.add(
            CONDITION,
            "test part",
            f"Test on more rows before relying on it: {small}, and the intervals cannot be trusted.",
        )
    if generalisation and not generalisation["holds"]:
        findings.add(
            CONDITION,
            "generalisation",
            f"Find out why before relying on it: {_lower(generalisation['reading'])}",
        )
    if leaks:
        named = ", ".join(f"'{name}'" for name in leaks[:5]) + (f" and {len(leaks) - 5} more" if leaks[5:] else "")
        findings.add(
            CONDITION,
            "leaks",
            f"Make sure that the values of {named} are known before the target is: they may leak it.",
        )
    if business.verdict == DO_NOT_USE_ML:
        findings.add(
            CONDITION,
            "verdict",
            "Show first that machine learning is the right tool, as the charter speaks against it: "
            f"{_lower(business.reasons[0])}",
        )
    if business.charter.interpretability == "required" and (opaque := _opaque(training)):
        findings.add(
            AGAINST,
            "interpretability",
            f"The charter requires a model that people can read, and {', '.join(opaque)} cannot be read.",
        )
    return findings


def _weigh_baseline(findings: Findings, comparison: Comparison) -> None:
    title = comparison.metric.title
    figures = f"{title} is {shown(comparison.model)} against {shown(comparison.baseline)} for the baseline"
    if comparison.better:
        findings.add(
            FAVOUR,
            "baseline",
            f"The model is better than the baseline beyond chance: {figures} on the test part, better by "
            f"{shown(comparison.gain)} (95 % interval {shown(comparison.low)} to {shown(comparison.high)}).",
        )
    elif not comparison.low > 0:
        findings.add(
            AGAINST,
            "baseline",
            f"The model cannot be told from the baseline: {figures} on the test part, and the difference "
            f"(95 % interval {comparison.low:.3g} to {comparison.high:.3g}) may be chance.",
        )
    else:
        findings.add(
            AGAINST,
            "baseline",
            f"The model is not surely better than the baseline: {figures} on the test part, but on the held-out rows "
            f"that it was chosen by, the difference ({comparison.held_out_gain:.3g}, standard error "
            f"{comparison.held_out_error:.2g}) may be the luck of the search.",
        )


def _opaque(training: Training) -> list[str]:
    algorithms = {candidate.name: candidate.algorithm for candidate in training.candidates}
    members = {algorithms.get(member.candidate, member.candidate) for member in training.members}
    return sorted(name.replace("_", " ") for name in members - INTERPRETABLE)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
