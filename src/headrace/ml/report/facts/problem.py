"""Facts of steps 1 and 2: the charter and its verdict, the task and how it was recognised."""

from __future__ import annotations

from typing import Any

from headrace.ml.report.facts.plain import pairs, part, plain


def business_problem_facts(record: Any) -> dict[str, Any]:
    """Step 1: the charter, what was assumed of it, and whether machine learning fits."""
    return {
        "verdict": plain(part(record, "verdict")),
        "reasons": plain(part(record, "reasons", ())),
        "assumed": plain(part(record, "assumed", ())),
        "timeline": pairs(part(record, "timeline"), "phase", "weeks"),
        "charter": plain(part(record, "charter", {})),
    }


def problem_framing_facts(record: Any) -> dict[str, Any]:
    """Step 2: what is predicted from what, by which measure, against which baseline."""
    return {
        "task": plain(part(record, "task")),
        "evidence": plain(part(record, "evidence", ())),
        "target": plain(part(record, "target")),
        "observations": plain(part(record, "observations")),
        "unlabelled": plain(part(record, "unlabelled", 0)),
        "features": plain(part(record, "features", ())),
        "classes": plain(part(record, "classes", ())),
        "positive_class": plain(part(record, "positive_class")),
        "metric": plain(part(record, "metric")),
        "baseline": plain(part(record, "baseline")),
        "shortlist": pairs(part(record, "shortlist"), "algorithm", "reason"),
    }
