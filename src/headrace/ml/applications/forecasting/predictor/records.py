"""How accurate the models and their ensemble were in the backtest windows: what GetAccuracyMetrics and reports tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting import accuracy
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.applications.forecasting.predictor.windows import Window

Floats = npt.NDArray[np.float64]
MEAN = "mean"
ERRORS = ("WAPE", "RMSE", "MAPE", "MASE")


@dataclass(frozen=True)
class WindowAccuracy:
    """Accuracy in one backtest window, or averaged over all.

    `start` and `end` are the first moments of its first and last period (ISO 8601), `points` the values that came.
    `quantile_losses` are the wQL by level, `errors` by forecast type (`mean`, `0.1`, …) WAPE, RMSE, MAPE and MASE, and
    `coverage` the share of values between the lowest and the highest quantile. NaN where nothing could be measured.
    """

    start: str
    end: str
    points: int
    quantile_losses: Mapping[float, float]
    errors: Mapping[str, Mapping[str, float]]
    coverage: float

    @property
    def average_quantile_loss(self) -> float:
        """Return the average wQL over the levels."""
        return _mean(list(self.quantile_losses.values()))

    def metric(self, name: str) -> float:
        """Return wQL, RMSE of the mean, or WAPE, MAPE or MASE of the median (without one, of the mean)."""
        if name == "wQL":
            return self.average_quantile_loss
        return self.errors[MEAN if name == "RMSE" or "0.5" not in self.errors else "0.5"][name]

    def to_json(self) -> dict[str, Any]:
        """Return the record as plain values."""
        losses = {f"{level:g}": loss for level, loss in self.quantile_losses.items()}
        return {
            "start": self.start, "end": self.end, "points": self.points, "quantile_losses": losses,
            "errors": {name: dict(values) for name, values in self.errors.items()}, "coverage": self.coverage,
        }  # fmt: skip

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> WindowAccuracy:
        """Read what `to_json` returned; null is NaN."""
        losses = {float(level): _number(loss) for level, loss in values["quantile_losses"].items()}
        errors = {
            name: {metric: _number(value) for metric, value in each.items()} for name, each in values["errors"].items()
        }
        return cls(values["start"], values["end"], values["points"], losses, errors, _number(values["coverage"]))


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def measure(
    panel: Panel, window: Window, actual: Floats, scales: Floats, mean: Floats, values: Floats, levels: Sequence[float]
) -> WindowAccuracy:
    """Measure forecasts in a window: means [n, h] and quantiles [n, h, q] beside what came; NaN counts for nothing."""
    known = np.where(np.isnan(mean), np.nan, actual)
    start, end = window_span(panel, window)
    types = {MEAN: mean} | {f"{level:g}": values[..., place] for place, level in enumerate(levels)}
    errors = {
        name: {
            "WAPE": accuracy.wape(known, each), "RMSE": accuracy.rmse(known, each),
            "MAPE": accuracy.mape(known, each), "MASE": accuracy.mase(known, each, scales),
        }
        for name, each in types.items()
    }  # fmt: skip
    losses = accuracy.weighted_quantile_losses(known, values, levels)
    points = int((~np.isnan(known)).sum())
    if not points:
        losses = np.full(len(levels), np.nan)
    return WindowAccuracy(
        start, end, points, dict(zip(levels, losses.tolist(), strict=True)), errors,
        accuracy.coverage(known, values[..., 0], values[..., -1]),
    )  # fmt: skip


def average(windows: Sequence[WindowAccuracy]) -> WindowAccuracy:
    """Return the average over windows of every figure."""
    first = windows[0]
    return WindowAccuracy(
        min(w.start for w in windows),
        max(w.end for w in windows),
        sum(w.points for w in windows),
        {level: _mean([w.quantile_losses[level] for w in windows]) for level in first.quantile_losses},
        {
            name: {metric: _mean([w.errors[name][metric] for w in windows]) for metric in each}
            for name, each in first.errors.items()
        },
        _mean([w.coverage for w in windows]),
    )


def window_span(panel: Panel, window: Window) -> tuple[str, str]:
    """Return the first moments of a window's first and last period, of the items that end last."""
    first = int(panel.ends.max()) - window.cut
    start, end = panel.frequency.timestamps(np.array([first, first + window.horizon - 1]))
    return str(start), str(end)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
