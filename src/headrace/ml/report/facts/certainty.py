"""Facts of how far a prediction can be trusted: calibration, intervals and prediction sets, with their evidence."""

from __future__ import annotations

from typing import Any

from headrace.ml.report.facts.plain import part, plain, rows_of


def calibration_facts(training: Any) -> dict[str, Any]:
    """How probabilities were corrected; empty for regression."""
    record = part(training, "calibration")
    if record is None:
        return {}
    return {
        "method": plain(part(record, "method")),
        "reason": plain(part(record, "reason")),
        "rows": plain(part(record, "rows")),
        "methods": rows_of(part(record, "methods"), "name", "log_loss", "brier", "calibration_error"),
        "before": _curves(part(record, "before")),
        "after": _curves(part(record, "after")),
    }


def conformal_facts(training: Any) -> dict[str, Any]:
    """Which intervals or prediction sets the model gives."""
    record = part(training, "conformal")
    if record is None:
        return {}
    facts = {name: plain(part(record, name)) for name in ("method", "reason", "coverage", "rows")}
    methods = part(record, "methods", ())
    names = ("name", "size", "single") if any("size" in method for method in methods) else ("name", "width", "score")
    return facts | {"methods": rows_of(methods, *names)}


def _curves(curves: Any) -> list[dict[str, Any]]:
    return [
        {"class": plain(part(c, "class")), "points": rows_of(part(c, "points"), "predicted", "observed", "count")}
        for c in curves or ()
    ]
