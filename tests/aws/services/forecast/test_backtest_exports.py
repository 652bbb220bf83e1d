"""Exports of backtests: what was forecast beside what came, and the errors of each item."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.slow
def test_values_and_errors_of_all_windows(
    forecast: Any, shop: Any, tables: Callable[..., Any], until_active: Callable[..., Any]
) -> None:
    path = f"{shop.files}/backtests"
    job = forecast.create_predictor_backtest_export_job(
        PredictorBacktestExportJobName="backtests",
        PredictorArn=shop.predictor,
        Destination={"S3Config": {"Path": f"{path}/", "RoleArn": shop.role}},
    )["PredictorBacktestExportJobArn"]
    until_active(forecast.describe_predictor_backtest_export_job, PredictorBacktestExportJobArn=job)
    found = {key.partition("/")[0]: table for key, table in tables(path).items()}
    results = forecast.get_accuracy_metrics(PredictorArn=shop.predictor)["PredictorEvaluationResults"]
    windows = len(results[0]["TestWindows"]) - 1
    values, errors = found["forecasted-values"], found["accuracy-metrics-values"]
    assert values.columns == [
        "item_id", "timestamp", "target_value", "backtestwindow_start_time", "backtestwindow_end_time", "p10", "p50",
        "p90", "mean",
    ]  # fmt: skip
    assert len(values) == windows * 3 * 7
    assert errors.columns == [
        "item_id", "backtest_window", "backtestwindow_start_time", "backtestwindow_end_time", "wQL[0.1]", "wQL[0.5]",
        "wQL[0.9]", "AverageWQL", "WAPE", "MAPE", "RMSE",
    ]  # fmt: skip
    assert len(errors) == windows * 3
    first = values.filter((values["item_id"] == "tea") & (values["backtestwindow_start_time"] == errors[0, 2]))
    wape = (first["target_value"] - first["p50"]).abs().sum() / first["target_value"].sum()
    told = errors.filter((errors["item_id"] == "tea") & (errors["backtestwindow_start_time"] == errors[0, 2]))
    assert told["WAPE"].item() == pytest.approx(wape)
