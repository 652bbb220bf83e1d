"""Deciding anew among several classes: each row for the class of least expected cost, by the run's probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.applications.deciding.request import Request
from headrace.ml.contract import Task
from headrace.ml.errors import OptionError
from headrace.ml.metrics.money import CostMatrix
from headrace.ml.process.business_goals.class_costs import money_of_classes, weigh_class_costs
from headrace.ml.process.business_goals.evidence import Evidence
from headrace.ml.process.business_goals.findings import (
    RECONSIDERED,
    Findings,
    weigh_kpis,
    weigh_money,
)
from headrace.ml.process.business_goals.goal import MONEY as EXPECTED_VALUE
from headrace.ml.process.business_goals.kpis import hold_kpi, too_small


def decide_classes(document: Mapping[str, Any], evidence: Evidence, request: Request) -> dict[str, Any]:
    """Return the new decision as plain data; see `decide`."""
    charter = document["steps"]["business_problem"]["charter"]
    classes = tuple(document["steps"]["problem_framing"]["classes"])
    try:
        matrix = CostMatrix.of(request.class_costs(charter), classes)
    except ValueError as error:
        raise OptionError(f"the costs of mistakes {error}") from None
    currency = request.currency or str(charter.get("currency") or "USD")
    held_out, money = (
        money_of_classes(matrix, currency, target, probabilities)
        for target, probabilities in (
            (evidence.held_out_target, evidence.held_out),
            (evidence.test_target, evidence.test),
        )
    )
    small = bool(too_small(Task.MULTICLASS, evidence.test_target))
    kpis = [
        hold_kpi(kpi["name"] or "", kpi["metric"], kpi["minimum"], kpi["maximum"], money, small=small)
        if kpi["metric"] == EXPECTED_VALUE
        else dict(kpi)
        for kpi in document["business"]["kpis"]
    ]
    findings = Findings()
    for finding in document["steps"]["business_goals"].get("findings") or ():
        if finding["about"] not in RECONSIDERED:
            findings.add(finding["weight"], finding["about"], finding["sentence"])
    weigh_money(findings, money)
    weigh_kpis(findings, kpis)
    weigh_class_costs(findings, matrix, money)
    return {
        "task": "multiclass",
        "classes": list(classes),
        "decision": findings.decision,
        "reasons": list(findings.reasons),
        "conditions": list(findings.conditions),
        "was": {
            "decision": document["decision"],
            "expected_value": (document["business"]["expected_value"] or {}).get("value"),
        },
        "currency": currency,
        "costs": {name: dict(zip(classes, matrix.costs[i].tolist(), strict=True)) for i, name in enumerate(classes)},
        "rows": len(evidence.test_target),
        "expected_value": dict(money),
        "held_out": dict(held_out),
        "kpis": kpis,
    }
