"""Tables of a forecast's report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.report.formats import money, number, percent
from headrace.ml.report.listings.listing import Cell, Listing, Mark, listing

METRICS = ("wQL", "WAPE", "RMSE", "MAPE", "MASE")
Document = Mapping[str, Any]


def accuracy(document: Document) -> Listing | None:
    """Every model's figures averaged over the windows, the ensemble first, then the better ones."""
    metric = document["metric"]
    ranked = sorted(
        document["candidates"],
        key=lambda c: (c["share"] is not None, _or_last(c["metrics"][metric])),
    )
    rows: list[tuple[Cell, ...]] = [
        (Mark(c["title"], "good") if c["share"] is None else c["title"],
         *(number(c["metrics"][name]) for name in METRICS),
         "–" if c["share"] is None else percent(c["share"]))
        for c in ranked
    ]  # fmt: skip
    return listing("Accuracy in the backtest windows", ("model", *METRICS, "mean weight"), rows, 1, 2, 3, 4, 5, 6)


def windows(document: Document) -> Listing | None:
    """The backtest windows."""
    own = document["candidates"][0]["windows"]
    facts = document["steps"]["preparation"]["windows"]
    rows: list[tuple[Cell, ...]] = [
        (_when(f["start"]), _when(f["end"]), number(f["points"]), *(number(w[name]) for name in METRICS))
        for f, w in zip(facts, own, strict=True)
    ]
    return listing("Backtest windows", ("from", "to", "values", *METRICS), rows, 2, 3, 4, 5, 6, 7)


def items(document: Document) -> Listing | None:
    """Every item's error beside the references'."""
    found = document["steps"]["evaluation"]["items"]
    references = [name for name in ("naive", "seasonal_naive") if found and name in found[0]]
    rows: list[tuple[Cell, ...]] = [
        (
            row["item"],
            number(row["loss"]),
            *(number(row.get(name)) for name in references),
            "–" if row["ratio"] is None else Mark(percent(row["ratio"]), "good" if row["ratio"] < 1 else "warn"),
        )
        for row in found
    ]
    heads = ("item", "error", *(name.replace("_", " ") for name in references), "share of the better")
    return listing("Errors by item", heads, rows, *range(1, 2 + len(references)))


def stocking(document: Document) -> Listing | None:
    """What ways to stock cost."""
    found = document["business"]["stocking"]
    if not found:
        return None
    currency = document["business"]["currency"]
    rows: list[tuple[Cell, ...]] = [
        (Mark(p["name"], "good") if place == 0 else p["name"],
         *(money(p[key], currency) for key in ("cost", "over", "under")))
        for place, p in enumerate(found["policies"])
    ]  # fmt: skip
    return listing("Ways to stock, a period", ("way", "cost", "of surplus", "of shortage"), rows, 1, 2, 3)


def timings(document: Document) -> Listing | None:
    """Seconds by step."""
    rows: list[tuple[Cell, ...]] = [
        (name.replace("_", " "), number(seconds, 3)) for name, seconds in document["timings"].items()
    ]
    return listing("Seconds by step", ("step", "seconds"), rows, 1)


def _when(text: str) -> str:
    return text[:10] if text[10:] in ("", "T00:00:00") else text[:16].replace("T", " ")


def _or_last(value: float | None) -> float:
    return float("inf") if value is None else value
