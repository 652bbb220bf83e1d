"""Charts of training: split sizes, imputation, candidates, folds, learning curve, bias and variance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.charts.specification import (
    BLUE,
    GREEN,
    ORANGE,
    PALETTE,
    Chart,
    chart,
    label,
    quantity,
    rows_height,
    tip,
)
from headrace.ml.report.formats import words

PARTS = {"domain": ["train", "validation", "test"], "range": [BLUE, ORANGE, GREEN]}


def split_sizes(sizes: Mapping[str, int]) -> Chart | None:
    """Draw how many rows are learnt from, chosen by and tested on."""
    total = sum(sizes.values())
    if not total:
        return None
    values = [{"part": part, "rows": sizes[part], "share": sizes[part] / total} for part in PARTS["domain"]]
    return chart(
        "split-sizes",
        "How the rows were split",
        "The model learns from the training part, choices are made on the validation part, and the test "
        "part is looked at once, at the end.",
        values,
        height=60,
        mark={"type": "bar", "cornerRadius": 0},
        encoding={
            "x": quantity("rows", "rows", stack="zero", scale={"nice": False}),
            "color": label("part", scale=PARTS),
            "tooltip": tip(("part", "part"), ("rows", "rows", ","), ("share", "share", ".1%")),
        },
    )


def scores_by_name(
    identifier: str, title: str, reading: str, rows: Sequence[tuple[str, float]], axis: str
) -> Chart | None:
    """Draw one score for each name as a dot on a line."""
    if len(rows) < 2:
        return None
    values = [{"name": name, "score": score} for name, score in rows]
    return chart(
        identifier,
        title,
        reading,
        values,
        height=rows_height(values, 28),
        mark={"type": "point", "size": 90},
        encoding={
            "x": quantity("score", axis, scale={"zero": False, "padding": 20}),
            "y": label("name", axis={"grid": True}),
            "tooltip": tip(("name", "choice"), ("score", "score", ",.5~g")),
        },
    )


def candidates(rows: Sequence[Mapping[str, Any]], metric: str, *, greater: bool) -> Chart | None:
    """Draw each candidate's validation score against the time to fit it, sized by its latency."""
    values = [
        {
            "name": words(r["name"]),
            "algorithm": words(r["algorithm"]),
            "score": r["validation_score"],
            "seconds": max(r["fit_seconds"], 1e-3),
            "latency": r["predict_microseconds"] or 0,
            "member": "in the final model" if r.get("weight") else "tried",
        }
        for r in rows
        if r["validation_score"] is not None and r["fit_seconds"] is not None
    ]
    if not values:
        return None
    better = "higher" if greater else "lower"
    return chart(
        "candidates",
        "What was tried",
        f"Each point is one model that was tried: {better} is better, further left is quicker to fit, "
        "larger is slower to predict; squares are part of the final model.",
        values,
        height=320,
        wide=True,
        mark={"type": "point", "filled": True, "opacity": 0.85},
        encoding={
            "x": quantity(
                "seconds", "seconds to fit (logarithmic)", scale={"type": "log", "nice": True}, axis={"format": "~g"}
            ),
            "y": quantity("score", f"{metric} on held-out rows", scale={"zero": False, "nice": True}),
            "color": label("algorithm", scale={"range": PALETTE}, legend={"columns": 4, "symbolType": "circle"}),
            "size": quantity("latency", scale={"range": [50, 320]}, legend=None),
            "shape": label(
                "member", scale={"domain": ["tried", "in the final model"], "range": ["circle", "square"]}, legend=None
            ),
            "tooltip": tip(
                ("name", "candidate"),
                ("algorithm", "algorithm"),
                ("score", "score", ",.5~g"),
                ("seconds", "seconds to fit", ".3~g"),
                ("latency", "µs a row", ",.3~g"),
                ("member", "use"),
            ),
        },
    )


def ensemble_weights(rows: Sequence[tuple[str, float]]) -> Chart | None:
    """Draw how much each member's word counts in the final model."""
    values = [{"name": name, "weight": weight} for name, weight in rows]
    if len(values) < 2:
        return None
    return chart(
        "weights",
        "What the final model is made of",
        "Each bar is one model of the mixture; the longer it is, the more its word counts.",
        values,
        height=rows_height(values, 28),
        mark="bar",
        encoding={
            "x": quantity("weight", "weight", axis={"format": "~%"}),
            "y": label("name"),
            "tooltip": tip(("name", "candidate"), ("weight", "weight", ".1%")),
        },
    )


def fold_scores(rows: Sequence[Mapping[str, Any]], metric: str) -> Chart | None:
    """Draw the score of each fold of the best candidates."""
    values = [
        {"name": words(r["name"]), "fold": i + 1, "score": score}
        for r in rows
        for i, score in enumerate(r["fold_scores"])
        if score is not None and len(r["fold_scores"]) > 1
    ]
    if not values:
        return None
    return chart(
        "fold-scores",
        "How steady the scores are",
        "Each tick is the score on another part of the rows; ticks close together mean that the model does "
        "not depend on luck.",
        values,
        height=rows_height(list({v["name"] for v in values}), 24),
        mark={"type": "tick", "thickness": 3, "size": 14, "color": BLUE},
        encoding={
            "x": quantity("score", metric, scale={"zero": False}),
            "y": label("name", axis={"grid": True}),
            "tooltip": tip(("name", "candidate"), ("fold", "fold", "d"), ("score", "score", ",.5~g")),
        },
    )


def learning_curve(points: Sequence[Mapping[str, Any]], metric: str) -> Chart | None:
    """Draw the score on seen and unseen rows against the number of training rows."""
    values = [
        {"rows": p["rows"], "score": p[f"{part}_score"], "part": f"{part} rows"}
        for part in ("train", "validation")
        for p in points
        if p.get(f"{part}_score") is not None
    ]
    if not values:
        return None
    return chart(
        "learning-curve",
        "Learning curve",
        "Going right, the model saw more rows: a validation line that still improves says that more data "
        "would help; a wide gap between the lines says that it learns by heart.",
        values,
        height=300,
        mark={"type": "line", "point": True},
        encoding={
            "x": quantity("rows", "rows learnt from", axis={"format": "~s"}),
            "y": quantity("score", metric, scale={"zero": False}),
            "color": label("part", scale={"domain": ["train rows", "validation rows"], "range": [BLUE, ORANGE]}),
            "tooltip": tip(("part", "measured on"), ("rows", "rows", ","), ("score", "score", ",.5~g")),
        },
    )


def bias_variance(parts: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw the parts of the error: what the model cannot express, and what depends on the rows drawn."""
    values = [{"part": p["part"], "value": p["value"]} for p in parts if p.get("value") is not None]
    if not values:
        return None
    return chart(
        "bias-variance",
        "Bias and variance",
        "A long bias bar means that the model is too simple; a long variance bar means that it changes "
        "with the rows it happened to see.",
        values,
        height=rows_height(values, 38),
        mark="bar",
        encoding={
            "x": quantity("value", "part of the error", scale={"zero": True}),
            "y": label("part"),
            "tooltip": tip(("part", "part"), ("value", "value", ",.4~g")),
        },
    )
