"""Charts of single columns: histograms, and the target against a feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.charts.specification import BLUE, ORANGE, PALETTE, Chart, Spec, Values, chart, label, quantity, tip
from headrace.ml.report.formats import date_text, number

COUNT = ("count", "rows", ",")


def histogram(identifier: str, column: str, kind: str, bins: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw how often each value, or range of values, occurs."""
    values = bin_values(bins, kind)
    if not values:
        return None
    title = f"How {column} is spread"
    if "label" in values[0]:
        reading = "Each bar is one value; the longer the bar, the more rows have it."
        return chart(
            identifier,
            title,
            reading,
            values,
            height=max(60, 20 * len(values)),
            mark={"type": "bar", "tooltip": True},
            encoding={"x": quantity("count", "rows"), "y": label("label"), "tooltip": tip(("label", "value"), COUNT)},
        )
    reading = "Each bar is a range of values; the higher the bar, the more rows fall into it."
    encoding = {"x": _range_axis(kind), "x2": {"field": "end"}, "y": quantity("count", "rows")}
    encoding["tooltip"] = tip(("range", "values"), COUNT)
    return chart(identifier, title, reading, values, height=160, mark={"type": "bar", "binSpacing": 1}, encoding=encoding)


def target_against(
    identifier: str, column: str, kind: str, bins: Sequence[Mapping[str, Any]], measure: str, *, share: bool
) -> Chart | None:
    """Draw the target (a share of the positive class, or a mean) for each value or range of a feature."""
    values = [v for v in bin_values(bins, kind) if v.get("target") is not None]
    if not values:
        return None
    title = f"{measure} by {column}"
    style = ".1%" if share else ",.4~g"
    axis = quantity("target", measure, axis={"format": "%" if share else "~s"}, scale={"zero": share})
    hover = ("target", measure_title(share), style)
    if "label" in values[0]:
        return chart(
            identifier,
            title,
            "Each bar is one value of the column; bars of clearly different length mean that the column tells something about the target.",
            values,
            height=max(60, 20 * len(values)),
            mark={"type": "bar", "color": ORANGE},
            encoding={"x": axis | {"scale": {"zero": True}}, "y": label("label"), "tooltip": tip(("label", "value"), hover, COUNT)},
        )
    position = _range_axis(kind) | {"field": "middle"}
    tooltip = tip(("range", "values"), hover, COUNT)
    return chart(
        identifier,
        title,
        "Read from left to right: where the line climbs, higher values of the column go with more of the target; a flat line tells nothing.",
        values,
        height=160,
        mark={"type": "line", "color": ORANGE, "point": {"color": ORANGE}},
        encoding={"x": position, "y": axis, "tooltip": tooltip},
    )


def classes_against(identifier: str, column: str, kind: str, bins: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw the share of every class for each value or range of a feature (more than two classes)."""
    values: Values = []
    for order, row in enumerate(bin_values(bins, kind)):
        shares = row.get("target")
        if isinstance(shares, Mapping):
            name = row.get("label", row.get("range"))
            values += [{"name": name, "order": order, "class": str(c), "share": s, "count": row["count"]} for c, s in shares.items()]
    if not values:
        return None
    names = {v["name"] for v in values}
    return chart(
        identifier,
        f"Classes by {column}",
        "Each line is a value or range of the column, split by class; lines that look different mean that the column tells the classes apart.",
        values,
        height=max(60, 20 * len(names)),
        mark={"type": "bar", "cornerRadius": 0},
        encoding={
            "y": label("name"),
            "x": quantity("share", "share of rows", stack="normalize", axis={"format": "%"}),
            "color": label("class", scale={"range": PALETTE}),
            "tooltip": tip(("name", "value"), ("class", "class"), ("share", "share", ".1%"), COUNT),
        },
    )


def measure_title(share: bool) -> str:
    """Name what `target` is, in words that hold for any data."""
    return "share" if share else "mean"


def bin_values(bins: Sequence[Mapping[str, Any]], kind: str) -> Values:
    """Turn bins into rows to draw: `label` for a single value, `start`, `end`, `middle` and `range` for a range."""
    values: Values = []
    for entry in bins:
        row: dict[str, Any] = {"count": entry.get("count"), "target": entry.get("target")}
        start, end = entry.get("start"), entry.get("end")
        if "value" in entry:
            row["label"] = "(missing)" if entry["value"] in (None, "") else str(entry["value"])
        elif start is None or end is None:
            continue
        else:
            scale = 1000 if kind == "date" else 1
            show = date_text if kind == "date" else number
            row |= {"start": start * scale, "end": end * scale, "middle": (start + end) / 2 * scale}
            row["range"] = f"{show(start)} – {show(end)}"
        values.append(row)
    ranges = [v for v in values if "range" in v]
    return ranges or values


def _range_axis(kind: str) -> Spec:
    axis: Spec = {"field": "start", "type": "temporal" if kind == "date" else "quantitative", "title": None}
    axis["scale"] = {"nice": False} if kind == "date" else {"zero": False, "nice": False}
    if kind != "date":
        axis["axis"] = {"format": "~s", "grid": False}
    return axis


def class_balance(rows: Sequence[Mapping[str, Any]]) -> Chart | None:
    """Draw how many rows each class has."""
    values = [{"class": str(r["class"]), "part": part, "count": r[part]} for r in rows for part in ("train", "validation", "test")]
    if not values:
        return None
    return chart(
        "class-balance",
        "Class balance",
        "Each bar is one answer to be learnt; a very short bar means few examples to learn that answer from.",
        values,
        height=max(70, 34 * len(rows)),
        mark={"type": "bar", "cornerRadius": 0},
        encoding={
            "x": quantity("count", "rows"),
            "y": label("class"),
            "color": {**label("part"), "scale": {"domain": ["train", "validation", "test"], "range": [BLUE, ORANGE, "var(--chart-3)"]}},
            "tooltip": tip(("class", "class"), ("part", "part"), COUNT),
        },
    )
