"""Charts of step 9: what each threshold earns, candidates beside the model, trade-offs, and other costs tried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.ml.report.charts.specification import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PALETTE,
    Chart,
    chart,
    label,
    quantity,
    rule_at,
    text_at,
    tip,
)
from headrace.ml.report.formats import words

Points = Sequence[Mapping[str, Any]]
SHARES = {"domain": [0, 1]}
LINES = {"precision": "precision", "recall": "recall", "f1": "F1", "share": "acted on"}
MOST_LINES = 7
_THRESHOLD = "threshold: act from here on"


def profit(
    curve: Points,
    chosen: float | None,
    measure: str,
    *,
    money: bool,
    spread: Sequence[float | None] = (None, None),
    tested: Mapping[str, Any] | None = None,
) -> Chart | None:
    """Draw what a decision earns (or another measure) at every threshold, the chosen one ruled.

    Points are {threshold, value, low, high}; `spread` is the chosen threshold's interval, and `tested` {value, low,
    high} what the test part says of it.
    """
    names = ("threshold", "value", "low", "high")
    values = [{name: p.get(name) for name in names} for p in curve if p.get("value") is not None]
    if not values:
        return None
    form = ",.2f" if money else ".3f"
    x = quantity("threshold", _THRESHOLD, scale=SHARES, axis={"format": "%"})
    y = quantity("value", measure, scale={"zero": False}, axis={"format": "~s"})
    layers: list[dict[str, Any]] = []
    if None not in (chosen, *spread):
        ends = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}
        place = {"values": [{"low": spread[0], "high": spread[1]}]}
        layers.append({"data": place, "mark": {"type": "rect", "color": ORANGE, "opacity": 0.12}, "encoding": ends})
    if values[0]["low"] is not None:
        limits = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}}
        layers.append({"mark": {"type": "area", "color": BLUE, "opacity": 0.18}, "encoding": limits})
    told = tip(("threshold", "threshold", ".3f"), ("value", "value", form))
    told += tip(("low", "95 % from", form), ("high", "to", form)) if values[0]["low"] is not None else []
    mark = {"type": "line", "point": {"opacity": 0, "size": 60}}
    layers.append({"mark": mark, "encoding": {"x": x, "y": y, "tooltip": told}})
    if chosen is not None:
        here = [{"at": chosen, "text": f"chosen: {chosen:.3f}"}]
        layers += [rule_at(here, "x", color=ORANGE, strokeWidth=2), text_at(here, "x")]
        layers += _tested(chosen, tested, x, y, form)
    earned = [float(v["value"] or 0) for v in values]
    if money and min(earned) < 0 < max(earned):
        layers.append(rule_at([{"at": 0}], "y", strokeDash=[2, 2]))
    title = "Profit against threshold" if money else f"{measure} against threshold"
    reading = (
        "The line shows what a decision earns on held-out rows, with its 95 % band; the ruled line is the threshold in "
        "use, the strip where other rows would have put it, and the dot what the untouched test part says."
        if money
        else "The line shows the measure at each threshold on held-out rows; the ruled line is the threshold in use, "
        "at or near the top."
    )
    return chart("profit", title, reading, values, height=280, wide=True, layer=layers)


def _tested(
    chosen: float, tested: Mapping[str, Any] | None, x: dict[str, Any], y: dict[str, Any], form: str
) -> list[dict[str, Any]]:
    """Draw the test part's figure with its interval at the chosen threshold."""
    if not tested or tested.get("value") is None:
        return []
    data = {"values": [{"threshold": chosen} | {k: tested.get(k) for k in ("value", "low", "high")}]}
    told = tip(("value", "on the test part", form), ("low", "95 % from", form), ("high", "to", form))
    dot = {"type": "point", "filled": True, "size": 110, "color": GREEN}
    layers = [{"data": data, "mark": dot, "encoding": {"x": x, "y": y, "tooltip": told}}]
    if tested.get("low") is not None:
        ends = {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}}
        layers.insert(0, {"data": data, "mark": {"type": "rule", "color": GREEN, "strokeWidth": 3}, "encoding": ends})
    return layers


def profits(rows: Points, measure: str, *, money: bool) -> Chart | None:
    """Draw what the model and the best candidates would earn against the share of rows acted on."""
    known = [row for row in rows if row.get("worth")]
    values = [
        {"name": words(row["name"]), "share": acted / row["acted"][-1], "value": worth, "order": i}
        for i, row in enumerate(known[:MOST_LINES])
        for acted, worth in zip(row["acted"], row["worth"], strict=True)
    ]
    if len(known) < 2:
        return None
    return chart(
        "profits",
        "The model and its rivals" if money else "F1 of the model and its rivals",
        "Each line is one candidate of the run, from acting on no row to acting on all, surest rows first, on held-out "
        "rows; the model should reach as high as any of them.",
        values,
        height=280,
        wide=True,
        mark={"type": "line", "strokeWidth": 2},
        encoding={
            "x": quantity("share", "rows acted on", scale=SHARES, axis={"format": "%"}),
            "y": quantity("value", measure, scale={"zero": False}, axis={"format": "~s"}),
            "color": label("name", scale={"range": [INK, *PALETTE[: MOST_LINES - 1]]}),
            "detail": {"field": "name", "type": "nominal"},
            "tooltip": tip(("name", "candidate"), ("share", "acted on", ".1%"), ("value", measure, ",.4~g")),
        },
    )


