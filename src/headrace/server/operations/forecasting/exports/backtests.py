"""What a predictor forecast in its backtests beside what came, and its errors item by item, in AWS's columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headrace.server.operations.forecasting.forecasts.making import shown_type
from headrace.server.operations.forecasting.predictors.requests import quantiles_of

if TYPE_CHECKING:
    import polars as pl

    from headrace.ml.applications.forecasting.predictor import Backtested, Predictor

VALUES, ACCURACY = "forecasted-values", "accuracy-metrics-values"
"""The folders of an export (AWS page: Exporting backtest results)."""


def backtest_tables(predictor: Predictor, types: Sequence[str]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the tables of all windows with their folders: values, and errors item by item."""
    import polars as pl

    windows = predictor.backtests
    yield VALUES, pl.concat([_values(predictor, window, types) for window in windows])
    yield ACCURACY, pl.concat([_errors(predictor, window, number) for number, window in enumerate(windows)])


def _values(predictor: Predictor, window: Backtested, types: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    known = np.flatnonzero(~np.isnan(window.mean).any(axis=1))
    times = _times(predictor, window)
    steps, levels = len(times), quantiles_of(types)
    columns: dict[str, Any] = _labels(predictor, known, steps)
    columns["timestamp"] = [f"{time}Z" for time in times] * len(known)
    columns["target_value"] = window.actual[known].ravel()
    columns["backtestwindow_start_time"] = [times[0]] * (steps * len(known))
    columns["backtestwindow_end_time"] = [times[-1]] * (steps * len(known))
    for each in types:
        values = window.mean if each == "mean" else window.values[..., levels.index(round(float(each), 2))]
        columns[shown_type(each)] = values[known].ravel()
    return pl.DataFrame(columns).with_columns(pl.col("target_value").fill_nan(None))


def _errors(predictor: Predictor, window: Backtested, number: int) -> pl.DataFrame:
    import polars as pl

    from headrace.ml.applications.forecasting import accuracy

    known = np.flatnonzero(~np.isnan(window.mean).any(axis=1) & ~np.isnan(window.actual).all(axis=1))
    times, levels = _times(predictor, window), predictor.options.quantiles
    actual, values = window.actual[known], window.values[known]
    middle = values[..., levels.index(0.5)] if 0.5 in levels else window.mean[known]
    losses = np.array([
        accuracy.weighted_quantile_losses(actual[row : row + 1], values[row : row + 1], levels)
        for row in range(len(known))
    ]).reshape(len(known), len(levels))  # fmt: skip
    columns: dict[str, Any] = _labels(predictor, known, 1)
    columns["backtest_window"] = [f"Computed-{number + 1}"] * len(known)
    columns["backtestwindow_start_time"] = [times[0]] * len(known)
    columns["backtestwindow_end_time"] = [times[-1]] * len(known)
    columns |= {f"wQL[{level:g}]": losses[:, place] for place, level in enumerate(levels)}
    columns["AverageWQL"] = losses.mean(axis=1)
    for name, measure, forecast in (
        ("WAPE", accuracy.wape, middle), ("MAPE", accuracy.mape, middle), ("RMSE", accuracy.rmse, window.mean[known]),
    ):  # fmt: skip
        columns[name] = [measure(actual[row : row + 1], forecast[row : row + 1]) for row in range(len(known))]
    return pl.DataFrame(columns).fill_nan(None)


def _times(predictor: Predictor, window: Backtested) -> list[str]:
    first = predictor.frequency.ordinals(np.array([window.start], "datetime64[s]"))[0]
    moments = predictor.frequency.timestamps(first + np.arange(window.mean.shape[1]))
    return [str(each) for each in moments]


def _labels(predictor: Predictor, items: Any, count: int) -> dict[str, list[str]]:
    return {
        name: [predictor.items[at][place] for at in items.tolist() for _ in range(count)]
        for place, name in enumerate(predictor.dimensions)
    }
