"""Go, go with conditions, or no-go, with the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.ml.process.business_goals.baseline import Comparison
from headrace.ml.process.business_goals.kpis import MISSED, UNCERTAIN
from headrace.ml.process.business_problem import DO_NOT_USE_ML, BusinessProblem
from headrace.ml.process.problem_framing.shortlist import INTERPRETABLE
from headrace.ml.process.training import Training

GO, CONDITIONAL, NO_GO = "go", "go-with-conditions", "no-go"


@dataclass
class Findings:
    """What speaks for the model, what must be heeded, and what forbids its use; a sentence each."""

    favour: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    against: list[str] = field(default_factory=list)

    @property
    def decision(self) -> str:
        """No-go where anything forbids it, go where nothing must be heeded."""
        return NO_GO if self.against else CONDITIONAL if self.conditions else GO

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons of the decision, the decisive ones first."""
        return (*self.against, *self.conditions, *self.favour)


def decide(
    business: BusinessProblem,
    training: Training,
    comparison: Comparison,
    money: Mapping[str, Any],
    kpis: Sequence[Mapping[str, Any]],
    generalisation: Mapping[str, Any],
    small: str,
    leaks: Sequence[str] = (),
) -> Findings:
    """Weigh everything: each KPI's interval must pass for a go, each value for a go with conditions."""
    findings = Findings()
    _weigh_baseline(findings, comparison)
    _weigh_money(findings, money)
    for kpi in kpis:
        _weigh_kpi(findings, kpi)
    if small:
        findings.conditions.append(
            f"Test on more rows before relying on it: {small}, and the intervals cannot be trusted."
        )
    if generalisation and not generalisation["holds"]:
        findings.conditions.append(f"Find out why before relying on it: {_lower(generalisation['reading'])}")
    if leaks:
        named = ", ".join(f"'{name}'" for name in leaks[:5]) + (f" and {len(leaks) - 5} more" if leaks[5:] else "")
        findings.conditions.append(
            f"Make sure that the values of {named} are known before the target is: they may leak it."
        )
    if business.verdict == DO_NOT_USE_ML:
        findings.conditions.append(
            "Show first that machine learning is the right tool, as the charter speaks against it: "
            f"{_lower(business.reasons[0])}"
        )
    if business.charter.interpretability == "required" and (opaque := _opaque(training)):
        findings.against.append(
            f"The charter requires a model that people can read, and {', '.join(opaque)} cannot be read."
        )
    return findings


def _weigh_baseline(findings: Findings, comparison: Comparison) -> None:
    title = comparison.metric.title
    figures = f"{title} is {_shown(comparison.model)} against {_shown(comparison.baseline)} for the baseline"
    if comparison.better:
        findings.favour.append(f"The model is better than the baseline beyond chance: {figures} on the test part.")
    elif comparison.low <= 0:
        findings.against.append(
            f"The model cannot be told from the baseline: {figures} on the test part, and the difference "
            f"(95 % interval {comparison.low:.3g} to {comparison.high:.3g}) may be chance."
        )
    else:
        findings.against.append(
            f"The model is not surely better than the baseline: {figures} on the test part, but on the held-out rows "
            f"that it was chosen by, the difference ({comparison.held_out_gain:.3g}, standard error "
            f"{comparison.held_out_error:.2g}) may be the luck of the search."
        )


def _weigh_money(findings: Findings, money: Mapping[str, Any]) -> None:
    if not money:
        return
    gain, policy, currency = money["gain"], money["best_policy"], money["currency"]
    earned = (
        f"A decision is worth {_shown(money['value'])} {currency} (95 % interval {_shown(money['low'])} to "
        f"{_shown(money['high'])})"
    )
    if gain["value"] <= 0:
        findings.against.append(f"{earned}, no more than '{policy}' without a model.")
    elif gain["low"] <= 0:
        findings.conditions.append(
            f"{earned}, {_shown(gain['value'])} more than '{policy}', which may be chance: confirm it on more rows."
        )
    else:
        findings.favour.append(
            f"{earned}, {_shown(gain['value'])} {currency} more than the best policy without a model ('{policy}')."
        )


def _weigh_kpi(findings: Findings, kpi: Mapping[str, Any]) -> None:
    bounds = [f"at least {kpi['minimum']:g}"] if kpi["minimum"] is not None else []
    bounds += [f"at most {kpi['maximum']:g}"] if kpi["maximum"] is not None else []
    asked = f"{' and '.join(bounds)} is asked for"
    if kpi["value"] is None:
        findings.against.append(f"KPI '{kpi['name']}' could not be measured on the test part; {asked}.")
        return
    spread = "" if kpi["low"] is None else f" (95 % interval {_shown(kpi['low'])} to {_shown(kpi['high'])})"
    measured = f"KPI '{kpi['name']}': {_shown(kpi['value'])}{spread}, {asked}"
    if kpi["status"] == MISSED:
        findings.against.append(f"{measured}, and is missed.")
    elif kpi["status"] == UNCERTAIN:
        findings.conditions.append(f"{measured}, and passes but not with certainty: confirm it on more rows.")
    else:
        findings.favour.append(f"{measured}, and is met.")


def _opaque(training: Training) -> list[str]:
    algorithms = {candidate.name: candidate.algorithm for candidate in training.candidates}
    members = {algorithms.get(member.candidate, member.candidate) for member in training.members}
    return sorted(name.replace("_", " ") for name in members - INTERPRETABLE)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
