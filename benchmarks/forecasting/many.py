"""`headrace forecast` on 100, 1,000 and 10,000 monthly series of 120 months: seconds, memory, and whether a series costs the same."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from benchmarks.automl.measuring import measure
from benchmarks.environments import peers_folder
from benchmarks.forecasting.scoring import score
from benchmarks.forecasting.sets import SeriesSet, split
from benchmarks.forecasting.systems import OVERRUN, command, read_forecasts

from headrace.ml.applications.forecasting import accuracy

COUNTS = (100, 1_000, 10_000)
MONTHS, HORIZON = 120, 12
FEW = ("ets", "theta", "gradient_boosting")
RUNS = {
    "all": (120.0, ()),
    "few": (900.0, ("--windows", "1", *(part for name in FEW for part in ("--algorithm", name)))),
}
"""Seconds of the budget and what is told: all algorithms in 120 s, and few of them, which end before their budget."""


def series(count: int) -> pl.DataFrame:
    """Return monthly sales with a trend, a year's season and noise of a count; a fifth of the items sell seldom."""
    random = np.random.default_rng(0)
    months = np.arange(MONTHS + HORIZON)
    level = np.exp(random.normal(4, 1, (count, 1)))
    trend = 1 + random.normal(0, 0.003, (count, 1)) * months
    phase, height = random.uniform(0, 2 * np.pi, (count, 1)), random.uniform(0, 0.6, (count, 1))
    rate = level * np.maximum(trend, 0.05) * (1 + height * np.sin(2 * np.pi * months / 12 + phase))
    rate = np.where(np.arange(count)[:, None] % 5 == 0, rate / level * 0.7, rate)
    time = pl.datetime_range(datetime(2010, 1, 1), datetime(2020, 12, 1), "1mo", eager=True)
    return pl.DataFrame(
        {
            "item": np.repeat([f"item {number:05}" for number in range(count)], len(months)),
            "time": pl.concat([time] * count),
            "target": random.poisson(rate).ravel().astype(np.float64),
        }
    )


def measured() -> dict[str, Any]:
    """Run each count; return what it cost, and the accuracy beside seasonal naive."""
    found = {}
    for count in COUNTS:
        chosen = SeriesSet(f"many_{count}", "many", lambda _, n=count: series(n), HORIZON, "MS", 12, 12, 0)
        folder = peers_folder() / "forecasting" / "many" / str(count)
        parts = split(Path(), chosen, 0, folder)
        naive = np.stack([np.resize(each[-12:], HORIZON) for each in parts.history])
        for name, (seconds, told) in RUNS.items():
            load = os.getloadavg()[0]
            facts = measure(
                [*command(chosen, folder, seconds, folder), *told], folder / "log.txt", seconds=OVERRUN * seconds
            )
            facts |= score(chosen, parts, read_forecasts(folder / "out" / "forecasts.csv", parts.items))
            facts |= {"naive_wape": accuracy.wape(parts.actual, naive), "load": load}
            found[f"{count}/{name}"] = facts
            print(count, name, {key: round(value, 4) for key, value in facts.items()}, flush=True)
    return found
