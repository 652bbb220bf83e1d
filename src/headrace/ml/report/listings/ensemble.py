"""The table of the trade that the ensemble makes: score against time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.ml.report.formats import duration, number
from headrace.ml.report.listings.listing import Cell, Listing, Mark, listing
from headrace.ml.report.listings.model import metric_title


def sizes(document: Mapping[str, Any]) -> Listing | None:
    """What each number of models would reach on held-out rows, and take; the number chosen is marked."""
    step = document["steps"]["training"]
    chosen = len(step["members"])
    rows: list[tuple[Cell, ...]] = [
        (
            number(size["members"]),
            number(size["score"]),
            duration(size["microseconds"] / 1e6),
            Mark("chosen", "good") if size["members"] == chosen else "",
        )
        for size in step["ensemble_path"]
        if None not in size.values()
    ]
    headings = ("Models", metric_title(str(document["metric"])), "To predict a row", "")
    return listing("What more models would bring, and cost", headings, rows, 0, 1, 2) if len(rows) > 1 else None
