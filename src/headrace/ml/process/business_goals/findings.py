"""What speaks for a model, what must be heeded, and what forbids its use; and what money and KPIs say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

MET, UNCERTAIN, MISSED = "met", "uncertain", "missed"
GO, CONDITIONAL, NO_GO = "go", "go-with-conditions", "no-go"
AGAINST, CONDITION, FAVOUR = "against", "condition", "favour"
MONEY, KPI, CAPACITY = "money", "kpi", "capacity"
RECONSIDERED = frozenset({MONEY, KPI, CAPACITY})
"""What findings may be about that change with costs, threshold and capacity; all others stay."""


@dataclass(frozen=True)
class Finding:
    """A sentence, what it is about, and its weight: against, condition or favour."""

    weight: str
    about: str
    sentence: str


@dataclass
class Findings:
    """Findings in the order in which they were made."""

    all: list[Finding] = field(default_factory=list)

    def add(self, weight: str, about: str, sentence: str) -> None:
        """Take in a finding."""
        self.all.append(Finding(weight, about, sentence))

    def sentences(self, weight: str) -> tuple[str, ...]:
        """Return what was found with that weight."""
        return tuple(finding.sentence for finding in self.all if finding.weight == weight)

    @property
    def decision(self) -> str:
        """No-go where anything forbids it, go where nothing must be heeded."""
        return NO_GO if self.sentences(AGAINST) else CONDITIONAL if self.sentences(CONDITION) else GO

    @property
    def conditions(self) -> tuple[str, ...]:
        """What must be heeded."""
        return self.sentences(CONDITION)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons of the decision, the decisive ones first."""
        return (*self.sentences(AGAINST), *self.sentences(CONDITION), *self.sentences(FAVOUR))

    @property
    def facts(self) -> tuple[Mapping[str, str], ...]:
        """The findings as plain data."""
        return tuple(asdict(finding) for finding in self.all)


def weigh_money(findings: Findings, money: Mapping[str, Any]) -> None:
    """Hold what a decision earns against the best policy without a model."""
    if not money:
        return
    gain, policy, currency = money["gain"], money["best_policy"], money["currency"]
    earned = (
        f"A decision is worth {shown(money['value'])} {currency} (95 % interval {shown(money['low'])} to "
        f"{shown(money['high'])})"
    )
    if gain["value"] <= 0:
        findings.add(AGAINST, MONEY, f"{earned}, no more than '{policy}' without a model.")
    elif gain["low"] <= 0:
        findings.add(
            CONDITION,
            MONEY,
            f"{earned}, {shown(gain['value'])} more than '{policy}', which may be chance: confirm it on more rows.",
        )
    else:
        findings.add(
            FAVOUR,
            MONEY,
            f"{earned}, {shown(gain['value'])} {currency} more than the best policy without a model ('{policy}').",
        )


def weigh_kpis(findings: Findings, kpis: Iterable[Mapping[str, Any]]) -> None:
    """Say of each KPI whether it is met, and by which figures."""
    for kpi in kpis:
        bounds = [f"at least {kpi['minimum']:g}"] if kpi["minimum"] is not None else []
        bounds += [f"at most {kpi['maximum']:g}"] if kpi["maximum"] is not None else []
        asked = f"{' and '.join(bounds)} is asked for"
        if kpi["value"] is None:
            findings.add(AGAINST, KPI, f"KPI '{kpi['name']}' could not be measured on the test part; {asked}.")
            continue
        spread = "" if kpi["low"] is None else f" (95 % interval {shown(kpi['low'])} to {shown(kpi['high'])})"
        weight, said = {
            MISSED: (AGAINST, "and is missed."),
            UNCERTAIN: (CONDITION, "and passes but not with certainty: confirm it on more rows."),
        }.get(kpi["status"], (FAVOUR, "and is met."))
        findings.add(weight, KPI, f"KPI '{kpi['name']}': {shown(kpi['value'])}{spread}, {asked}, {said}")


def weigh_capacity(findings: Findings, capacity: Mapping[str, Any]) -> None:
    """Say whether the rows acted on stay within the capacity, and what it costs."""
    if not capacity:
        return
    share = f"{100 * capacity['share']['value']:.3g} % of the rows are acted on (95 % interval " + (
        f"{100 * capacity['share']['low']:.3g} to {100 * capacity['share']['high']:.3g} %)"
    )
    allowed = f"there is capacity for {capacity['text']}"
    if capacity["share"]["low"] > capacity["allowed"]:
        findings.add(
            CONDITION, CAPACITY, f"Raise the threshold or the capacity: on the test part {share}, and {allowed}."
        )
        return
    cost, lost = capacity["cost"], ""
    if cost["value"] > 0:
        spread = f"95 % interval {shown(cost['low'])} to {shown(cost['high'])}"
        lost = f" The limit costs {shown(cost['value'])} {cost['unit']} ({spread})."
    findings.add(FAVOUR, CAPACITY, f"On the test part {share}; {allowed}.{lost}")


def shown(value: float) -> str:
    """Write a figure of a reason."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"
