"""Deciding anew whether to act: threshold, money, KPIs, capacity and go or no-go, by the functions that runs use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from headrace.ml.applications.deciding.request import Request
from headrace.ml.contract import Task
from headrace.ml.metrics.outcomes import RATES, Outcomes
from headrace.ml.process.business_goals.evidence import Evidence
from headrace.ml.process.business_goals.expected_value import figure, money_of_decisions, weigh_limits
from headrace.ml.process.business_goals.findings import (
    CONDITION,
    RECONSIDERED,
    Findings,
    weigh_capacity,
    weigh_kpis,
    weigh_money,
)
from headrace.ml.process.business_goals.goal import MONEY, Goal
from headrace.ml.process.business_goals.kpis import hold_kpi, too_small
from headrace.ml.process.business_goals.threshold import Threshold, pick_threshold

_SEED = 0


def decide_yes_no(document: Mapping[str, Any], evidence: Evidence, request: Request) -> dict[str, Any]:
    """Return the new decision as plain data; see `decide`."""
    goal = request.goal(document["steps"]["business_problem"]["charter"])
    business = document["business"]
    threshold = pick_threshold(goal, Outcomes.at_every(evidence.held_out_target, evidence.held_out))
    if request.threshold is not None:
        threshold = _given(goal, threshold, request.threshold, evidence)
    target, scores = evidence.test_target, evidence.test
    money = money_of_decisions(goal, target, scores, threshold.value)
    here = Outcomes.at(target, scores, np.array([threshold.value]))
    drawn = here.resampled(seed=_SEED)
    rates = {name: figure(here.rate(name)[0], drawn.rate(name)[:, 0]) for name in RATES}
    measured: dict[str, Any] = {MONEY: money} if threshold.value == business["threshold"] else rates | {MONEY: money}
    measured |= {name: rates[name] for name in {*request.at_least, *request.at_most} & rates.keys()}
    kpis = _kpis(business["kpis"], request, measured, bool(too_small(Task.BINARY, target)))
    limits = weigh_limits(goal, threshold, target, scores)
    earlier = float(business["threshold"])
    findings = _findings(document, money, kpis, limits, threshold.value != earlier)
    names = ("true_positive", "false_positive", "false_negative", "true_negative")
    return {
        "task": "binary",
        "positive_class": document["steps"]["problem_framing"]["positive_class"],
        "decision": findings.decision,
        "reasons": list(findings.reasons),
        "conditions": list(findings.conditions),
        "findings": list(findings.facts),
        "was": {
            "decision": document["decision"],
            "threshold": earlier,
            "expected_value": (business["expected_value"] or {}).get("value"),
        },
        "currency": goal.currency,
        "payoffs": None if goal.payoffs is None else asdict(goal.payoffs),
        "threshold": {
            "value": threshold.value,
            "low": threshold.low,
            "high": threshold.high,
            "chosen_by": threshold.chosen_by,
            "held_out_value": threshold.expected_value,
            "meets": threshold.meets,
        },
        "expected_value": dict(money),
        "share": rates["share"],
        "rates": rates,
        "capacity": None if goal.capacity is None else vars(goal.capacity),
        "against_earlier": _against(goal, threshold.value, earlier, evidence),
        "rows": len(target),
        "confusion": dict(zip(names, (int(counts[0]) for counts in here.counts), strict=True)),
        "kpis": kpis,
        "limits": {name: dict(limit) for name, limit in limits.items()},
        "curve": list(threshold.curve),
        "candidates": candidates(goal, business.get("profits") or ()),
    }


def _given(goal: Goal, threshold: Threshold, value: float, evidence: Evidence) -> Threshold:
    """Take the threshold that was given in place of the best one, with the point of the curve that belongs to it."""
    held_out = Outcomes.at(evidence.held_out_target, evidence.held_out, np.array([value]))
    money = None if goal.payoffs is None else float(held_out.money(goal.payoffs)[0])
    best = f"given with --threshold; the best one would be {threshold.value:.4g}"
    return replace(threshold, value=value, low=None, high=None, chosen_by=best, expected_value=money)


def _kpis(
    earlier: list[Mapping[str, Any]], request: Request, measured: Mapping[str, Mapping[str, Any]], small: bool
) -> list[dict[str, Any]]:
    """Hold the KPIs in `measured` (and those asked for) anew; the others stay as the run measured them."""
    asked = {*request.at_least, *request.at_most}
    found = []
    for kpi in earlier:
        if kpi["metric"] in asked:
            continue
        if kpi["metric"] in measured:
            figures = measured[kpi["metric"]]
            bounds = (kpi["minimum"], kpi["maximum"])
            found.append(hold_kpi(kpi["name"] or "", kpi["metric"], *bounds, figures, small=small))
        else:
            found.append(dict(kpi))
    for name in sorted(asked):
        bounds = (request.at_least.get(name), request.at_most.get(name))
        found.append(hold_kpi("", name, *bounds, measured[name], small=small))
    return found


def _findings(
    document: Mapping[str, Any],
    money: Mapping[str, Any],
    kpis: list[dict[str, Any]],
    limits: Mapping[str, Mapping[str, Any]],
    moved: bool,
) -> Findings:
    """Weigh money, KPIs and capacity anew; what else the run found stays. `moved`: the threshold is not the run's."""
    findings = Findings()
    kept = [f for f in document["steps"]["business_goals"].get("findings") or () if f["about"] not in RECONSIDERED]
    for finding in kept:
        findings.add(finding["weight"], finding["about"], finding["sentence"])
    weigh_money(findings, money)
    weigh_kpis(findings, kpis)
    weigh_capacity(findings, limits.get("capacity") or {})
    mitigation = document.get("mitigation")
    if moved and mitigation and not any(finding["about"] == "mitigation" for finding in kept):
        findings.add(
            CONDITION,
            "mitigation",
            f"Run again with --mitigate {mitigation['column']} by these costs: the groups were treated alike at the "
            "run's threshold, and nothing says whether they are at this one.",
        )
    return findings


def _against(goal: Goal, threshold: float, earlier: float, evidence: Evidence) -> dict[str, Any] | None:
    """Say how much more the new threshold earns than the run's, by the new money, on the test part."""
    if goal.payoffs is None or threshold == earlier:
        return None
    pair = np.sort(np.array([threshold, earlier]))[::-1]
    new = int(np.argmax(pair == threshold))
    outcomes = Outcomes.at(evidence.test_target, evidence.test, pair)
    worth, drawn = outcomes.money(goal.payoffs), outcomes.resampled(seed=_SEED).money(goal.payoffs)
    return figure(worth[new] - worth[1 - new], drawn[:, new] - drawn[:, 1 - new])


def candidates(goal: Goal, profits: Any) -> list[dict[str, Any]]:
    """Return [{name, algorithm, weight, value, share, worth}] by the new goal, the model first, then the best."""
    found = []
    for profit in profits:
        acted, hits = (np.asarray(profit[key], dtype=np.float64) for key in ("acted", "found"))
        steps = Outcomes(np.zeros(len(acted)), hits, acted, hits[-1:], float(acted[-1]))
        worth = goal.worth(steps)
        place = int(np.where(goal.within_capacity(steps), worth, -np.inf).argmax())
        found.append(
            {name: profit[name] for name in ("name", "algorithm", "weight")}
            | {"value": float(worth[place]), "share": float(acted[place] / steps.rows), "worth": worth.tolist()}
        )
    return [*found[:1], *sorted(found[1:], key=lambda row: -row["value"])]
