"""Charts of why the model answers as it does: importance with error bars, single rows, gains of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.charts.specification import (
    BLUE,
    INK,
    ORANGE,
    Chart,
    chart,
    label,
    quantity,
    rows_height,
    rule_at,
    tip,
)
from headrace.ml.report.formats import number

MOST = 20


def importance(rows: Sequence[Mapping[str, Any]], metric: str) -> Chart | None:
    """Draw how much the metric suffers when a column's values are shuffled."""
    ranked = sorted((r for r in rows if r.get("importance") is not None), key=lambda r: -r["importance"])[:MOST]
    values = [
        {
            "column": str(r["column"]),
            "importance": r["importance"],
            "low": r["importance"] - (r.get("std") or 0),
            "high": r["importance"] + (r.get("std") or 0),
        }
        for r in ranked
    ]
    if not values:
        return None
    y = label("column", axis={"labelLimit": 200})
    return chart(
        "importance",
        "What the model relies on",
        "The longer the bar, the worse the model gets when that column is shuffled; the thin line is how "
        "much the figure varies from shuffle to shuffle.",
        values,
        height=rows_height(values, 22),
        wide=True,
        layer=[
            {
                "mark": "bar",
                "encoding": {
                    "x": quantity("importance", f"loss of {metric} when shuffled"),
                    "y": y,
                    "tooltip": tip(
                        ("column", "column"),
                        ("importance", "importance", ",.3~g"),
                        ("low", "from", ",.3~g"),
                        ("high", "to", ",.3~g"),
                    ),
                },
            },
            {
                "mark": {"type": "rule", "color": INK, "strokeWidth": 1.5},
                "encoding": {"x": quantity("low", f"loss of {metric} when shuffled"), "x2": {"field": "high"}, "y": y},
            },
        ],
    )


def contributions(identifier: str, title: str, usual: str, rows: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw what pushed one row's prediction up or down."""
    ranked = sorted(rows, key=lambda r: -abs(r["contribution"]))[:10]
    values = [
        {
            "name": f"{r['column']} = {shown(r['value'])}",
            "contribution": r["contribution"],
            "direction": "pushes up" if r["contribution"] >= 0 else "pushes down",
        }
        for r in ranked
    ]
    if not values:
        return None
    return chart(
        identifier,
        title,
        f"Starting from the usual prediction of {usual}, bars to the right pushed this one up and bars to "
        "the left pushed it down.",
        values,
        height=rows_height(values, 22),
        layer=[
            {
                "mark": "bar",
                "encoding": {
                    "x": quantity("contribution", "contribution to the prediction"),
                    "y": label("name", axis={"labelLimit": 200}),
                    "color": label(
                        "direction",
                        scale={"domain": ["pushes up", "pushes down"], "range": [ORANGE, BLUE]},
                        legend=None,
                    ),
                    "tooltip": tip(
                        ("name", "column and value"),
                        ("contribution", "contribution", "+,.3~g"),
                        ("direction", "direction"),
                    ),
                },
            },
            rule_at([{"at": 0}], "x", strokeDash=[1, 0]),
        ],
    )


def shown(value: Any) -> str:
    """Write a row's value."""
    return "(missing)" if value in (None, "") else number(value)


def feature_gains(rows: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw what each engineered feature added to the score in cross-validation."""
    ranked = sorted((r for r in rows if r.get("gain") is not None), key=lambda r: -r["gain"])
    chosen = ranked[:MOST]
    values = [{"name": str(r["name"]), "gain": r["gain"], "kept": "kept" if r["kept"] else "dropped"} for r in chosen]
    if not values:
        return None
    return chart(
        "feature-gains",
        "What engineered features earn",
        "Bars to the right made the score better in cross-validation, bars to the left made it worse; only "
        "features that earn their place are kept.",
        values,
        height=rows_height(values, 22),
        mark="bar",
        encoding={
            "x": quantity("gain", "change of the score"),
            "y": label("name", axis={"labelLimit": 200}),
            "color": label("kept", scale={"domain": ["kept", "dropped"], "range": [BLUE, "var(--muted)"]}),
            "tooltip": tip(("name", "feature"), ("gain", "gain", "+,.3~g"), ("kept", "decision")),
        },
    )
