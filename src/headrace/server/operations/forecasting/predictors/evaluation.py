"""What backtests say of a predictor, in the members of GetAccuracyMetrics and DescribePredictor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from headrace.server.clock import moment, stamp
from headrace.server.operations.forecasting.predictors.algorithms import algorithm_arn

if TYPE_CHECKING:
    from headrace.ml.applications.forecasting.predictor import Predictor, WindowAccuracy

COMPUTED, SUMMARY = "COMPUTED", "SUMMARY"


@dataclass(frozen=True)
class Results:
    """Test windows by algorithm, as records keep them (times in ms), the best algorithm first.

    Of a predictor that chose among models by itself the algorithm is "": what is measured is what it made of them.
    """

    windows: tuple[dict[str, Any], ...]

    def members(self, chosen: bool) -> dict[str, Any]:
        """Return the members of a legacy predictor's description; `chosen` says that AutoML chose the algorithm."""
        executions = [
            {
                "algorithm_arn": each["algorithm_arn"],
                "test_windows": [
                    {"test_window_start": window["start"], "test_window_end": window["end"], "status": "ACTIVE"}
                    for window in each["windows"]
                    if window["type"] == COMPUTED
                ],
            }
            for each in self.windows
        ]
        best = {"auto_ml_algorithm_arns": [self.windows[0]["algorithm_arn"]]} if chosen else {}
        return {"_executions": executions, **best}


def evaluate(predictor: Predictor, plan: Mapping[str, Any], partition: str, *, automatic: bool) -> Results:
    """Return the figures of a trained predictor, by algorithm where `automatic` is False."""
    from headrace.ml.applications.forecasting.predictor import ENSEMBLE

    types = list(plan["types"])
    if automatic:
        return Results(({"algorithm_arn": "", "windows": _windows(predictor, ENSEMBLE, types)},))
    named = {name: algorithm_arn(name, partition) for name in plan["algorithms"] if name in predictor.accuracy}
    asked = sorted(named, key=lambda name: _order(predictor, name, plan["optimise"]))
    if len(asked) <= 1:
        arn = algorithm_arn(plan["algorithms"][0], partition)
        return Results(({"algorithm_arn": arn, "windows": _windows(predictor, ENSEMBLE, types)},))
    return Results(tuple({"algorithm_arn": named[name], "windows": _windows(predictor, name, types)} for name in asked))


def shown_windows(windows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return kept windows as WindowSummary members (AWS page: Amazon Forecast API, WindowSummary)."""
    return [
        {
            "test_window_start": moment(each["start"]),
            "test_window_end": moment(each["end"]),
            "item_count": each["items"],
            "evaluation_type": each["type"],
            "metrics": each["metrics"],
        }
        for each in windows
    ]


def _order(predictor: Predictor, name: str, metric: str) -> float:
    value = predictor.average(name).metric(metric)
    return value if math.isfinite(value) else math.inf


def _windows(predictor: Predictor, name: str, types: Sequence[str]) -> list[dict[str, Any]]:
    items = [int((~_nan(each.actual)).any(axis=1).sum()) for each in predictor.backtests]
    each = [
        _window(found, count, COMPUTED, types) for found, count in zip(predictor.accuracy[name], items, strict=True)
    ]
    each.sort(key=lambda window: window["start"])
    return [*each, _window(predictor.average(name), max(items, default=0), SUMMARY, types)]


def _nan(values: Any) -> Any:
    import numpy as np

    return np.isnan(values)


def _window(found: WindowAccuracy, items: int, kind: str, types: Sequence[str]) -> dict[str, Any]:
    losses = [{"quantile": level, "loss_value": _number(loss)} for level, loss in sorted(found.quantile_losses.items())]
    asked = {_level(each): each for each in types}
    errors = [
        {
            "forecast_type": asked[name],
            **{metric.lower(): _number(value) for metric, value in each.items()},
        }
        for name, each in found.errors.items()
        if name in asked
    ]
    return {
        "start": _stamp(found.start),
        "end": _stamp(found.end),
        "items": items,
        "type": kind,
        "metrics": {
            "rmse": _number(found.metric("RMSE")),
            "weighted_quantile_losses": losses,
            "error_metrics": errors,
            "average_weighted_quantile_loss": _number(found.average_quantile_loss),
        },
    }


def _level(name: str) -> str:
    """Return a forecast type as the library writes it: ".1" and "0.10" are "0.1"."""
    return name if name == "mean" else f"{float(name):g}"


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _stamp(text: str) -> int:
    return stamp(datetime.fromisoformat(text))
