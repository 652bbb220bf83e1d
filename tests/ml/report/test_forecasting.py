"""The page of a forecast, from its document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headrace.ml.report import render_report, write_report

METRICS = {"wQL": 0.1, "WAPE": 0.2, "RMSE": 3.0, "MAPE": None, "MASE": 0.9}
FAN = [{"time": "2024-03-01T00:00:00", "value": 2.0, "low": 1.0, "high": 3.0}]
HOSTILE = "</script><script>hacked()</script>"


@pytest.fixture
def document() -> dict[str, Any]:
    """Return a document with one of everything, and names that are hostile."""
    window = METRICS | {"start": "2024-02-01T00:00:00", "end": "2024-02-28T00:00:00"}
    policy = {"name": "the 80 % quantile", "cost": 3.0, "over": 1.0, "under": 2.0}
    line = [{"time": f"2024-0{month}-01T00:00:00", "value": float(month)} for month in (1, 2)]
    parts = [{"part": part} | row for part in ("history", "trend", "season", "rest") for row in line]
    series = {"name": HOSTILE, "why": "among the largest", "history": line, "backtests": [FAN], "forecast": FAN}
    return {
        "schema_version": "1.0", "task": "forecasting", "target": HOSTILE, "metric": "wQL", "decision": "go",
        "reasons": ["it is better"], "metrics": {"test": METRICS | {"coverage": 0.8}}, "source": "sales.csv",
        "baseline": {"name": "naive", "metrics": METRICS}, "created": "2024-03-01T00:00:00+00:00", "seed": 0,
        "business": {"currency": "EUR", "stocking": {"level": 0.8, "saving": 1.0, "policies": [policy, policy]}},
        "candidates": [
            {"algorithm": "ensemble", "title": "the ensemble", "share": None, "items": None, "metrics": METRICS,
             "windows": [window]},
            {"algorithm": "naive", "title": "Naive", "share": 1.0, "items": 2, "metrics": METRICS, "windows": [window]},
        ],
        "versions": {"headrace": "0", "python": "3"}, "model": {"bytes": 10}, "timings": {"training": 1.0},
        "budget": 60.0,
        "steps": {
            "business_problem": {"cost_over": "1 EUR", "cost_under": "4 EUR", "problem": HOSTILE},
            "problem_framing": {"horizon": 1, "frequency": "M", "period": "month", "season": 12,
                                "quantiles": [0.1, 0.5, 0.9], "items": 2, "dimensions": ["sku"], "metric": "wQL"},
            "datasets": {"items": 2, "points": 4, "start": "2024-01-01T00:00:00", "end": "2024-02-01T00:00:00",
                         "shortest": 2, "longest": 2, "new_items": 0, "zeros": 0.0, "unknown": 0,
                         "findings": [HOSTILE], "holidays": None},
            "preparation": {"windows": [{"start": "2024-02-01T00:00:00", "end": "2024-02-28T00:00:00", "points": 2}]},
            "exploration": {"decomposition": {"season": 12, "trend_strength": 0.5, "season_strength": 0.4,
                                              "parts": parts}},
            "feature_engineering": {"related": [{"name": "price", "known_ahead": True}], "metadata": ["kind"]},
            "training": {"notes": ["arima was left out"], "windows": 1},
            "evaluation": {
                "items": [{"item": name, "loss": 1.0, "naive": 2.0, "ratio": ratio} for name, ratio in (("a", 0.5), ("b", 2.0))],
                "by_step": [{"step": step, "wape": 0.1, "coverage": 0.8} for step in (1, 2)],
                "reliability": [{"level": 0.5, "share": 0.6}],
                "impacts": [{"name": "price", "score": -0.1, "size": 0.2}],
                "series": [series],
            },
            "business_goals": {"advice": []},
        },
    }  # fmt: skip


def test_the_page_holds_every_part_and_nothing_hostile(document: dict[str, Any], tmp_path: Any) -> None:
    write_report(tmp_path, document)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for said in ("Backtest windows", "What drives the forecasts", "Ways to stock", "arima was left out", "1 EUR"):
        assert said in page.replace("Arima", "arima")
    assert HOSTILE not in page
    assert page.count("chart-") > 9


def test_it_is_rendered_anew_from_its_json(document: dict[str, Any], tmp_path: Any) -> None:
    write_report(tmp_path, document)
    before = (tmp_path / "report.html").read_text(encoding="utf-8")
    (tmp_path / "report.html").unlink()
    assert render_report(tmp_path).read_text(encoding="utf-8") == before
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["task"] == "forecasting"


def test_no_go_without_costs_says_what_to_do(document: dict[str, Any], tmp_path: Any) -> None:
    document["decision"], document["business"]["stocking"] = "no-go", None
    document["steps"]["exploration"]["decomposition"] = None
    write_report(tmp_path, document)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Do not rely on these forecasts" in page
    assert "--cost-over" in page
    assert "too short, or have no season" in page
