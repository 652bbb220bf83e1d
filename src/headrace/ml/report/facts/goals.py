"""Facts of step 9: the threshold, the money, the KPIs, and what to do next."""

from __future__ import annotations

from typing import Any

from headrace.ml.report.facts.model import thinned
from headrace.ml.report.facts.plain import part, plain

KPI = ("name", "metric", "minimum", "maximum", "value", "low", "high", "status")


def business_facts(goals: Any, threshold: Any) -> dict[str, Any]:
    """The threshold in use, what a decision earns on the test part, and the KPIs."""
    threshold = part(goals, "threshold", threshold)
    return {
        "threshold": plain(part(threshold, "value")),
        "threshold_chosen_by": plain(part(threshold, "chosen_by")),
        "threshold_expected_value": plain(part(threshold, "expected_value")),
        "threshold_curve": [plain(p) for p in thinned(part(threshold, "curve", ()))],
        "currency": plain(part(goals, "currency", "")),
        "expected_value": plain(part(goals, "expected_value", {})),
        "kpis": [_kpi(k) for k in part(goals, "kpis", ())],
        "threshold_interval": [plain(part(threshold, "low")), plain(part(threshold, "high"))],
        "threshold_meets": plain(part(threshold, "meets", "")),
        "limits": plain(part(goals, "limits", {})),
        "profits": plain(part(goals, "profits", ())),
        "history": [],
    }


def _kpi(record: Any) -> dict[str, Any]:
    row = {name: plain(part(record, name)) for name in KPI}
    return row | {"met": row["status"] == "met"}


def business_goals_facts(record: Any) -> dict[str, Any]:
    """What stands between the model and its use: conditions, more data, advice."""
    return {
        "conditions": plain(part(record, "conditions", ())),
        "more_data": plain(part(record, "more_data", {})),
        "advice": plain(part(record, "advice", ())),
        "generalisation": plain(part(record, "generalisation", {})),
        "serving": plain(part(record, "serving", {})),
        "findings": plain(part(record, "findings", ())),
    }


def model_facts(run: Any) -> dict[str, Any]:
    """The compiled model: size, digest, speed, and how far its two executions differ."""
    model = part(run, "model", {})
    return {
        "bytes": plain(part(model, "bytes")),
        "sha256": plain(part(model, "sha256")),
        "predict_microseconds": plain(part(model, "predict_microseconds")),
        "rows_per_second": plain(part(model, "rows_per_second")),
        "parity_difference": plain(part(model, "parity_difference")),
    }
