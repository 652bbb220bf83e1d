"""Charts of single columns: histograms, and the target against a feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.charts.specification import (
    BLUE,
    GREEN,
    ORANGE,
    PALETTE,
    Chart,
    Spec,
    Values,
    chart,
    label,
    quantity,
    rows_height,
    rule_at,
    text_at,
    tip,
)
from headrace.ml.report.formats import date_text, number

COUNT = ("count", "rows", ",")
COLUMNS = {"type": "rect", "color": BLUE, "stroke": "var(--card)", "strokeWidth": 1}


def histogram(identifier: str, column: str, kind: str, bins: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw how often each value, or range of values, occurs."""
    ranges, single = bin_values(bins, kind)
    title = f"How {column} is spread"
    if ranges:
        encoding: dict[str, Any] = {"x": _range_axis(kind), "x2": {"field": "end"}, "y": quantity("count", "rows")}
        encoding |= {"y2": {"datum": 0}, "tooltip": tip(("name", "values"), COUNT)}
        reading = "Each bar is a range of values; the higher the bar, the more rows fall into it."
        return chart(identifier, title, reading, ranges, height=170, mark=COLUMNS, encoding=encoding)
    if not single:
        return None
    return chart(
        identifier,
        title,
        "Each bar is one value; the longer the bar, the more rows have it.",
        single,
        height=rows_height(single, 20),
        mark="bar",
        encoding={"x": quantity("count", "rows"), "y": label("name"), "tooltip": tip(("name", "value"), COUNT)},
    )


def target_against(
    identifier: str, column: str, kind: str, bins: Sequence[Mapping[str, Any]], measure: str, *, share: bool
) -> Chart | None:
    """Draw the target (a share of the positive class, or a mean) for each value or range of a feature."""
    ranges, single = ([v for v in values if v["target"] is not None] for values in bin_values(bins, kind))
    title = f"{measure} by {column}"
    axis = quantity(
        "target",
        "share of the positive class" if share else "mean of the target",
        axis={"format": "~%" if share else "~s"},
    )
    tooltip = tip(("name", "values"), ("target", "share" if share else "mean", ".1%" if share else ",.4~g"), COUNT)
    if ranges:
        line = {
            "mark": {"type": "line", "color": ORANGE, "point": {"color": ORANGE, "size": 50}},
            "encoding": {
                "x": _range_axis(kind) | {"field": "middle"},
                "y": axis | {"scale": {"zero": share}},
                "tooltip": tooltip,
            },
        }
        gaps = [{"at": v["target"], "text": "rows without a value"} for v in single]
        layers = [line, rule_at(gaps, "y"), text_at(gaps, "y")] if gaps else [line]
        reading = (
            "Where the line climbs, higher values of the column go with more of the target; a flat line tells nothing."
        )
        return chart(identifier, title, reading, ranges, height=170, layer=layers)
    if not single:
        return None
    return chart(
        identifier,
        title,
        "Each bar is one value; bars of clearly different length mean that the column tells something "
        "about the target.",
        single,
        height=rows_height(single, 20),
        mark={"type": "bar", "color": ORANGE},
        encoding={"x": axis | {"scale": {"zero": True}}, "y": label("name"), "tooltip": tooltip},
    )


def classes_against(identifier: str, column: str, kind: str, bins: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw the most frequent class, and its share, for each value or range of a feature (more than two classes)."""
    ranges, single = bin_values(bins, kind)
    values = [v for v in ranges + single if v["target"] is not None]
    if not values:
        return None
    return chart(
        identifier,
        f"Most frequent class by {column}",
        "Each bar is a value or range, coloured by its most frequent class; long bars of different colours "
        "mean that the column tells classes apart.",
        values,
        height=rows_height(values, 20),
        mark="bar",
        encoding={
            "y": label("name"),
            "x": quantity(
                "target", "share of the most frequent class", scale={"domain": [0, 1]}, axis={"format": "~%"}
            ),
            "color": label("class", scale={"range": PALETTE}),
            "tooltip": tip(("name", "value"), ("class", "most frequent class"), ("target", "its share", ".1%"), COUNT),
        },
    )


def bin_values(bins: Sequence[Mapping[str, Any]], kind: str) -> tuple[Values, Values]:
    """Turn bins into rows to draw: ranges (`start`, `end`, `middle`) and single values; `name` says which each is."""
    ranges: Values = []
    single: Values = []
    scale, show = (1000, date_text) if kind == "date" else (1, number)
    for entry in bins:
        row: dict[str, Any] = {k: entry.get(k) for k in ("count", "target", "class")}
        start, end = entry.get("start"), entry.get("end")
        if "value" in entry:
            single.append(row | {"name": "(missing)" if entry["value"] in (None, "") else str(entry["value"])})
        elif start is not None and end is not None:
            name = f"{show(start)} to {show(end)}" if start != end else show(start)
            ranges.append(
                row | {"start": start * scale, "end": end * scale, "middle": (start + end) / 2 * scale, "name": name}
            )
    return ranges, single


def _range_axis(kind: str) -> Spec:
    if kind == "date":
        return {"field": "start", "type": "temporal", "title": None, "scale": {"nice": False}}
    axis = {"format": "~s", "grid": False}
    return {
        "field": "start",
        "type": "quantitative",
        "title": None,
        "scale": {"zero": False, "nice": False},
        "axis": axis,
    }


def class_balance(rows: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw how many rows each class has."""
    values = [
        {"class": str(r["class"]), "part": part, "count": r[part]}
        for r in rows
        for part in ("train", "validation", "test")
    ]
    if not values:
        return None
    return chart(
        "class-balance",
        "Class balance",
        "Each bar is one answer to be learnt; a very short bar means few examples to learn that answer from.",
        values,
        height=rows_height(rows, 34),
        mark={"type": "bar", "cornerRadius": 0},
        encoding={
            "x": quantity("count", "rows"),
            "y": label("class"),
            "color": {
                **label("part"),
                "scale": {"domain": ["train", "validation", "test"], "range": [BLUE, ORANGE, GREEN]},
            },
            "tooltip": tip(("class", "class"), ("part", "part"), COUNT),
        },
    )
