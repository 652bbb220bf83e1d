"""report.json after a decision taken anew: all that depends on threshold, money and capacity follows it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import numpy as np

from headrace.ml.applications.deciding.request import Request
from headrace.ml.metrics.outcomes import RATES, Outcomes
from headrace.ml.process.business_goals.evidence import Evidence

_OUTCOMES = ("true_positive", "false_positive", "false_negative", "true_negative")


def revise(
    document: Mapping[str, Any], evidence: Evidence, found: Mapping[str, Any], request: Request
) -> dict[str, Any]:
    """Return the run's report after the decision `found`; what it replaces goes into its history."""
    revised: dict[str, Any] = deepcopy(dict(document))
    _decision(revised, document, found, request)
    _charter(revised["steps"]["business_problem"]["charter"], found, request)
    if found["threshold"]["value"] != found["was"]["threshold"]:
        _metrics(revised, evidence, found)
    return revised


def _decision(revised: dict[str, Any], document: Mapping[str, Any], found: Mapping[str, Any], request: Request) -> None:
    before, threshold = document["business"], found["threshold"]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    replaced = {
        "replaced": now,
        "asked": request.asked,
        "decision": document["decision"],
        "threshold": before["threshold"],
        "chosen_by": before["threshold_chosen_by"],
        "expected_value": before["expected_value"],
        "currency": before["currency"],
        "charter": document["steps"]["business_problem"]["charter"],
    }
    gains = {c["name"]: c for c in found["candidates"]}
    profits = [p | _profit(gains[p["name"]], found["candidates"][0]) for p in before.get("profits") or ()]
    revised["decision"], revised["reasons"] = found["decision"], found["reasons"]
    revised["business"] = before | {
        "threshold": threshold["value"],
        "threshold_chosen_by": threshold["chosen_by"],
        "threshold_expected_value": threshold["held_out_value"],
        "threshold_interval": [threshold["low"], threshold["high"]],
        "threshold_meets": threshold["meets"],
        "threshold_curve": found["curve"],
        "currency": found["currency"],
        "expected_value": found["expected_value"],
        "kpis": [_kpi(kpi) for kpi in found["kpis"]],
        "limits": found["limits"],
        "profits": profits,
        "history": [*(before.get("history") or ()), replaced],
    }
    goals = revised["steps"]["business_goals"]
    goals["conditions"], goals["findings"] = found["conditions"], found["findings"]


def _profit(candidate: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    gain = {"value": candidate["value"] - model["value"], "low": None, "high": None}
    return {name: candidate[name] for name in ("value", "share", "worth")} | {"threshold": None, "gain": gain}


def _kpi(kpi: Mapping[str, Any]) -> dict[str, Any]:
    names = ("name", "metric", "minimum", "maximum", "value", "low", "high", "status")
    return {name: kpi[name] for name in names} | {"met": kpi["status"] == "met"}


def _charter(charter: dict[str, Any], found: Mapping[str, Any], request: Request) -> None:
    """Let the goal that the report tells of be the one decided by, so that the next decision starts from it."""
    charter["currency"] = found["currency"]
    if found["payoffs"] is not None:
        charter["decisions"] = {
            name: {"earns": max(0.0, found["payoffs"][name]), "costs": max(0.0, -found["payoffs"][name])}
            for name in _OUTCOMES
        }
    if request.capacity is not None:
        without = str(request.capacity).strip().lower() == "none"
        charter["capacity"] = None if without else str(request.capacity)
        charter["rate"] = None if without else request.rate or charter.get("rate")
    asked = {*request.at_least, *request.at_most}
    kept = [kpi for kpi in charter.get("kpis") or () if kpi["metric"] not in asked]
    charter["kpis"] = kept + [
        {"metric": name, "minimum": request.at_least.get(name), "maximum": request.at_most.get(name), "name": ""}
        for name in sorted(asked)
    ]


def _metrics(revised: dict[str, Any], evidence: Evidence, found: Mapping[str, Any]) -> None:
    """Measure what the threshold decides anew, and say of the rest with which threshold it was measured."""
    threshold = np.array([found["threshold"]["value"]])
    held_out = Outcomes.at(evidence.held_out_target, evidence.held_out, threshold)
    usual = np.full(len(evidence.test_target), evidence.held_out_target.mean())
    baseline = Outcomes.at(evidence.test_target, usual, threshold)
    metrics, constant = revised["metrics"], revised["baseline"].get("metrics") or {}
    for name in RATES.keys() & metrics["test"].keys():
        measured = found["rates"][name]
        metrics["test"][name] = measured["value"]
        revised["metrics_interval"][name] = [measured["low"], measured["high"]]
        metrics["validation"][name] = float(held_out.rate(name)[0])
        metrics["train"].pop(name, None)
        if name in constant:
            constant[name] = float(baseline.rate(name)[0])
    counts = found["confusion"]
    evaluation = revised["steps"]["evaluation"]
    evaluation["curves"]["confusion_matrix"] |= {
        "counts": [
            [counts["true_negative"], counts["false_positive"]],
            [counts["false_negative"], counts["true_positive"]],
        ],
        "threshold": found["threshold"]["value"],
    }
    was = found["was"]["threshold"]
    evaluation["notes"] = [
        *evaluation["notes"],
        f"The threshold was changed from {was:.4g} to {threshold[0]:.4g} after the run: segments, sensitive groups and "
        "explanations were measured with the former one.",
    ]
