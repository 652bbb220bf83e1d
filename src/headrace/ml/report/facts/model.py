"""Facts of steps 7 and 8: what was tried, what was chosen, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.facts.plain import HIDDEN, first, part, plain, rows_of

MOST_POINTS = 400
CANDIDATE = ("name", "algorithm", "hyperparameters", "fold_scores", "train_score", "fit_seconds", "predict_microseconds", "rows", "status", "reason")


def candidate_facts(record: Any) -> list[dict[str, Any]]:
    """Every candidate of step 7, with its weight in the final model (None where it is no part of it)."""
    weights = {part(m, "candidate"): plain(part(m, "weight")) for m in part(record, "members", ())}
    rows = []
    for candidate in part(record, "candidates", ()):
        row = {name: plain(part(candidate, name)) for name in CANDIDATE}
        row |= {"validation_score": plain(part(candidate, "score")), "view": plain(part(candidate, "view")), "weight": weights.get(row["name"])}
        rows.append(row)
    return rows


def training_facts(record: Any) -> dict[str, Any]:
    """Step 7: the members of the final model, and what was left undone."""
    return {
        "members": rows_of(part(record, "members"), "candidate", "weight", "view"),
        "learning_curve": plain(part(record, "learning_curve", ())),
        "bias_variance": plain(part(record, "bias_variance", {})),
        "refitted": plain(part(record, "refitted")),
        "notes": plain(part(record, "notes", ())),
    }


def evaluation_facts(record: Any, personal: frozenset[str]) -> dict[str, Any]:
    """Step 8: curves, fit, groups and explanations; values of personal columns are hidden."""
    curves = part(record, "curves", {})
    return {
        "curves": {
            "roc": curve_facts(part(curves, "roc"), {"false_positive_rate": ("fpr", "x"), "true_positive_rate": ("tpr", "y"), "threshold": ()}),
            "precision_recall": curve_facts(part(curves, "precision_recall"), {"recall": ("x",), "precision": ("y",), "threshold": ()}),
            "calibration": curve_facts(
                part(curves, "calibration"),
                {"predicted": ("mean_predicted", "probability", "x"), "observed": ("rate", "fraction", "y"), "count": ("rows",)},
            ),
            "confusion_matrix": confusion_facts(part(curves, "confusion_matrix")),
            "residuals": residual_facts(part(curves, "residuals")),
        },
        "learning_curve": plain(part(record, "learning_curve", ())),
        "bias_variance": plain(part(record, "bias_variance", {})),
        "fitting": plain(part(record, "fitting", {})),
        "segments": [_unnamed(plain(s), personal) for s in part(record, "segments", ())],
        "sensitive_groups": [_unnamed(plain(s), personal) for s in part(record, "sensitive_groups", ())],
        "importance": rows_of(part(record, "importance"), "column", "importance", "std"),
        "explanations": [_explanation(e, personal) for e in part(record, "explanations", ())],
    }


def curve_facts(curves: Any, fields: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    """Bring curves into one form: [{class, points: [{field: value}]}].

    Takes a list of points, a mapping of arrays, either of these by class, or a list of {class, points}.
    """
    if not curves:
        return []
    if isinstance(curves, Mapping):
        if "points" in curves:
            return [{"class": plain(curves.get("class", "")), "points": _points(curves["points"], fields)}]
        if any(name in curves for field, others in fields.items() for name in (field, *others)):
            return [{"class": "", "points": _points(_transposed(curves), fields)}]
        return [{"class": plain(str(name))} | _one(points, fields) for name, points in curves.items()]
    if part(curves[0], "points") is not None:
        return [{"class": plain(str(part(c, "class", "")))} | _one(part(c, "points"), fields) for c in curves]
    if part(curves[0], "class") is not None:
        by_class: dict[str, list[Any]] = {}
        for point in curves:
            by_class.setdefault(str(point["class"]), []).append(point)
        return [{"class": plain(name), "points": _points(points, fields)} for name, points in by_class.items()]
    return [{"class": "", "points": _points(curves, fields)}]


def _one(points: Any, fields: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    if isinstance(points, Mapping):
        points = points["points"] if "points" in points else _transposed(points)
    return {"points": _points(points, fields)}


def _transposed(arrays: Mapping[str, Any]) -> list[dict[str, Any]]:
    lists = {name: list(values) for name, values in arrays.items() if hasattr(values, "__len__") and not isinstance(values, str)}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def _points(points: Sequence[Any], fields: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    return [{field: plain(first(p, field, *others)) for field, others in fields.items()} for p in thinned(points)]


def thinned(points: Sequence[Any], most: int = MOST_POINTS) -> Sequence[Any]:
    """Leave out points at even distances so that at most `most` stay; the first and the last always do."""
    if len(points) <= most:
        return points
    return [points[round(i * (len(points) - 1) / (most - 1))] for i in range(most)]


def confusion_facts(record: Any) -> dict[str, Any]:
    """The confusion matrix: classes, and counts [true class][predicted class]."""
    counts = first(record, "counts", "matrix")
    return {"classes": plain(first(record, "classes", "labels") or ()), "counts": plain(counts if counts is not None else ())}


def residual_facts(record: Any) -> dict[str, Any]:
    """Points {actual, predicted, residual} and histogram bins of a regression's errors."""
    if not record:
        return {"points": [], "histogram": []}
    points = record if isinstance(record, Sequence) else part(record, "points", ())
    rows = []
    for point in thinned(points, 1500):
        actual, predicted = first(point, "actual", "target", "truth"), part(point, "predicted")
        if predicted is None:
            predicted = part(point, "prediction")
        rows.append({"actual": plain(actual), "predicted": plain(predicted), "residual": plain(part(point, "residual"))})
    bins = part(record, "histogram", ()) if isinstance(record, Mapping) else ()
    return {"points": rows, "histogram": plain(bins)}


def _unnamed(row: dict[str, Any], personal: frozenset[str]) -> dict[str, Any]:
    if row.get("column") not in personal:
        return row
    return row | {key: HIDDEN for key in ("group", "segment", "value") if isinstance(row.get(key), str)}


def _explanation(record: Any, personal: frozenset[str]) -> dict[str, Any]:
    contributions = rows_of(part(record, "contributions"), "column", "value", "contribution")
    for row in contributions:
        if row["column"] in personal:
            row["value"] = HIDDEN
    rest = {k: plain(v) for k, v in record.items() if k != "contributions"} if isinstance(record, Mapping) else {"row": part(record, "row")}
    return rest | {"contributions": contributions}
