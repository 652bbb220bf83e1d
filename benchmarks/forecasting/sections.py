"""The benchmark's sections of RESULTS.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from benchmarks.forecasting.sets import SETS, SeriesSet
from benchmarks.forecasting.systems import MEANS, SYSTEMS

Render = Callable[[list[str], list[list[object]]], str]
OURS, NAIVE = "headrace", "SeasonalNaive"
ORDER = [*(system.name for system in SYSTEMS if not system.environment), MEANS]
ORDER += [system.name for system in SYSTEMS if system.environment]
TEXT = (
    "`make bench-forecasting DATA=FOLDER` (`python -m benchmarks.forecasting`). Every system learns from the same histories, in turns on two cores, and forecasts nine "
    "quantiles (0.1 to 0.9) of what was held back; *headrace* is the whole `headrace forecast` with its report, and AutoGluon-TimeSeries gets the same budget of wall time (without "
    "pretrained models, whose weights it would download). statsforecast's models take what they need; AutoARIMA approximates its likelihood, as R's does for long series; *statsforecast mean* averages "
    "AutoETS, AutoARIMA and AutoTheta. *wQL* is the mean weighted quantile loss, points are medians, and *80 %* is the share of values between the quantiles 0.1 and 0.9."
)
MANY = (
    "`python -m benchmarks.forecasting --data FOLDER --part many`: the whole `headrace forecast` on monthly sales of 120 months, 12 ahead; "
    "*all* algorithms within `--budget 120s`, and *few* (ETS, Theta, gradient boosting, one backtest window) without haste. A fifth of the items sell seldom. Peak is the sum of the proportional set sizes of all processes."
)
QUERY = (
    "`python -m benchmarks.forecasting --data FOLDER --part query`: `forecastquery query_forecast` through boto3 at one connection, of an item of 1,000 with 12 "
    "months ahead; *made* is the way there, from the first call: import, an ETS predictor, the forecast."
)


def sections(rows: dict[str, Any], render: Render) -> list[str]:
    """Return Markdown sections: M4, retail and electricity, many series, and QueryForecast."""
    parts: list[str] = []
    for part, title in (("m4", "Forecasting: M4 hourly and weekly"), ("retail", "Forecasting: sales and electricity")):
        lines = [line for each in SETS if each.part == part for line in _of_set(rows, each)]
        if lines:
            last = "OWA" if part == "m4" else f"wQL to {NAIVE}"
            headings = [
                "set",
                "system",
                "wQL",
                "WAPE",
                "MASE",
                "sMAPE",
                last,
                "80 %",
                "wall s",
                "CPU s",
                "peak MB",
                "load",
            ]
            parts += [f"## {title}", *([TEXT] if part == "m4" else []), render(headings, lines)]
    if many := rows.get("many"):
        lines = [
            [f"{(count := int(key.split('/')[0])):,}", key.split("/")[1], f"{f['wall_seconds']:.0f}", f"{1e3 * f['wall_seconds'] / count:.1f}", f"{1e3 * f['cpu_seconds'] / count:.1f}",
             f"{f['peak_mb']:,.0f}", f"{f['wape']:.4f}", f"{f['naive_wape']:.4f}", f"{f['coverage']:.1%}", f"{f['load']:.1f}"]
            for key, f in sorted(many.items(), key=lambda item: (item[0].split("/")[1], int(item[0].split("/")[0])))
        ]  # fmt: skip
        headings = [
            "series",
            "algorithms",
            "wall s",
            "ms a series",
            "CPU ms a series",
            "peak MB",
            "WAPE",
            "seasonal naive's",
            "80 %",
            "load",
        ]
        parts += ["## Forecasting: many series", MANY, render(headings, lines)]
    if query := rows.get("query"):
        names = ["items", "p50_ms", "p99_ms", "server_cpu_ms", "made_seconds", "load"]
        headings = ["items", "p50 ms", "p99 ms", "CPU ms of the server", "made, s", "load"]
        line: list[object] = [f"{query[name]:,.2f}" for name in names]
        parts += ["## Forecasting: QueryForecast", QUERY, render(headings, [line])]
    return parts


def _of_set(rows: dict[str, Any], chosen: SeriesSet) -> list[list[object]]:
    """Return the lines of a set: means over the origins that were run."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in ORDER:
        runs = [rows["runs"].get(f"{chosen.name}/{origin}/{name}") for origin in range(chosen.origins)]
        found[name] = [run for run in runs if run is not None]
    naive = [run["wql"] for run in found[NAIVE] if "wql" in run]
    lines: list[list[object]] = []
    for name, runs in found.items():
        done = [run for run in runs if "wql" in run]
        if not runs:
            continue
        if not done:
            lines.append([chosen.name, name, f"failed: {runs[0]['failed'][:60]}", *[""] * 9])
            continue
        mean = {key: float(np.mean([run[key] for run in done])) for key in done[0] if isinstance(done[0][key], float)}
        last = mean["owa"] if "owa" in mean else mean["wql"] / float(np.mean(naive)) if naive else float("nan")
        lines.append(
            [chosen.name, name, f"{mean['wql']:.4f}", f"{mean['wape']:.4f}", f"{mean['mase']:.3f}", f"{mean['smape']:.2f}", f"{last:.3f}",
             f"{mean['coverage']:.1%}", f"{mean['wall_seconds']:.0f}" + (f" of {mean['budget']:.0f}" if "budget" in mean else ""), f"{mean['cpu_seconds']:.0f}", f"{mean['peak_mb']:,.0f}", f"{mean['load']:.1f}"]
        )  # fmt: skip
    return lines
