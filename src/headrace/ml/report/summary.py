"""What stands at the top of the page: the decision, the money, the main figures, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.report.formats import duration, number, sentence, size
from headrace.ml.report.listings.model import expected_value_text, interval_text, metric_meaning, metric_rows

DECISIONS = {
    "go": ("Go", "good", "Every goal is met with confidence. The model can be put to use."),
    "go-with-conditions": (
        "Go, with conditions",
        "warn",
        "The model is worth using if the conditions below are heeded.",
    ),
    "no-go": ("No-go", "bad", "The model should not be used as it is. The reasons are below."),
}
ICONS = {"good": "✓", "warn": "!", "bad": "✕", "neutral": "?"}


def summary(document: Mapping[str, Any]) -> dict[str, Any]:
    """The decision with its tone and meaning, the cards with the main figures, and the next things to do."""
    title, tone, meaning = DECISIONS.get(
        document["decision"], (str(document["decision"] or "No decision"), "neutral", "")
    )
    return {
        "title": title,
        "tone": tone,
        "icon": ICONS[tone],
        "meaning": meaning,
        "cards": [
            card for card in (_money(document), _metric(document), _threshold(document), _speed(document)) if card
        ],
        "next": _next(document),
    }


def _money(document: Mapping[str, Any]) -> dict[str, str] | None:
    expected = document["business"]["expected_value"] or {}
    value = expected.get("value")
    if value is None:
        return None
    low, high = expected.get("low"), expected.get("high")
    spread = (
        ""
        if low is None
        else f"95\u00a0% interval {expected_value_text(document, low)} to {expected_value_text(document, high)}. "
    )
    gain = (expected.get("gain") or {}).get("value")
    more = (
        ""
        if gain is None
        else f"That is {expected_value_text(document, gain)} more than “{expected.get('best_policy')}”. "
    )
    return {
        "label": "Money a decision",
        "value": expected_value_text(document, value),
        "note": f"{spread}{more}What a decision by the model earns on average, on rows it never saw.",
    }


def _metric(document: Mapping[str, Any]) -> dict[str, str] | None:
    rows = [r for r in metric_rows(document) if r["name"] == document["metric"]]
    if not rows:
        return None
    row = rows[0]
    spread = "" if row["low"] is None else f"95\u00a0% interval {interval_text(row['low'], row['high'])}. "
    base = "" if row["baseline"] is None else f"The baseline reaches {number(row['baseline'])}. "
    meaning = metric_meaning(row["name"])
    return {
        "label": f"{row['title']} on the test part",
        "value": number(row["test"]),
        "note": f"{spread}{base}{meaning.capitalize()}.",
    }


def _threshold(document: Mapping[str, Any]) -> dict[str, str] | None:
    threshold = document["business"]["threshold"]
    if threshold is None:
        return None
    positive = document["steps"]["problem_framing"]["positive_class"]
    return {
        "label": "Threshold",
        "value": number(threshold, 3),
        "note": (
            f"The model says “{positive}” when the probability is at least this. "
            f"{sentence(document['business']['threshold_chosen_by'] or '')}"
        ),
    }


def _speed(document: Mapping[str, Any]) -> dict[str, str] | None:
    model = document["model"]
    if model["predict_microseconds"] is None:
        return None
    rate = (
        "" if model["rows_per_second"] is None else f"{number(round(model['rows_per_second']))} rows a second in bulk. "
    )
    weight = "" if model["bytes"] is None else f"The model file has {size(model['bytes'])}."
    return {
        "label": "Time to predict one row",
        "value": duration(model["predict_microseconds"] / 1e6),
        "note": f"{rate}{weight}",
    }


def _next(document: Mapping[str, Any]) -> list[str]:
    goals, decision = document["steps"]["business_goals"], document["decision"]
    first = {
        "go": "Use it: headrace predict model NEW_TABLE, run in the folder of this report.",
        "go-with-conditions": "Settle the conditions among the reasons above before relying on it.",
        "no-go": "Do not use it; change what the reasons above name, and run again.",
    }.get(decision)
    money = document["task"] == "binary" and document["business"]["threshold"] is not None
    other = "Other costs or KPIs? headrace decide . --help, run in the folder of this report." if money else None
    return [str(item) for item in (first, *goals["advice"], other) if item]
