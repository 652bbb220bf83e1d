"""Facts of steps 3 to 6: the table, its readiness and cleaning, what it looks like, the features made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.ml.report.facts.plain import HIDDEN, length, pairs, part, plain, rows_of
from headrace.ml.report.facts.trust import leak_facts

PARTS = ("train", "validation", "test")
STATISTICS = (
    "name", "kind", "count", "missing", "distinct", "mean", "std", "minimum", "quartiles", "maximum",
    "skew", "outliers", "top", "relevance", "measure", "private",
)  # fmt: skip
VALUES = ("top", "minimum", "maximum", "quartiles", "mean", "std", "skew")


def dataset_facts(record: Any) -> dict[str, Any]:
    """Step 3: the columns, what was set aside and why."""
    return {
        "columns": rows_of(part(record, "columns"), "name", "kind"),
        "rows": length(part(record, "rows")),
        "personal": pairs(part(record, "personal"), "column", "kind"),
        "excluded": pairs(part(record, "excluded"), "column", "reason"),
        "leaks": leak_facts(record),
        "notes": plain(part(record, "notes", ())),
        "joins": [_join_facts(joined) for joined in part(record, "joins", ())],
        "test_table_rows": length(part(part(record, "test"), "rows")) or None,
    }


def _join_facts(joined: Any) -> dict[str, Any]:
    plan = joined.plan
    return {
        "source": plan.source,
        "keys": pairs(plan.keys, "main", "joined"),
        "compared": plain(plan.spelling),
        "summarised": plan.summarised,
        "before": {"main": part(plan.main_time, "name"), "joined": part(plan.time, "name")},
        "rows": joined.rows,
        "matched": joined.matched,
        "later": joined.later,
        "columns": list(joined.added),
        "notes": list(joined.notes),
    }


def readiness_facts(record: Any) -> list[dict[str, Any]]:
    """The eight checks of step 3."""
    return rows_of(part(record, "readiness"), "name", "status", "evidence", "advice")


def cleaning_facts(record: Any, personal: frozenset[str]) -> list[dict[str, Any]]:
    """What step 4 cleaned; evidence that could quote personal values is left out."""
    rows = rows_of(part(record, "cleaning"), "action", "column", "count", "evidence")
    return [row | {"evidence": HIDDEN} if row["column"] in personal else row for row in rows]


def preparation_facts(record: Any, classes: tuple[str, ...]) -> dict[str, Any]:
    """Step 4: the split, the folds and the imputation."""
    sizes = {name: length(part(record, name)) for name in PARTS}
    return {
        "split": plain(part(record, "split", "")),
        "sizes": sizes,
        "folds": length(part(record, "folds")),
        "class_balance": _class_balance(record, classes),
        "dropped": pairs(part(record, "dropped"), "column", "reason"),
        "imputation": plain(part(record, "imputation")),
        "indicators": plain(part(record, "indicators")),
        "imputation_scores": pairs(part(record, "imputation_scores"), "strategy", "score"),
    }


def _class_balance(record: Any, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    target = part(record, "target")
    if not classes or target is None:
        return []
    counts = {name: np.bincount(np.asarray(target)[part(record, name)], minlength=len(classes)) for name in PARTS}
    return [
        {"class": plain(label)} | {name: int(counts[name][code]) for name in PARTS}
        for code, label in enumerate(classes)
    ]


def exploration_facts(record: Any, personal: frozenset[str]) -> dict[str, Any]:
    """Step 5: statistics, distributions and relations, with nothing about the values of personal columns."""
    columns = [dict(row) for row in rows_of(part(record, "columns"), *STATISTICS)]
    for row in columns:
        if row["name"] in personal:
            row.update(dict.fromkeys(VALUES))
    correlations = plain(part(record, "correlations", {}))
    return {
        "columns": columns,
        "target": plain(part(record, "target", {})),
        "histograms": _without(part(record, "histograms"), personal),
        "target_by_feature": _without(part(record, "target_by_feature"), personal),
        "correlations": correlations,
        "scatter": [plain(p) for p in part(record, "scatter", ()) if not {str(p["x"]), str(p["y"])} & personal],
        "missing_map": plain(part(record, "missing_map", {})),
        "outliers": [plain(o) for o in part(record, "outliers", ()) if part(o, "column") not in personal],
        "leaks": plain(part(record, "leaks", ())),
        "sampled": plain(part(record, "sampled")),
        "pictures": rows_of(part(record, "pictures"), "title", "rows", "image"),
    }


def _without(by_column: Mapping[str, Any] | None, personal: frozenset[str]) -> dict[str, Any]:
    return {str(column): plain(bins) for column, bins in (by_column or {}).items() if column not in personal}


def feature_facts(record: Any) -> list[dict[str, Any]]:
    """Step 6: each feature, what it is made of, and why it is kept or dropped."""
    return rows_of(part(record, "features"), "name", "sources", "kind", "kept", "reason", "gain")


def feature_counts(record: Any) -> dict[str, int]:
    """Step 6: how many features were kept and dropped."""
    kept = [bool(part(feature, "kept")) for feature in part(record, "features", ())]
    return {"kept": sum(kept), "dropped": len(kept) - sum(kept)}
