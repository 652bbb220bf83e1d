"""Charts of several columns together: correlations, scatter plots, missing values, relevance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.charts.specification import (
    DIVERGING,
    PALETTE,
    SEQUENTIAL,
    Chart,
    chart,
    label,
    quantity,
    rows_height,
    tip,
    zoom,
)

LARGEST_MATRIX = 24
MEASURES = {
    "pearson": ("Correlation (Pearson)", True),
    "spearman": ("Rank correlation (Spearman)", True),
    "association": ("Association of all columns", False),
}


def correlation_heat_map(
    measure: str, columns: Sequence[str], matrix: Sequence[Sequence[float | None]]
) -> Chart | None:
    """Draw a matrix of correlations (-1…1) or associations (0…1) of column pairs."""
    signed = MEASURES[measure][1]
    chosen = [i for i in range(len(matrix)) if matrix[i][i] is not None][:LARGEST_MATRIX]
    names = [str(columns[i]) for i in chosen]
    values = [
        {"row": str(columns[i]), "column": str(columns[j]), "r": matrix[i][j]}
        for i in chosen
        for j in chosen
        if matrix[i][j] is not None
    ]
    if len(names) < 2:
        return None
    scale = {"domain": [-1, 1], "range": DIVERGING} if signed else {"domain": [0, 1], "range": SEQUENTIAL}
    reading = (
        "Dark blue: two columns rise together; dark orange: one falls as the other rises; pale: no straight link."
        if signed
        else "The darker a cell, the more one column tells about the other (0 nothing, 1 everything)."
    )
    position = {
        "sort": None,
        "scale": {"padding": 0.02},
        "axis": {"grid": False, "domain": False, "ticks": False, "labelLimit": 110, "labelOverlap": False},
    }
    layers: list[dict[str, Any]] = [
        {
            "mark": {"type": "rect", "cornerRadius": 1},
            "encoding": {
                "color": quantity(
                    "r", scale=scale, legend={"gradientLength": 160, "gradientThickness": 8, "title": None}
                ),
                "tooltip": tip(("row", "column"), ("column", "with"), ("r", "strength", ".2f")),
            },
        }
    ]
    if len(names) <= 10:
        strong = {"test": "datum.r > 0.55 || datum.r < -0.75", "value": "#ffffff"}
        text = {"text": quantity("r", format=".2f"), "color": {"condition": strong, "value": "#1a2230"}}
        layers.append({"mark": {"type": "text", "fontSize": 10}, "encoding": text})
    encoding = {"x": label("column") | position, "y": label("row") | position}
    encoding["x"]["axis"] = encoding["x"]["axis"] | {"labelAngle": -40}
    height = rows_height(names, 24, 120)
    wide = len(names) > 10
    return chart(
        f"correlation-{measure}",
        MEASURES[measure][0],
        reading,
        values,
        height=height,
        wide=wide,
        encoding=encoding,
        layer=layers,
    )


def scatter(identifier: str, pair: Mapping[str, Any], target: str, *, classes: bool) -> Chart | None:
    """Draw rows as points by two numeric columns, coloured by the target."""
    points = [
        {"x": p["x"], "y": p["y"], "target": str(p["target"]) if classes else p["target"]} for p in pair["points"]
    ]
    if not points:
        return None
    colour = (
        label("target", scale={"range": PALETTE})
        if classes
        else quantity("target", scale={"range": SEQUENTIAL[1:]}, legend={"title": "target", "gradientThickness": 8})
    )
    return chart(
        identifier,
        f"{pair['y']} against {pair['x']}",
        f"Each point is one row, coloured by {target}; clusters of one colour mean that the two columns "
        "together tell the target."
        " Hold Ctrl or Shift and turn the wheel to zoom.",
        points,
        height=260,
        params=zoom("x", "y"),
        mark={"type": "point", "opacity": 0.65, "size": 22, "filled": True},
        encoding={
            "x": quantity("x", str(pair["x"]), scale={"zero": False}, axis={"format": "~s"}),
            "y": quantity("y", str(pair["y"]), scale={"zero": False}, axis={"format": "~s"}),
            "color": colour,
            "tooltip": tip(("x", "across", ",.4~g"), ("y", "up", ",.4~g"), ("target", "target")),
        },
    )


def missing_map(columns: Sequence[str], rows: Sequence[Sequence[int]]) -> Chart | None:
    """Draw where values are missing: a line of cells for each column that has gaps."""
    gaps = [i for i in range(len(columns)) if any(row[i] for row in rows)][:40]
    values = [
        {"column": str(columns[i]), "row": r + 1, "next": r + 2} for i in gaps for r, row in enumerate(rows) if row[i]
    ]
    if not values:
        return None
    return chart(
        "missing-map",
        "Where values are missing",
        "Each line is a column and each mark a row without a value there; marks in the same place on "
        "several lines mean that values go missing together.",
        values,
        height=rows_height(gaps, 20),
        wide=True,
        mark={"type": "bar", "color": "var(--chart-4)", "cornerRadius": 0, "minBandSize": 2},
        encoding={
            "x": quantity("row", "rows looked at", scale={"domain": [1, len(rows) + 1], "nice": False}),
            "x2": {"field": "next"},
            "y": label("column"),
            "tooltip": tip(("column", "column"), ("row", "row looked at", ",")),
        },
    )


def missing_share(columns: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw the share of missing values of every column that has any."""
    values = [
        {"column": str(c["name"]), "share": c["missing"] / (c["count"] + c["missing"]), "missing": c["missing"]}
        for c in columns
        if c.get("missing") and c.get("count") is not None
    ]
    values = sorted(values, key=lambda v: -v["share"])[:40]
    if not values:
        return None
    return chart(
        "missing-share",
        "Missing values by column",
        "The longer the bar, the more rows have no value in that column.",
        values,
        height=rows_height(values, 20),
        mark={"type": "bar", "color": "var(--chart-4)"},
        encoding={
            "x": quantity("share", "share of rows", axis={"format": "~%"}),
            "y": label("column"),
            "tooltip": tip(("column", "column"), ("missing", "missing", ","), ("share", "share", ".1%")),
        },
    )


def relevance(columns: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw how much each column alone tells about the target."""
    ranked = sorted((c for c in columns if c.get("relevance") is not None), key=lambda c: -c["relevance"])[:30]
    values = [
        {"column": str(c["name"]), "relevance": c["relevance"], "measure": str(c.get("measure") or "")} for c in ranked
    ]
    if not values:
        return None
    return chart(
        "relevance",
        "What each column alone tells about the target",
        "The longer the bar, the more the column tells by itself (0 nothing, 1 everything); one that tells "
        "everything is suspicious.",
        values,
        height=rows_height(values, 20),
        mark="bar",
        encoding={
            "x": quantity("relevance", "strength of the link", scale={"domain": [0, 1]}),
            "y": label("column"),
            "tooltip": tip(("column", "column"), ("relevance", "strength", ".3f"), ("measure", "measured by")),
        },
    )
