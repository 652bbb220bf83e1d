"""Tables of step 9: trade-offs along the thresholds, candidates by money, limits, and earlier decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.report.formats import NOTHING, moment, number, percent, sentence, words
from headrace.ml.report.listings.listing import Cell, Listing, Mark, listing

Document = Mapping[str, Any]
SHARES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
MEETS = {"surely": Mark("met", "good"), "narrowly": Mark("perhaps", "warn"), "no": Mark("missed", "bad")}


def trade_offs(document: Document) -> Listing | None:
    """What some thresholds would bring on held-out rows, the one in use among them."""
    business = document["business"]
    curve, chosen = business["threshold_curve"], business["threshold"]
    points = [p for p in curve if p.get("share") is not None]
    if chosen is None or not points:
        return None
    money, kpis = points[0].get("expected_value") is not None, points[0].get("meets") is not None
    here = min(points, key=lambda p: abs(p["threshold"] - chosen))
    near = [min(points, key=lambda p: abs(p["share"] - share)) for share in SHARES]
    picked = sorted({id(p): p for p in (*near, here)}.values(), key=lambda p: p["share"])
    rows: list[tuple[Cell, ...]] = []
    for point in picked:
        cells: list[Cell] = [number(point["threshold"], 3) + (" (in use)" if point is here else "")]
        cells += [percent(point["share"])]
        cells += [number(point.get(name), 3) for name in ("precision", "recall", "f1")]
        if money:
            cells += [number(point["expected_value"]), interval_text(point)]
        if kpis:
            cells += [MEETS.get(str(point["meets"]), NOTHING)]
        rows.append(tuple(cells))
    headings: tuple[str, ...] = ("Threshold", "Acted on", "Precision", "Recall", "F1")
    headings += (f"{business['currency']} a decision", "95 % interval") if money else ()
    headings += ("KPIs it decides",) if kpis else ()
    return listing("What each threshold would bring, on held-out rows", headings, rows, *range(1, 7 if money else 5))


def profits(document: Document) -> Listing | None:
    """What the model and each candidate would earn, each from its own best threshold on."""
    business = document["business"]
    found = business.get("profits") or ()
    if len(found) < 2:
        return None
    money = bool(business["expected_value"])
    rows: list[tuple[Cell, ...]] = [
        (
            sentence(words(row["name"])),
            number(row["value"]),
            NOTHING if i == 0 else number(row["gain"]["value"]),
            NOTHING if i == 0 else interval_text(row["gain"]),
            percent(row.get("share")),
            percent(row["weight"]) if row.get("weight") else NOTHING,
        )
        for i, row in enumerate(found)
    ]
    measure = f"{business['currency']} a decision" if money else "F1"
    headings = ("Candidate", measure, "More than the model", "95 % interval", "Acted on", "Weight in the model")
    return listing("The model and its candidates, each at its own best threshold, on held-out rows", headings, rows,
                   1, 2, 3, 4, 5)  # fmt: skip


def class_decisions(document: Document) -> Listing | None:
    """Which classes the test rows were decided for by least expected cost."""
    money = document["business"]["expected_value"] or {}
    classes, confusion = money.get("classes") or (), money.get("confusion") or ()
    rows: list[tuple[Cell, ...]] = [
        (name, *(f"{count:,}" for count in counts)) for name, counts in zip(classes, confusion, strict=True)
    ]
    headings = ("The class is", *(f"Decided for {name}" for name in classes))
    title = "Test rows, each decided for the class of least expected cost"
    return listing(title, headings, rows, *range(1, len(headings)))


def limits(document: Document) -> Listing | None:
    """What KPIs and capacity cost, on the test part."""
    names = {"kpis": "Meeting the KPIs", "capacity": "Capacity"}
    rows: list[tuple[Cell, ...]] = [
        (
            f"{names.get(name, words(name))}{': ' + limit['text'] if limit.get('text') else ''}",
            number(limit["threshold"], 3),
            f"{number(limit['cost']['value'])} {limit['cost']['unit']}",
            interval_text(limit["cost"]),
        )
        for name, limit in (document["business"].get("limits") or {}).items()
    ]
    headings = ("Limit", "Threshold without it", "What it costs", "95 % interval")
    return listing("What the limits of the choice cost, on the test part", headings, rows, 1, 2, 3)


def history(document: Document) -> Listing | None:
    """Earlier decisions that were taken anew, the oldest first."""
    rows: list[tuple[Cell, ...]] = [
        (
            moment(row.get("replaced")),
            str(row.get("decision")),
            number(row.get("threshold"), 3),
            number((row.get("expected_value") or {}).get("value")),
            ", ".join(f"{words(k)} {_said(v)}" for k, v in (row.get("asked") or {}).items()) or NOTHING,
        )
        for row in document["business"].get("history") or ()
    ]
    headings = ("Replaced", "It was", "Threshold", "Money a decision", "Replaced by asking for")
    return listing("Earlier decisions", headings, rows, 2, 3)


def _said(value: Any) -> str:
    """Write what was asked for; bounds are a mapping of metrics."""
    if isinstance(value, Mapping):
        return " and ".join(f"{words(name)} {number(bound)}" for name, bound in value.items())
    return number(value)


def interval_text(row: Mapping[str, Any]) -> str:
    """Write a 95 % interval, a dash where there is none."""
    low, high = row.get("low"), row.get("high")
    return NOTHING if low is None or high is None else f"{number(low)} to {number(high)}"
