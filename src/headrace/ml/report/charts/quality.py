"""Charts of how good the model is: metrics with intervals, segments, sensitive groups, KPIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.charts.specification import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    RED,
    Chart,
    Values,
    chart,
    interval_bars,
    label,
    quantity,
    rows_height,
    tip,
)

PARTS = {"domain": ["train", "validation", "test", "baseline"], "range": [BLUE, ORANGE, GREEN, MUTED]}


def metric_intervals(identifier: str, rows: Sequence[Mapping[str, Any]], *, share: bool) -> Chart | None:
    """Draw metrics of each part as dots, with the 95 % interval of the test part as a bar."""
    values = [
        {
            "metric": r["title"],
            "part": part,
            "value": r[part],
            "low": r["low"] if part == "test" else None,
            "high": r["high"] if part == "test" else None,
        }
        for r in rows
        for part in PARTS["domain"]
        if r.get(part) is not None
    ]
    if not values:
        return None
    y = label("metric", axis={"grid": True, "labelLimit": 200} if share else None)
    x = quantity("value", scale={"zero": False, "padding": 16}, axis={"tickCount": 10 if share else 5})
    return chart(
        identifier,
        "Metrics on every part" if share else f"{values[0]['metric']} on every part",
        "Dots are measured values; the bar holds the true test value with 95 % confidence. Train far from "
        "test means overfitting.",
        values,
        height=rows_height(rows, 40, 56),
        wide=share,
        layer=[
            {
                "mark": {"type": "point", "size": 85, "opacity": 1},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": label("part", scale=PARTS),
                    "tooltip": tip(
                        ("metric", "metric"),
                        ("part", "part"),
                        ("value", "value", ",.4~g"),
                        ("low", "at least", ",.4~g"),
                        ("high", "at most", ",.4~g"),
                    ),
                },
            },
            *interval_bars(values, x, GREEN, y=y),
        ],
    )


def groups(identifier: str, title: str, reading: str, rows: Sequence[Mapping[str, Any]], measure: str) -> Chart | None:
    """Draw a measure for each group of rows, with its interval where there is one."""
    values: Values = [
        {
            "group": f"{r['column']}: {r['group']}" if r.get("column") else str(r["group"]),
            "rows": r.get("rows"),
            "value": r["value"],
            "low": r.get("low"),
            "high": r.get("high"),
        }
        for r in rows
        if r.get("value") is not None
    ][:40]
    if not values:
        return None
    y = label("group", axis={"grid": True, "labelLimit": 220})
    x = quantity("value", measure, scale={"zero": False, "padding": 16})
    return chart(
        identifier,
        title,
        reading,
        values,
        height=rows_height(values, 22),
        layer=[
            {
                "mark": {"type": "point", "size": 70},
                "encoding": {
                    "x": x,
                    "y": y,
                    "tooltip": tip(("group", "group"), ("value", "value", ",.4~g"), ("rows", "rows", ",")),
                },
            },
            *interval_bars(values, x, BLUE, y=y),
        ],
    )


def kpi_intervals(row: Mapping[str, Any], identifier: str) -> Chart | None:
    """Draw one KPI's value and interval against its bound."""
    if row.get("value") is None:
        return None
    bounds = [row[k] for k in ("minimum", "maximum") if row.get(k) is not None]
    colour = {"met": GREEN, "uncertain": ORANGE, "missed": RED}.get(row["status"], BLUE)
    values: Values = [{"value": row["value"], "low": row.get("low"), "high": row.get("high"), "kind": "measured"}]
    x = quantity("value", scale={"zero": False, "padding": 24}, axis={"grid": False, "tickCount": 5, "format": "~g"})
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "point", "size": 110, "color": colour, "opacity": 1},
            "encoding": {
                "x": x,
                "tooltip": tip(("value", "value", ",.4~g"), ("low", "at least", ",.4~g"), ("high", "at most", ",.4~g")),
            },
        },
        {
            "data": {"values": [{"value": b} for b in bounds]},
            "mark": {"type": "tick", "thickness": 3, "size": 34, "color": INK},
            "encoding": {"x": x, "tooltip": tip(("value", "bound", ",.4~g"))},
        },
        *interval_bars(values, x, colour),
    ]
    title = f"KPI: {row['title']}"
    interval = ", the pale bar its 95 % interval" if row.get("low") is not None else ""
    reading = f"The dot is the measured value{interval}, the dark tick the bound of the charter."
    return chart(identifier, title, reading, values, height=44, layer=layers)
