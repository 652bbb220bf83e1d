"""Charts of forecasts: fans after histories, backtests, the parts of a series, errors, and what drives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.charts.specification import (
    BLUE,
    GREEN,
    MUTED,
    ORANGE,
    PALETTE,
    RED,
    Chart,
    Spec,
    Values,
    chart,
    diagonal,
    label,
    quantity,
    rows_height,
    rule_at,
    tip,
    zoom,
)
from headrace.ml.report.formats import percent, words

Rows = Sequence[Mapping[str, Any]]
MOST_BARS = 40
_BIG = "~s"


def fan(identifier: str, picture: Mapping[str, Any], target: str, share: float) -> Chart:
    """Draw a history, what the backtests forecast of it, and the forecast with its outer quantiles."""
    values: Values = [dict(row) | {"part": "history"} for row in picture["history"]]
    values += [
        dict(row) | {"part": "backtest", "window": place}
        for place, window in enumerate(picture["backtests"])
        for row in window
    ]
    values += [dict(row) | {"part": "forecast"} for row in picture["forecast"]]
    moment = {"field": "time", "type": "temporal", "title": None}
    colours = {"domain": ["history", "backtest", "forecast"], "range": [MUTED, ORANGE, BLUE]}
    banded = any("low" in row for row in picture["forecast"])
    line: Spec = {
        "params": zoom("x"),
        "mark": {"type": "line", "strokeWidth": 1.6},
        "encoding": {
            "x": moment,
            "y": quantity("value", target, scale={"zero": False}, axis={"format": _BIG}),
            "color": label("part", scale=colours),
            "detail": {"field": "window", "type": "nominal"},
            "tooltip": [
                {"field": "time", "type": "temporal", "title": "time"},
                *tip(("part", "what"), ("value", "value", ",.5~g"), ("low", "at least", ",.5~g"),
                     ("high", "at most", ",.5~g")),
            ],
        },
    }  # fmt: skip
    band = {
        "transform": [{"filter": {"field": "low", "valid": True}}],
        "mark": {"type": "area", "opacity": 0.22},
        "encoding": {
            "x": moment,
            "y": quantity("low", target, scale={"zero": False}),
            "y2": {"field": "high"},
            "color": label("part", scale=colours),
            "detail": {"field": "window", "type": "nominal"},
        },
    }
    said = f"the band is to hold {percent(share, 0)} of the values" if banded else "sums of items have no band"
    why = f" ({picture['why']})" if picture["why"] else ""
    return chart(
        identifier,
        f"{picture['name']}{why}",
        f"Grey is what came, orange what the backtests forecast without having seen it, blue the forecast; {said}. "
        "Hold Ctrl or Shift and turn the wheel to zoom.",
        values,
        height=230,
        wide=True,
        layer=[band, line] if banded else [line],
    )


def parts(decomposition: Mapping[str, Any] | None) -> list[Chart]:
    """Draw the history with its trend, and the season beside what is left."""
    if not decomposition:
        return []
    trend, season = (percent(decomposition[f"{name}_strength"], 0) for name in ("trend", "season"))
    return [
        _lines("trend", "History and trend", f"The trend explains {trend} of what the season leaves.",
               decomposition["parts"], ("history", "trend"), [MUTED, BLUE]),
        _lines("season", "Season and rest", "The history is trend, season and rest together. The season explains "
               f"{season} of what the trend leaves.", decomposition["parts"], ("season", "rest"), [GREEN, ORANGE]),
    ]  # fmt: skip


def _lines(identifier: str, title: str, reading: str, rows: Rows, names: tuple[str, str], colours: list[str]) -> Chart:
    values = [dict(row) for row in rows if row["part"] in names and row["value"] is not None]
    return chart(
        identifier,
        title,
        reading,
        values,
        wide=True,
        height=180,
        mark={"type": "line", "strokeWidth": 1.5},
        encoding={
            "x": {"field": "time", "type": "temporal", "title": None},
            "y": quantity("value", None, scale={"zero": False}, axis={"format": _BIG}),
            "color": label("part", scale={"domain": list(names), "range": colours}),
        },
    )


def accuracy_by_window(candidates: Rows, metric: str) -> Chart | None:
    """Draw the metric of every model in every window."""
    values = [
        {"model": c["title"], "value": window[metric], "window": window["start"][:16].replace("T", " ")}
        for c in candidates
        for window in c["windows"]
        if window.get(metric) is not None
    ]
    if not values:
        return None
    return chart(
        "accuracy-windows",
        f"{metric} by model and backtest window",
        "Each dot is one window; further left is better. The ensemble's figures use weights of the other windows only.",
        values,
        height=rows_height(sorted({v["model"] for v in values}), 26),
        wide=True,
        mark={"type": "point", "size": 60, "opacity": 0.8, "filled": True},
        encoding={
            "x": quantity("value", metric, scale={"zero": False}),
            "y": label("model", axis={"grid": True, "labelLimit": 220}),
            "color": label("window", scale={"range": PALETTE}),
            "tooltip": tip(("model", "model"), ("window", "window from"), ("value", metric, ",.4~g")),
        },
    )


def shares(candidates: Rows) -> Chart | None:
    """Draw how much each model counts, averaged over the items."""
    values = [{"model": c["title"], "share": c["share"], "items": c["items"]} for c in candidates if c["share"]]
    if not values:
        return None
    values.sort(key=lambda v: -v["share"])
    return chart(
        "shares",
        "What the forecasts are made of",
        "The weight of each model, averaged over the items; every item has its own weights.",
        values,
        height=rows_height(values),
        mark="bar",
        encoding={
            "x": quantity("share", "mean weight", axis={"format": "%"}),
            "y": label("model", axis={"labelLimit": 220}),
            "tooltip": tip(("model", "model"), ("share", "mean weight", ".1%"), ("items", "items that use it", ",")),
        },
    )


def errors_by_item(items: Rows) -> Chart | None:
    """Draw the items' losses as a share of the better reference's, the worst first."""
    values = [{"item": row["item"], "ratio": row["ratio"]} for row in items if row["ratio"] is not None]
    if len(values) < 2:
        return None
    shown = values if len(values) <= MOST_BARS else [*values[: MOST_BARS // 2], *values[-MOST_BARS // 2 :]]
    left = "" if shown is values else f" Of {len(values):,} items the worst and the best {MOST_BARS // 2} are drawn."
    return chart(
        "item-errors",
        "Errors by item",
        "The error of each item as a share of what last season's (or the last) values would have had: left of the line "
        f"the forecast is better.{left}",
        [row | {"state": "better" if row["ratio"] < 1 else "worse"} for row in shown],
        height=rows_height(shown, 20),
        wide=True,
        layer=[
            {
                "mark": "bar",
                "encoding": {
                    "x": quantity("ratio", "error beside the better of naive and seasonal naive"),
                    "y": label("item", axis={"labelLimit": 220}),
                    "color": label("state", scale={"domain": ["better", "worse"], "range": [GREEN, RED]}),
                    "tooltip": tip(("item", "item"), ("ratio", "share of the error", ".3f")),
                },
            },
            rule_at([{"at": 1}], "x"),
        ],
    )


def errors_by_step(rows: Rows) -> Chart | None:
    """Draw the error by how far ahead it was forecast."""
    values = [dict(row) for row in rows if row["wape"] is not None]
    if len(values) < 2:
        return None
    return chart(
        "step-errors",
        "Errors by how far ahead",
        "The error as a share of what came, for every step of the horizon; it usually grows with the distance.",
        values,
        mark={"type": "line", "point": True},
        encoding={
            "x": quantity("step", "periods ahead", axis={"tickMinStep": 1}),
            "y": quantity("wape", "error (WAPE)", axis={"format": "%"}),
            "tooltip": tip(("step", "periods ahead", "d"), ("wape", "error", ".1%")),
        },
    )


def promised(rows: Rows) -> Chart | None:
    """Draw how often values lay below each quantile, beside how often they were to."""
    values = [dict(row) for row in rows if row["share"] is not None]
    if not values:
        return None
    return chart(
        "reliability",
        "Do the quantiles keep their promise?",
        "Each point is a quantile: on the dashed line values lay below it as often as promised.",
        values,
        layer=[
            diagonal(),
            {
                "mark": {"type": "point", "size": 90, "opacity": 1},
                "encoding": {
                    "x": quantity("level", "promised", scale={"domain": [0, 1]}, axis={"format": "%"}),
                    "y": quantity("share", "came", scale={"domain": [0, 1]}, axis={"format": "%"}),
                    "tooltip": tip(("level", "promised", ".1%"), ("share", "came", ".1%")),
                },
            },
        ],
    )


def impacts(rows: Rows) -> Chart | None:
    """Draw what related series, metadata and holidays add to the forecasts or take away."""
    values = [{"name": words(row["name"]), "size": row["size"], "score": row["score"]} for row in rows[:MOST_BARS]]
    if not values:
        return None
    return chart(
        "impacts",
        "What drives the forecasts",
        "How much each moves the forecasts, as a share of their size (Shapley values of gradient boosting).",
        values,
        height=rows_height(values),
        mark="bar",
        encoding={
            "x": quantity("size", "share of the forecasts' size", axis={"format": "%"}),
            "y": label("name", axis={"labelLimit": 220}),
            "tooltip": tip(("name", "what"), ("size", "moves", ".1%"), ("score", "on balance", ".1%")),
        },
    )


def costs(policies: Rows, currency: str) -> Chart | None:
    """Draw what ways to stock cost a period: surplus and shortage."""
    values = [
        {"way": p["name"], "kind": kind, "cost": p[key]}
        for p in policies
        for kind, key in (("surplus", "over"), ("shortage", "under"))
    ]
    if not values:
        return None
    return chart(
        "stocking",
        "What ways to stock would have cost",
        "Over the backtest windows, a period, all items together; shorter is better.",
        values,
        height=rows_height(policies, 30),
        mark="bar",
        encoding={
            "x": quantity("cost", f"{currency} a period", axis={"format": _BIG}),
            "y": label("way", axis={"labelLimit": 220}),
            "color": label("kind", scale={"domain": ["surplus", "shortage"], "range": [ORANGE, RED]}),
            "tooltip": tip(("way", "way"), ("kind", "of"), ("cost", currency, ",.5~g")),
        },
    )
