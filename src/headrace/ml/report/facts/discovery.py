"""Facts of steps 7 and 8 where there is no label: clusters, anomalies, association rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.report.facts.model import thinned
from headrace.ml.report.facts.plain import HIDDEN, part, plain, rows_of

CLUSTER_CANDIDATE = (
    "algorithm", "clusters", "silhouette", "reference", "reference_high", "stability", "stability_low", "noise",
    "gap", "bic", "eligible",
)  # fmt: skip
CLUSTER = ("name", "rows", "share", "test_share", "silhouette", "described", "typical")
DETECTOR = ("algorithm", "planted_auc", "planted_error", "stability", "chosen")
RULE = (
    "antecedent", "consequent", "support", "confidence", "lift", "leverage", "conviction", "p_value",
    "test_support", "test_confidence", "test_lift", "test_p_value", "confirmed",
)  # fmt: skip


def discovery_facts(records: Mapping[str, Any], personal: frozenset[str]) -> dict[str, Any]:
    """What was found in a table without a label, by its task; empty for a task with one."""
    task = str(part(records.get("problem_framing"), "task", ""))
    makers = {"clustering": _clusters, "anomaly_detection": _anomalies, "association_rules": _rules}
    if task not in makers:
        return {}
    training, evaluation = records.get("training"), records.get("evaluation")
    found = makers[task](training, evaluation, personal)
    notes = [*part(training, "notes", ()), *part(evaluation, "notes", ())]
    return {"reason": plain(part(training, "reason", "")), "notes": plain(notes), **found}


def _clusters(training: Any, evaluation: Any, personal: frozenset[str]) -> dict[str, Any]:
    del personal  # their values were left out of descriptions and typical rows
    chosen = part(training, "chosen")
    return {
        "found": chosen is not None,
        "candidates": [
            row | {"chosen": candidate is chosen}
            for row, candidate in zip(
                rows_of(part(training, "candidates"), *CLUSTER_CANDIDATE),
                part(training, "candidates", ()),
                strict=True,
            )
        ],
        "clusters": rows_of(part(evaluation, "clusters"), *CLUSTER),
        "picture": rows_of(part(evaluation, "picture"), "x", "y", "cluster"),
        "shown": plain(part(evaluation, "shown")),
    }


def _anomalies(training: Any, evaluation: Any, personal: frozenset[str]) -> dict[str, Any]:
    top = []
    for found in part(evaluation, "top", ()):
        why = rows_of(part(found, "contributions"), "column", "value", "contribution")
        for row in why:
            row["value"] = HIDDEN if row["column"] in personal else row["value"]
        top.append({name: plain(part(found, name)) for name in ("row", "part", "score", "time")} | {"why": why})
    return {
        "candidates": rows_of(part(training, "candidates"), *DETECTOR),
        "threshold": plain(part(training, "threshold")),
        "contamination": plain(part(training, "contamination")),
        "window": plain(part(training, "window", 1)),
        "flagged": plain(part(evaluation, "flagged", {})),
        "top": top,
        "histogram": rows_of(part(evaluation, "histogram"), "start", "end", "count"),
        "series": rows_of(thinned(part(evaluation, "series", ()), 1500), "time", "value", "score", "is_anomaly"),
    }


def _rules(training: Any, evaluation: Any, personal: frozenset[str]) -> dict[str, Any]:
    del personal
    return {
        "baskets": plain(part(training, "baskets")),
        "least_support": plain(part(training, "least_support")),
        "item_sets": plain(part(training, "item_sets")),
        "tested": plain(part(training, "tested")),
        "items": rows_of(part(training, "items"), "item", "support"),
        "rules": rows_of(part(evaluation, "rules"), *RULE),
    }
