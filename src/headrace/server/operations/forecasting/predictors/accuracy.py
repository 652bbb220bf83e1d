"""How accurate a predictor was in its backtests."""

from __future__ import annotations

from typing import Any

from headrace.server.context import Context
from headrace.server.operations.forecasting import finding
from headrace.server.operations.forecasting.kinds import PREDICTOR
from headrace.server.operations.forecasting.predictors.evaluation import shown_windows

QUANTILE_LOSS = "AverageWeightedQuantileLoss"


def get_accuracy_metrics(context: Context, *, predictor_arn: str) -> dict[str, Any]:
    """Return the errors of a predictor by backtest window, and their averages (AWS page: GetAccuracyMetrics).

    Raises InUse (ResourceInUse) on a predictor that is not ACTIVE.
    """
    record = finding.get_active(context, predictor_arn, PREDICTOR).record
    results = [
        {"algorithm_arn": each["algorithm_arn"] or None, "test_windows": shown_windows(each["windows"])}
        for each in record["_results"]
    ]
    return {
        "predictor_evaluation_results": results,
        "is_auto_predictor": record["_auto"],
        "auto_ml_override_strategy": record.get("auto_ml_override_strategy"),
        "optimization_metric": record.get("optimization_metric") or QUANTILE_LOSS,
    }
