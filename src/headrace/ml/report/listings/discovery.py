"""Tables about clusters, anomalies and association rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.report.formats import NOTHING, number, percent, sentence, words
from headrace.ml.report.listings.data import value_text
from headrace.ml.report.listings.listing import Cell, Listing, Mark, listing

Document = Mapping[str, Any]


def cluster_candidates(document: Document) -> Listing | None:
    """Every algorithm with every number of clusters, and the evidence."""
    rows: list[tuple[Cell, ...]] = [
        (
            sentence(words(c["algorithm"])),
            number(c["clusters"]),
            number(c["silhouette"]),
            f"{number(c['reference'])} (at most {number(c['reference_high'])})",
            number(c["stability"]),
            percent(c["noise"]) if c["noise"] else NOTHING,
            number(c["gap"]),
            number(c["bic"]),
            Mark("chosen", "good")
            if c["chosen"]
            else Mark("possible", "neutral")
            if c["eligible"]
            else Mark("no", "bad"),
        )
        for c in document["discovery"].get("candidates", ())
    ]
    headings = (
        "Algorithm",
        "Clusters",
        "Silhouette",
        "Without clusters",
        "Halves agree",
        "In none",
        "Gap",
        "BIC",
        "Verdict",
    )
    return listing("How many clusters", headings, rows, 1, 2, 4, 5, 6, 7)


def clusters(document: Document) -> Listing | None:
    """The clusters in words."""
    rows: list[tuple[Cell, ...]] = [
        (
            words(c["name"]),
            number(c["rows"]),
            percent(c["share"]),
            percent(c["test_share"]),
            number(c["silhouette"]),
            "; ".join(c["described"]) or "nothing tells it from the rest",
            ", ".join(str(t["row"]) for t in c["typical"]),
        )
        for c in document["discovery"].get("clusters", ())
    ]
    headings = ("Cluster", "Rows", "Share", "Share of the test part", "Silhouette (test)", "What it is", "Typical rows")
    return listing("The clusters", headings, rows, 1, 2, 3, 4)


def typical_rows(document: Document) -> Listing | None:
    """The rows nearest to the middle of each cluster."""
    rows: list[tuple[Cell, ...]] = [
        (words(c["name"]), str(t["row"]), ", ".join(f"{k} {value_text(v)}" for k, v in t["values"].items()))
        for c in document["discovery"].get("clusters", ())
        for t in c["typical"]
    ]
    return listing("Typical rows (medoids)", ("Cluster", "Row", "Values"), rows)


def detectors(document: Document) -> Listing | None:
    """The detectors of anomalies that were compared."""
    rows: list[tuple[Cell, ...]] = [
        (
            sentence(words(c["algorithm"])),
            number(c["planted_auc"]),
            number(c["planted_error"]),
            number(c["stability"]),
            Mark("chosen", "good") if c["chosen"] else Mark("not chosen", "neutral"),
        )
        for c in document["discovery"].get("candidates", ())
    ]
    headings = ("Detector", "AUC on planted anomalies", "Standard error", "Halves agree (rank correlation)", "Verdict")
    return listing("Which detector", headings, rows, 1, 2, 3)


def anomalies(document: Document) -> Listing | None:
    """The strangest rows, and what makes them so."""
    rows: list[tuple[Cell, ...]] = [
        (
            str(t["row"]),
            value_text(t["time"]) if t["time"] is not None else NOTHING,
            words(t["part"]),
            number(t["score"]),
            "; ".join(f"{w['column']} = {value_text(w['value'])} (+{number(w['contribution'])})" for w in t["why"])
            or NOTHING,
        )
        for t in document["discovery"].get("top", ())
    ]
    return listing("The strangest rows", ("Row", "Time", "Part", "Score", "What makes it strange"), rows, 3)


def rules(document: Document) -> Listing | None:
    """The rules, the strongest first."""
    rows: list[tuple[Cell, ...]] = [
        (
            " and ".join(map(str, r["antecedent"])),
            str(r["consequent"]),
            percent(r["support"]),
            percent(r["confidence"]),
            number(r["lift"]),
            number(r["leverage"]),
            number(r["conviction"]),
            number(r["p_value"]),
            percent(r["test_confidence"]),
            number(r["test_lift"]),
            Mark("confirmed", "good") if r["confirmed"] else Mark("not confirmed", "bad"),
        )
        for r in document["discovery"].get("rules", ())
    ]
    headings = (
        "If a basket has",
        "then also",
        "Support",
        "Confidence",
        "Lift",
        "Leverage",
        "Conviction",
        "Chance (corrected)",
        "Confidence (test)",
        "Lift (test)",
        "On the test part",
    )
    return listing("Rules", headings, rows, 2, 3, 4, 5, 6, 7, 8, 9)


def items(document: Document) -> Listing | None:
    """The items that occur most."""
    rows: list[tuple[Cell, ...]] = [
        (str(i["item"]), percent(i["support"])) for i in document["discovery"].get("items", ())
    ]
    return listing("The most frequent items", ("Item", "In so many baskets"), rows, 1)
