"""What the report draws: histories with backtests and forecasts, the parts of the total, errors by item and step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headrace.ml.applications.forecasting.command.decomposition import decompose
from headrace.ml.applications.forecasting.models.contract import Forecast
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.applications.forecasting.predictor import ENSEMBLE, Predictor

Floats = npt.NDArray[np.float64]
LARGEST, WORST, MOST_ITEMS, MOST_POINTS = 5, 3, 2_000, 400
Row = dict[str, Any]


def item_name(panel: Panel, i: int) -> str:
    """Return an item's labels as people read them."""
    return ", ".join(panel.items[i])


def pictures(panel: Panel, predictor: Predictor, forecast: Forecast) -> list[Row]:
    """Return the series to draw: the total of several items, the largest items, and those forecast worst."""
    volumes = np.array([np.nansum(np.abs(panel.series(i)[-4 * panel.frequency.season :])) for i in range(len(panel))])
    shown = np.argsort(-volumes, kind="stable")[:LARGEST].tolist()
    ratios = {row["position"]: row["ratio"] for row in item_errors(panel, predictor) if row["ratio"] is not None}
    worst = sorted((i for i in ratios if i not in shown), key=lambda i: -ratios[i])[:WORST]
    found = [_total(panel, predictor, forecast)] if len(panel) > 1 else []
    found += [_picture(panel, predictor, forecast, i, "among the largest") for i in shown]
    return found + [_picture(panel, predictor, forecast, i, "among the worst") for i in worst]


def _picture(panel: Panel, predictor: Predictor, forecast: Forecast, i: int, why: str) -> Row:
    known = {labels: place for place, labels in enumerate(predictor.items)}
    place = known.get(panel.items[i])
    windows = [
        _fan(_window_times(panel, window.start, window.mean.shape[1]), window.mean[place], window.values[place])
        for window in predictor.backtests
        if place is not None and not np.isnan(window.mean[place]).any()
    ]
    h = forecast.mean.shape[1]
    return {
        "name": item_name(panel, i),
        "why": why if len(panel) > 1 else "",
        "history": _line(panel.times(i), panel.series(i)),
        "backtests": windows,
        "forecast": _fan(panel.future_times(i, h), forecast.mean[i], forecast.values[i]),
    }


def _total(panel: Panel, predictor: Predictor, forecast: Forecast) -> Row:
    """Return the sum of all items; its quantiles are not the sums of theirs, so only means are drawn."""
    end, h = int(panel.ends.max()), forecast.mean.shape[1]
    ahead = np.zeros(h)
    for i in range(len(panel)):
        steps = panel.ends[i] - end + np.arange(h)
        inside = (steps >= 0) & (steps < h)
        ahead[steps[inside]] += forecast.mean[i, inside]
    times, values = total(panel)
    windows = [
        _fan(_window_times(panel, window.start, h), np.nansum(window.mean, axis=0), None)
        for window in predictor.backtests
        if predictor.items == panel.items and not np.isnan(window.mean[panel.lengths > 0]).any()
    ]
    return {
        "name": f"all {len(panel):,} items",
        "why": "their sum",
        "history": _line(times, values),
        "backtests": windows,
        "forecast": _fan(panel.frequency.timestamps(end + np.arange(h)), ahead, None),
    }


def total(panel: Panel) -> tuple[npt.NDArray[np.datetime64], Floats]:
    """Return the sum of all histories by period, and the first moments of the periods."""
    first, last = int(panel.start.min()), int(panel.ends.max())
    values = np.zeros(last - first)
    for i in range(len(panel)):
        begin = int(panel.start[i]) - first
        values[begin : begin + panel.length(i)] += np.nan_to_num(panel.series(i))
    return panel.frequency.timestamps(np.arange(first, last)), values


def decomposition_facts(panel: Panel) -> Row | None:
    """Return trend, season and rest of the total, and how strong they are; None where it has no season."""
    times, values = total(panel)
    found = decompose(values, panel.frequency.season)
    if found is None:
        return None
    parts = {"history": values, "trend": found.trend, "season": found.season, "rest": found.rest}
    return {
        "season": panel.frequency.season, "trend_strength": found.trend_strength,
        "season_strength": found.season_strength,
        "parts": [{"part": name} | row for name, each in parts.items() for row in _line(times, each)],
    }  # fmt: skip


def item_errors(panel: Panel, predictor: Predictor) -> list[Row]:
    """Return, item by item, the loss of the ensemble and of the references, and the ratio to the better one."""
    places = {labels: place for place, labels in enumerate(panel.items)}
    rows: list[Row] = []
    losses = predictor.item_losses
    references = [name for name in losses if name != ENSEMBLE]
    for place, labels in enumerate(predictor.items):
        if labels not in places:
            continue
        own = float(losses[ENSEMBLE][place])
        others = [float(losses[name][place]) for name in references if np.isfinite(losses[name][place])]
        best = min(others, default=float("nan"))
        rows.append(
            {"item": ", ".join(labels), "position": places[labels], "loss": _known(own)}
            | {name: _known(float(losses[name][place])) for name in references}
            | {"ratio": _known(own / best) if best > 0 else None}
        )
    return sorted(rows, key=lambda row: -(row["ratio"] or 0.0))[:MOST_ITEMS]


def step_errors(predictor: Predictor) -> list[Row]:
    """Return by step of the horizon the WAPE of the mean, and the share of values between the outer quantiles."""
    actual = np.concatenate([window.actual for window in predictor.backtests])
    mean = np.concatenate([window.mean for window in predictor.backtests])
    values = np.concatenate([window.values for window in predictor.backtests])
    rows = []
    for step in range(actual.shape[1]):
        known = ~np.isnan(actual[:, step]) & ~np.isnan(mean[:, step])
        size = float(np.abs(actual[known, step]).sum())
        if not known.any():
            continue
        inside = (actual[known, step] >= values[known, step, 0]) & (actual[known, step] <= values[known, step, -1])
        error = float(np.abs(actual[known, step] - mean[known, step]).sum())
        rows.append({"step": step + 1, "wape": error / size if size else None, "coverage": float(inside.mean())})
    return rows


def reliability(predictor: Predictor) -> list[Row]:
    """Return for each quantile how often what came was at most it."""
    actual = np.concatenate([window.actual for window in predictor.backtests])
    values = np.concatenate([window.values for window in predictor.backtests])
    known = ~np.isnan(actual) & ~np.isnan(values[..., 0])
    return [
        {"level": level, "share": float((actual <= values[..., place])[known].mean()) if known.any() else None}
        for place, level in enumerate(predictor.options.quantiles)
    ]


def _window_times(panel: Panel, start: str, periods: int) -> npt.NDArray[np.datetime64]:
    first = panel.frequency.ordinals(np.array([start], "datetime64[s]"))[0]
    return panel.frequency.timestamps(first + np.arange(periods))


def _line(times: Sequence[Any] | npt.NDArray[np.datetime64], values: Floats) -> list[Row]:
    pairs = list(zip(times, values.tolist(), strict=True))[-MOST_POINTS:]
    return [{"time": str(time), "value": _known(value)} for time, value in pairs]


def _fan(times: npt.NDArray[np.datetime64], mean: Floats, values: Floats | None) -> list[Row]:
    rows = []
    for step, time in enumerate(times):
        row: Row = {"time": str(time), "value": _known(float(mean[step]))}
        if values is not None:
            row |= {"low": _known(float(values[step, 0])), "high": _known(float(values[step, -1]))}
        rows.append(row)
    return rows


def _known(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None
