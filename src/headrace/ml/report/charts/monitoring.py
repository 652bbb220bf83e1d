"""Charts of monitoring: how far each column moved, what moved inside it, and the performance then and now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.charts.specification import (
    BLUE,
    GREEN,
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
    rule_at,
    tip,
)

STATES = {"domain": ["drifted", "steady"], "range": [RED, BLUE]}
TIMES = {"domain": ["when trained", "now"], "range": [BLUE, ORANGE]}
MOST_COLUMNS, MOST_BINS = 40, 20


def drift(changes: Sequence[Mapping[str, Any]], least: float) -> Chart | None:
    """Draw how far each column moved, the farthest first."""
    rows = [
        {"column": c["name"], "moved": c["distance"]["distance"], "index": c["distance"]["psi"],
         "state": "drifted" if c["drifted"] else "steady"}
        for c in changes if c["distance"]
    ]  # fmt: skip
    rows = sorted(rows, key=lambda row: -row["moved"])[:MOST_COLUMNS]
    if not rows:
        return None
    return chart(
        "drift",
        "How far each column moved",
        "The share of rows that changed place: 0 is no change at all, 1 a change of all rows. Red is more than chance "
        "explains and enough to matter.",
        rows,
        height=rows_height(rows),
        wide=True,
        layer=[
            {
                "mark": "bar",
                "encoding": {
                    "x": quantity("moved", "moved", scale={"domainMin": 0}),
                    "y": label("column", axis={"labelLimit": 220}),
                    "color": label("state", scale=STATES),
                    "tooltip": tip(
                        ("column", "column"), ("moved", "moved", ".3f"), ("index", "stability index", ".3f")
                    ),
                },
            },
            rule_at([{"at": least}], "x"),
        ],
    )


def change_of(identifier: str, change: Mapping[str, Any]) -> Chart | None:
    """Draw the shares of a column's values when the model was trained, and now."""
    if not change["distance"]:
        return None
    values: Values = [
        {"value": name, "time": time, "share": share}
        for name, before, now in change["distance"]["bins"][:MOST_BINS]
        for time, share in (("when trained", before), ("now", now))
    ]
    return chart(
        identifier,
        f"{change['name']}: {'drifted' if change['drifted'] else 'steady'}",
        "Each pair of bars is one value or range; equal bars mean no change.",
        values,
        mark="bar",
        encoding={
            "x": label("value", axis={"labelAngle": -35, "labelLimit": 110}),
            "xOffset": label("time", scale={"domain": TIMES["domain"]}),
            "y": quantity("share", "share of rows", axis={"format": "%"}),
            "color": label("time", scale=TIMES),
            "tooltip": tip(("value", "value"), ("time", "when"), ("share", "share", ".1%")),
        },
    )


def missing_then_and_now(changes: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw the share of missing values of each column that has or had some."""
    rows = [
        {"column": c["name"], "time": time, "share": c[key]}
        for c in changes
        if max(c["missing"], c["missing_before"]) > 0
        for time, key in (("when trained", "missing_before"), ("now", "missing"))
    ][: 2 * MOST_COLUMNS]
    if not rows:
        return None
    return chart(
        "missing",
        "Missing values",
        "The share of rows without a value, when the model was trained and now.",
        rows,
        height=rows_height(rows, 14, 60),
        mark="bar",
        encoding={
            "y": label("column", axis={"labelLimit": 220}),
            "yOffset": label("time", scale={"domain": TIMES["domain"]}),
            "x": quantity("share", "share of rows", axis={"format": "%"}),
            "color": label("time", scale=TIMES),
            "tooltip": tip(("column", "column"), ("time", "when"), ("share", "share", ".1%")),
        },
    )


def performance(identifier: str, title: str, rows: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw one metric on the test part of the run, estimated now and measured now, with intervals."""
    values: Values = [dict(row) for row in rows if row.get("value") is not None]
    if not values:
        return None
    y = label("when", axis={"grid": True, "labelLimit": 200})
    x = quantity("value", title, scale={"zero": False, "padding": 24})
    colours = {"domain": ["on the test part", "estimated now", "measured now"], "range": [MUTED, BLUE, GREEN]}
    return chart(
        identifier,
        f"{title}, then and now",
        "Dots are values, pale bars their 95 % intervals. Intervals that do not touch mean a real change.",
        values,
        height=rows_height(values, 40, 60),
        wide=True,
        layer=[
            {
                "mark": {"type": "point", "size": 110, "opacity": 1},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": label("when", scale=colours, legend=None),
                    "tooltip": tip(("when", "when"), ("value", "value", ",.4~g"), ("low", "at least", ",.4~g"),
                                   ("high", "at most", ",.4~g")),
                },
            },
            *interval_bars(values, x, MUTED, y=y),
        ],
    )  # fmt: skip
