"""What a chart is, and the look that all charts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
INK, MUTED, LINE = "var(--ink)", "var(--muted)", "var(--line)"
BLUE, ORANGE, GREEN, RED = "var(--chart-1)", "var(--chart-2)", "var(--chart-3)", "var(--chart-4)"
PALETTE = [f"var(--chart-{i})" for i in range(1, 9)]
SEQUENTIAL = ["#eef4fb", "#c3d9f0", "#86b4e0", "#4488c8", "#1d5fa6", "#0b3c74"]
DIVERGING = ["#a63d00", "#d97b33", "#f3c79b", "#f4f4f4", "#a9c8ea", "#4488c8", "#0b3c74"]

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domainColor": LINE,
        "gridColor": LINE,
        "gridOpacity": 0.7,
        "labelColor": MUTED,
        "labelFontSize": 11,
        "labelLimit": 150,
        "labelOverlap": True,
        "labelSeparation": 6,
        "tickColor": LINE,
        "titleColor": INK,
        "titleFontSize": 12,
        "titleFontWeight": 500,
        "titleLimit": 320,
    },
    "legend": {
        "labelColor": MUTED,
        "labelFontSize": 11,
        "labelLimit": 220,
        "orient": "top",
        "symbolLimit": 12,
        "title": None,
        "titleColor": INK,
        "titleFontWeight": 500,
    },
    "bar": {"color": BLUE, "cornerRadiusEnd": 2},
    "line": {"color": BLUE, "strokeWidth": 2},
    "scale": {"bandPaddingInner": 0.22},
    "point": {"color": BLUE, "filled": True, "size": 45},
    "rule": {"color": MUTED},
    "text": {"color": INK, "fontSize": 11},
    "range": {"category": PALETTE, "heatmap": SEQUENTIAL, "ramp": SEQUENTIAL, "diverging": DIVERGING},
}
"""Colours are the page's CSS variables, so that charts follow light, dark and print without being drawn again."""

Values = list[dict[str, Any]]
Spec = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """A chart: its heading, one plain sentence on how to read it, and its Vega-Lite specification."""

    identifier: str
    title: str
    reading: str
    spec: Mapping[str, Any]
    wide: bool = False


def chart(
    identifier: str,
    title: str,
    reading: str,
    values: Values,
    *,
    height: float = 240,
    wide: bool = False,
    **parts: Any,
) -> Chart:
    """Complete a specification: `parts` are its mark and encoding, or its layers.

    Field names are ours and fixed; names and values that come from the data stand in `values` and titles only,
    so that no Vega expression is ever built from them.
    """
    reading = reading.replace(" %", "\u00a0%")
    spec = {
        "$schema": SCHEMA,
        "description": f"{title}. {reading}",
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": values},
        **parts,
    }
    return Chart(identifier, title, reading, spec, wide)


def quantity(field: str, title: str | None = None, **more: Any) -> Spec:
    """Encode a number."""
    return {"field": field, "type": "quantitative", "title": title, **more}


def label(field: str, title: str | None = None, **more: Any) -> Spec:
    """Encode a name, in the order in which the data come."""
    return {"field": field, "type": "nominal", "title": title, "sort": None, **more}


def tip(*fields: tuple[str, str] | tuple[str, str, str]) -> list[Spec]:
    """Show fields on hover: (field, title) for text, (field, title, number format) for numbers."""
    return [
        {"field": entry[0], "title": entry[1], "type": "quantitative", "format": entry[2]}
        if len(entry) == 3
        else {"field": entry[0], "title": entry[1], "type": "nominal"}
        for entry in fields
    ]


def rule_at(values: Values, channel: str, **mark: Any) -> Spec:
    """Draw a straight line across the chart at field `at` of `values`."""
    encoding = {channel: {"field": "at", "type": "quantitative"}}
    return {"data": {"values": values}, "mark": {"type": "rule", "strokeDash": [5, 4], **mark}, "encoding": encoding}


def text_at(values: Values, channel: str) -> Spec:
    """Write field `text` beside the line at field `at` of `values`."""
    place = (
        {"align": "right", "x": "width", "dy": -6}
        if channel == "y"
        else {"align": "left", "y": "height", "dy": -10, "dx": 6}
    )
    encoding = {channel: {"field": "at", "type": "quantitative"}, "text": {"field": "text", "type": "nominal"}}
    return {"data": {"values": values}, "mark": {"type": "text", "color": MUTED, **place}, "encoding": encoding}


def diagonal(low: float = 0.0, high: float = 1.0) -> Spec:
    """Draw the dashed line from corner to corner that a chance or a perfect result would follow."""
    return {
        "data": {"values": [{"x": low, "y": low}, {"x": high, "y": high}]},
        "mark": {"type": "line", "color": MUTED, "strokeDash": [4, 4], "strokeWidth": 1},
        "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
    }


def interval_bars(values: Values, x: Spec, colour: str, **encoding: Spec) -> list[Spec]:
    """Draw the interval from `low` to `high` of the values that have one; no layer where none has."""
    given = [v for v in values if v.get("low") is not None and v.get("high") is not None]
    mark = {"type": "rule", "strokeWidth": 7, "opacity": 0.32, "color": colour, "strokeCap": "round"}
    ends = {"x": x | {"field": "low"}, "x2": {"field": "high"}}
    return [{"data": {"values": given}, "mark": mark, "encoding": ends | encoding}] if given else []


def zoom(*channels: str) -> list[Spec]:
    """Let the reader zoom (wheel) and pan (drag) along `channels`; a double click goes back."""
    wheel = "wheel![event.ctrlKey || event.metaKey || event.shiftKey]"
    return [
        {"name": "zoom", "select": {"type": "interval", "encodings": list(channels), "zoom": wheel}, "bind": "scales"}
    ]


def rows_height(rows: Sequence[Any], each: float = 22, least: float = 30) -> float:
    """Height in pixels of a chart with one line for each of `rows`."""
    return max(least, len(rows) * each)