def trade_offs(curve: Points, chosen: float | None) -> Chart | None:
    """Draw precision, recall, F1 and the share acted on at every threshold, shaded where all KPIs are met."""
    values = [
        {"threshold": p["threshold"], "measure": said, "value": p[name]}
        for name, said in LINES.items()
        for p in curve
        if p.get(name) is not None and (p.get("share") or name != "precision")
    ]
    if not values:
        return None
    x = quantity("threshold", _THRESHOLD, scale=SHARES, axis={"format": "%"})
    layers: list[dict[str, Any]] = []
    met = [p for p in curve if p.get("meets") in ("surely", "narrowly")]
    if met:
        strips = [
            {
                "low": p["threshold"],
                "high": _next(curve, p),
                "met": "surely met" if p["meets"] == "surely" else "met, narrowly",
            }
            for p in met
        ]
        opacity = {"domain": ["surely met", "met, narrowly"], "range": [0.2, 0.09]}
        ends = {
            "x": x | {"field": "low"},
            "x2": {"field": "high"},
            "opacity": {"field": "met", "type": "ordinal", "scale": opacity, "legend": None},
        }
        layers.append({"data": {"values": strips}, "mark": {"type": "rect", "color": GREEN}, "encoding": ends})
    line = {
        "x": x,
        "y": quantity("value", "share", scale=SHARES, axis={"format": "%"}),
        "color": label("measure", scale={"domain": list(LINES.values()), "range": PALETTE[:4]}),
        "tooltip": tip(("measure", "measure"), ("threshold", "threshold", ".3f"), ("value", "value", ".1%")),
    }
    layers.append({"mark": {"type": "line", "point": {"opacity": 0, "size": 60}}, "encoding": line})
    if chosen is not None:
        layers.append(rule_at([{"at": chosen}], "x", color=ORANGE, strokeWidth=2))
    shaded = " Shaded thresholds meet every KPI that a threshold decides, darker ones beyond chance." if met else ""
    return chart(
        "trade-offs",
        "Trade-offs",
        "A higher threshold acts on fewer rows: more of them are right (precision), but fewer of the cases are found "
        f"(recall).{shaded}",
        values,
        height=280,
        wide=True,
        layer=layers,
    )


def _next(curve: Points, point: Mapping[str, Any]) -> float:
    """Where the strip of a point of the rising curve ends."""
    higher = [p["threshold"] for p in curve if p["threshold"] > point["threshold"]]
    return min(higher) if higher else 1.0


def what_if(curve: Points, money: Mapping[str, float], currency: str) -> Chart | None:
    """Draw the profit curve with sliders for the money of each outcome: it is computed anew in the browser.

    `money`: true_positive, false_positive, false_negative, true_negative, gained a decision (negative: lost).
    """
    known = [p for p in curve if None not in (p.get("share"), p.get("precision"), p.get("threshold"))]
    if not known:
        return None
    cases = max(p["share"] * p["precision"] for p in known)
    values = []
    for p in known:
        hits = p["share"] * p["precision"]
        rest = 1 - p["share"] - cases + hits
        values.append(
            {"threshold": p["threshold"], "share": p["share"], "hits": hits, "alarms": p["share"] - hits,
             "misses": cases - hits, "rest": rest * money["true_negative"]}
        )  # fmt: skip
    costs = {
        "missed": ("a missed case costs", -money["false_negative"]),
        "alarm": ("acting in vain costs", -money["false_positive"]),
        "gained": ("acting rightly brings", money["true_positive"]),
    }
    most = _round_up(3 * max(*(abs(value) for _, value in costs.values()), 1e-9))
    sliders = [
        {
            "name": name,
            "value": value,
            "bind": {"input": "range", "min": min(0, value), "max": most, "step": most / 200, "name": said},
        }
        for name, (said, value) in costs.items()
    ]
    x = quantity("threshold", _THRESHOLD, scale=SHARES, axis={"format": "%"})
    y = quantity("money", f"{currency} a decision", scale={"zero": False, "padding": 18}, axis={"format": "~s"})
    told = tip(
        ("threshold", "threshold", ".3f"), ("share", "acted on", ".1%"), ("money", f"{currency} a decision", ",.2f")
    )
    best = [{"filter": "datum.money === datum.best"}, {"window": [{"op": "row_number", "as": "place"}]},
            {"filter": "datum.place === 1"}]  # fmt: skip
    line = {
        "mark": {"type": "line", "point": {"opacity": 0, "size": 60}},
        "encoding": {"x": x, "y": y, "tooltip": told},
    }
    dot = {"type": "point", "filled": True, "size": 110, "color": ORANGE}
    text = {"type": "text", "dy": -14, "color": ORANGE, "fontWeight": 600}
    layers = [
        line,
        {"transform": best, "mark": dot, "encoding": {"x": x, "y": y, "tooltip": told}},
        {"transform": best, "mark": text,
         "encoding": {"x": x, "y": y, "text": {"field": "threshold", "type": "quantitative", "format": ".3f"}}},
    ]  # fmt: skip
    return chart(
        "what-if",
        "What if the costs were others?",
        "Move the sliders: the curve follows, and the dot is the threshold that earns the most on held-out rows, KPIs "
        "and capacity aside. headrace decide with the same costs minds them and confirms the threshold on the test "
        "part; --write takes it over.",
        values,
        height=280,
        wide=True,
        params=sliders,
        transform=[
            {
                "calculate": "datum.hits * gained - datum.alarms * alarm - datum.misses * missed + datum.rest",
                "as": "money",
            },
            {"joinaggregate": [{"op": "max", "field": "money", "as": "best"}]},
        ],
        layer=layers,
    )


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, … times a power of ten."""
    power = 10.0
    while power < value:
        power *= 10
    while power / 10 >= value:
        power /= 10
    return next(power * part for part in (0.1, 0.2, 0.5, 1.0) if power * part >= value)
