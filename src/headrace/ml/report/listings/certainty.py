"""Tables of calibration, intervals and prediction sets: what was tried, and how it did on held-out rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.report.formats import number, percent, sentence, words
from headrace.ml.report.listings.listing import Cell, Listing, Mark, listing

Facts = Mapping[str, Any]


def calibrations(facts: Facts) -> Listing | None:
    """The ways to calibrate."""
    rows: list[tuple[Cell, ...]] = [
        (
            sentence(words(row["name"])),
            number(row["log_loss"]),
            number(row["brier"]),
            number(row["calibration_error"]),
            _chosen(row["name"] == facts["method"]),
        )
        for row in facts.get("methods") or ()
    ]
    headings = ("Calibration", "Log loss", "Brier score", "Calibration error", "")
    return listing("Ways to calibrate the probabilities, on held-out rows", headings, rows, 1, 2, 3)


def bounds(facts: Facts) -> Listing | None:
    """The ways to make intervals or prediction sets."""
    methods = facts.get("methods") or ()
    sets = any("size" in row for row in methods)
    rows: list[tuple[Cell, ...]] = [
        (
            sentence(words(row["name"])),
            number(row["size"] if sets else row["width"]),
            percent(row["single"]) if sets else number(row["score"]),
            _chosen(row["name"] == facts["method"]),
        )
        for row in methods
    ]
    if sets:
        headings = ("Prediction sets", "Classes in a set", "Sets with one class", "")
        return listing("Ways to make prediction sets, on held-out rows", headings, rows, 1, 2)
    headings = ("Width", "Mean width", "Interval score (lower is better)", "")
    return listing("Ways to make intervals, on held-out rows", headings, rows, 1, 2)


def _chosen(chosen: bool) -> Cell:
    return Mark("chosen", "good") if chosen else ""
