"""Long tables fold; very long ones say what is left out."""

from __future__ import annotations

from typing import Any

from headrace.ml.report.listings import data, model
from headrace.ml.report.listings.listing import Mark, listing


def test_long_tables_fold() -> None:
    short, long = listing("a", ("b",), [("x",)] * 12), listing("a", ("b",), [("x",)] * 700)
    assert short is not None
    assert long is not None
    assert (len(short.open_rows), len(short.folded_rows), short.left_out) == (12, 0, 0)
    assert (len(long.open_rows), len(long.folded_rows), long.left_out) == (10, 490, 200)
    assert listing("a", ("b",), []) is None


def test_status_has_an_icon_and_a_word(make_document: Any) -> None:
    checks = data.readiness(make_document())
    assert checks is not None
    marks = [row[1] for row in checks.rows]
    assert {(m.icon, m.text) for m in marks if isinstance(m, Mark)} == {
        ("✓", "pass"),
        ("!", "warning"),
        ("✕", "fail"),
        ("?", "unknown"),
    }


def test_candidates_stand_best_first(make_document: Any) -> None:
    for task, best in (("binary", "lightgbm 1"), ("regression", "random forest 5")):
        table = model.candidates(make_document(task))
        assert table is not None
        assert table.rows[0][0] == best
        assert table.rows[-1][0] == "neural network 1"


def test_metrics_say_when_lower_is_better(make_document: Any) -> None:
    rows = model.metric_rows(make_document())
    assert rows[0]["title"] == "ROC AUC"
    assert {r["title"] for r in rows} >= {"Log loss (lower is better)"}
