"""`headrace run` on series: the engine of `headrace forecast`, with what the charter says."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import headrace
from headrace.ml.applications.automl import ProcessRecord
from headrace.ml.applications.forecasting.models import MODELS
from headrace.ml.applications.forecasting.predictor import plan
from headrace.ml.errors import OptionError

DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days) for days in range(80)]
SALES = pl.DataFrame(
    {
        "day": DAYS * 2,
        "shop": ["north"] * 80 + ["south"] * 80,
        "sales": [20.0 + 7 * (i % 7) + i % 3 for i in range(80)] + [50.0 + 9 * (i % 7) for i in range(80)],
    }
)


@pytest.fixture(autouse=True)
def only_the_simplest_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MODELS", {name: MODELS[name] for name in ("naive", "seasonal_naive")})


def run(out: Path, **more: Any) -> ProcessRecord:
    return headrace.run(SALES, "sales", out=out, **more)


def test_series_are_recognised_and_forecast_with_the_costs_of_the_charter(tmp_path: Path) -> None:
    charter = tmp_path / "charter.yaml"
    charter.write_text("problem: Too little bread.\ncurrency: EUR\nerror_cost: {under: 3, over: 1}\n", encoding="utf-8")
    record = run(tmp_path / "out", charter=charter)
    assert record.document["task"] == "forecasting"
    assert record.document["business"]["stocking"]["level"] == 0.75
    assert record.document["steps"]["business_problem"]["problem"] == "Too little bread."
    assert set(record.steps) == set(record.document["steps"])
    forecasts = pl.read_csv(tmp_path / "out" / "forecasts.csv")
    assert forecasts.columns[:3] == ["shop", "day", "mean"]
    assert forecasts.height == 2 * 7


def test_the_horizon_can_be_asked_for_and_options_without_meaning_are_refused(tmp_path: Path) -> None:
    record = run(tmp_path / "out", task="forecasting", time="day", item="shop", horizon=3)
    assert record.document["steps"]["problem_framing"]["horizon"] == 3
    with pytest.raises(OptionError, match="--group is not for forecasting"):
        run(tmp_path / "other", task="forecasting", group="shop")
    with pytest.raises(OptionError, match="--horizon 0 forecasts nothing"):
        run(tmp_path / "other", task="forecasting", horizon=0)
    assert not (tmp_path / "other").exists()
