"""Deciding anew about predicted numbers: the shift of the predictions that costs the least."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.applications.deciding.request import Request
from headrace.ml.errors import OptionError
from headrace.ml.process.business_goals.evidence import Evidence
from headrace.ml.process.business_goals.expected_value import money_of_errors
from headrace.ml.process.business_goals.findings import RECONSIDERED, Findings, weigh_money
from headrace.ml.process.business_goals.shift import choose_shift, weigh_shift


def decide_numbers(document: Mapping[str, Any], evidence: Evidence, request: Request) -> dict[str, Any]:
    """Return the new decision as plain data; see `decide`."""
    charter = document["steps"]["business_problem"]["charter"]
    costs = request.unit_costs(charter)
    if costs is None:
        raise OptionError(
            "nothing says what an error costs; give --cost-under and --cost-over, or error_cost in the charter"
        )
    currency = request.currency or str(charter.get("currency") or "USD")
    shift = choose_shift(costs, evidence.held_out_target, evidence.held_out)
    money = money_of_errors(
        costs, currency, evidence.test_target, evidence.test + shift["value"], evidence.held_out_target, seed=0
    )
    findings = Findings()
    for finding in document["steps"]["business_goals"].get("findings") or ():
        if finding["about"] not in RECONSIDERED or finding["about"] == "kpi":
            findings.add(finding["weight"], finding["about"], finding["sentence"])
    weigh_money(findings, money)
    return {
        "task": "regression",
        "decision": findings.decision,
        "reasons": list(findings.reasons),
        "was": {
            "decision": document["decision"],
            "expected_value": (document["business"]["expected_value"] or {}).get("value"),
        },
        "currency": currency,
        "unit_costs": vars(costs),
        "rows": len(evidence.test_target),
        "shift": shift,
        "expected_value": dict(money),
        "against_unshifted": weigh_shift(costs, shift["value"], evidence.test_target, evidence.test),
    }
