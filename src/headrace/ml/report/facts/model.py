"""Facts of steps 7 and 8: what was tried, what was chosen, and how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.ml.report.facts.certainty import calibration_facts, conformal_facts
from headrace.ml.report.facts.plain import HIDDEN, part, plain, rows_of
from headrace.ml.report.facts.trust import weak_segment_facts

MOST_POINTS = 400
CANDIDATE = (
    "name",
    "algorithm",
    "hyperparameters",
    "fold_scores",
    "train_score",
    "fit_seconds",
    "predict_microseconds",
    "rows",
    "status",
    "reason",
)


def candidate_facts(record: Any) -> list[dict[str, Any]]:
    """Every candidate of step 7, with its weight in the final model (None where it is no part of it)."""
    weights = {part(m, "candidate"): plain(part(m, "weight")) for m in part(record, "members", ())}
    rows = []
    for candidate in part(record, "candidates", ()):
        row = {name: plain(part(candidate, name)) for name in CANDIDATE}
        row |= {
            "validation_score": plain(part(candidate, "score")),
            "view": plain(part(candidate, "view")),
            "weight": weights.get(row["name"]),
        }
        rows.append(row)
    return rows


def training_facts(record: Any) -> dict[str, Any]:
    """Step 7: the members of the final model, and what was left undone."""
    return {
        "members": rows_of(part(record, "members"), "candidate", "weight", "view"),
        "ensemble_path": rows_of(part(record, "ensemble_path"), "members", "score", "microseconds"),
        "learning_curve": rows_of(part(record, "learning_curve"), "rows", "train_score", "validation_score"),
        "bias_variance": plain(part(record, "bias_variance", {})),
        "refitted": plain(part(record, "refitted")),
        "notes": plain(part(record, "notes", ())),
        "calibration": calibration_facts(record),
        "conformal": conformal_facts(record),
    }


def evaluation_facts(record: Any, personal: frozenset[str]) -> dict[str, Any]:
    """Step 8: curves, fit, groups and explanations; values of personal columns are hidden."""
    curves = part(record, "curves", {})
    confusion, residuals = part(curves, "confusion_matrix", {}), part(curves, "residuals", {})
    return {
        "curves": {
            "roc": curve_facts(part(curves, "roc"), "false_positive_rate", "true_positive_rate", "threshold"),
            "precision_recall": curve_facts(part(curves, "precision_recall"), "recall", "precision", "threshold"),
            "calibration": curve_facts(part(curves, "calibration"), "predicted", "observed", "count"),
            "gain": curve_facts(part(curves, "gain"), "share", "gain", "lift"),
            "confusion_matrix": {
                "classes": plain(part(confusion, "classes", ())),
                "counts": plain(part(confusion, "counts", ())),
                "threshold": plain(part(confusion, "threshold")),
            },
            "residuals": {
                "points": rows_of(thinned(part(residuals, "points", ()), 1500), "actual", "predicted", "residual"),
                "histogram": rows_of(part(residuals, "histogram"), "start", "end", "count"),
            },
        },
        "learning_curve": rows_of(part(record, "learning_curve"), "rows", "train_score", "validation_score"),
        "bias_variance": plain(part(record, "bias_variance", {})),
        "fitting": plain(part(record, "fitting", {})),
        "segments": [_unnamed(plain(s), personal) for s in part(record, "segments", ())],
        "sensitive_groups": [_unnamed(plain(s), personal) for s in part(record, "sensitive_groups", ())],
        "weak_segments": weak_segment_facts(record),
        "importance": rows_of(part(record, "importance"), "column", "importance", "std"),
        "explanations": [_explanation(e, personal) for e in part(record, "explanations", ())],
        "coverage": plain(part(record, "coverage", {})),
        "calibration_error": plain(part(record, "calibration_error")),
        "notes": plain(part(record, "notes", ())),
        "confusions": rows_of(part(record, "confusions"), "title", "rows", "image"),
    }


def curve_facts(curves: Any, *fields: str) -> list[dict[str, Any]]:
    """Curves of one or several classes: [{class, points: [{field: value}]}], thinned where they are long."""
    return [
        {"class": plain(part(c, "class", "")), "points": rows_of(thinned(part(c, "points", ())), *fields)}
        for c in curves or ()
    ]


def thinned(points: Sequence[Any], most: int = MOST_POINTS) -> Sequence[Any]:
    """Leave out points at even distances so that at most `most` stay; the first and the last always do."""
    if len(points) <= most:
        return points
    return [points[round(i * (len(points) - 1) / (most - 1))] for i in range(most)]


def _unnamed(row: dict[str, Any], personal: frozenset[str]) -> dict[str, Any]:
    return row | {"group": HIDDEN} if row.get("column") in personal else row


def _explanation(record: Any, personal: frozenset[str]) -> dict[str, Any]:
    contributions = rows_of(part(record, "contributions"), "column", "value", "contribution")
    for row in contributions:
        if row["column"] in personal:
            row["value"] = HIDDEN
    return {name: plain(part(record, name)) for name in ("row", "why", "class", "prediction", "base", "method")} | {
        "contributions": contributions
    }
