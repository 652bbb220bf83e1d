"""The trade of the ensemble: score against time, the number chosen marked."""

from __future__ import annotations

from typing import Any

from headrace.ml.report.listings.ensemble import sizes
from headrace.ml.report.listings.listing import Mark


def test_every_number_of_models_shows_its_score_and_time(make_document: Any) -> None:
    document = make_document()
    chosen = len(document["steps"]["training"]["members"])
    table = sizes(document)
    assert table is not None
    assert [row[0] for row in table.rows] == ["1", "2", "3"]
    assert [row[2] for row in table.rows] == ["20 µs", "40 µs", "60 µs"]
    assert [isinstance(row[3], Mark) for row in table.rows] == [n == chosen for n in (1, 2, 3)]


def test_a_single_size_is_no_trade(make_document: Any) -> None:
    document = make_document()
    document["steps"]["training"]["ensemble_path"] = document["steps"]["training"]["ensemble_path"][:1]
    assert sizes(document) is None
