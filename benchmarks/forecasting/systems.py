"""The systems: how each is run on a split, what it costs, and the quantiles it forecasts."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from benchmarks.automl.measuring import measure
from benchmarks.environments import peer_python
from benchmarks.forecasting.sets import LEVELS, SeriesSet, Split

HERE = Path(__file__).parent
PATIENCE = 5400.0
"""Seconds that a system without a budget may take."""
OVERRUN = 3


@dataclass(frozen=True)
class System:
    """A system: its environment and script, which Headrace itself needs none of, and what the script is told.

    `timed` systems get the set's budget of wall time; the others take what they need.
    """

    name: str
    environment: str = ""
    script: str = ""
    argument: str = ""
    timed: bool = False


MEANS = "statsforecast mean"
PARTS = ("AutoETS", "AutoARIMA", "AutoTheta")
SYSTEMS = (
    System("headrace", timed=True),
    *(System(name, "statsforecast", "statsforecast_peer.py", name) for name in ("SeasonalNaive", *PARTS)),
    System("autogluon", "autogluon_timeseries", "autogluon_peer.py", "high_quality", timed=True),
    System("autogluon best", "autogluon_timeseries", "autogluon_peer.py", "best_quality", timed=True),
)


def run(
    system: System, chosen: SeriesSet, split: Split, seconds: float, folder: Path
) -> tuple[dict[str, Any], np.ndarray]:
    """Let a system learn and forecast; return what the whole process cost, and its quantiles [items, horizon, levels]."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    patience = OVERRUN * seconds + 300 if system.timed else PATIENCE
    if not system.script:
        costs = measure(command(chosen, split.folder, seconds, folder), folder / "log.txt", seconds=patience)
        values = read_forecasts(folder / "out" / "forecasts.csv", split.items)
    else:
        job = {
            "history": str(split.folder / "history.csv"),
            "related": str(split.folder / "related.csv") if chosen.known else None,
            "items": str(split.folder / "items.csv") if chosen.static else None,
            "known": chosen.known, "horizon": chosen.horizon, "frequency": chosen.frequency, "season": chosen.season,
            "levels": LEVELS, "seconds": seconds, "folder": str(folder), "argument": system.argument,
        }  # fmt: skip
        (folder / "job.json").write_text(json.dumps(job))
        python = str(peer_python(system.environment))
        costs = measure([python, str(HERE / "peers" / system.script), str(folder / "job.json")], folder / "log.txt", seconds=patience)  # fmt: skip
        values = np.load(folder / "values.npy")
    shutil.rmtree(folder / "model", ignore_errors=True)
    np.save(folder / "values.npy", values)
    facts = folder / "facts.json"
    return costs | (json.loads(facts.read_text()) if facts.exists() else {}), values


def command(chosen: SeriesSet, source: Path, seconds: float, folder: Path) -> list[str]:
    """Return the `headrace forecast` of a set, whose results go to `folder`/out."""
    told = [sys.executable, "-c", "from headrace.cli import main; main()", "forecast", str(source / "history.csv")]
    told += ["--time", "time", "--item", "item", "--target", "target", "--horizon", str(chosen.horizon)]
    told += ["--quantiles", ",".join(f"{level:g}" for level in LEVELS), "--out", str(folder / "out")]
    told += ["--related", str(source / "related.csv")] if chosen.known else []
    told += ["--items", str(source / "items.csv")] if chosen.static else []
    return [*told, "--budget", f"{seconds:g}s", "--overwrite"]


def read_forecasts(file: Path, items: tuple[str, ...]) -> np.ndarray:
    """Read the quantiles of forecasts.csv (columns p10, p20, …) as [items, horizon, levels]."""
    frame = pl.read_csv(file, schema_overrides={"item": pl.String})
    frame = frame.sort("item", "time")
    order = {item: place for place, item in enumerate(sorted(items))}
    if frame["item"].unique().len() != len(items):
        raise ValueError(f"forecasts of {frame['item'].unique().len()} items, not of {len(items)}")
    found = frame.select(f"p{round(100 * level)}" for level in LEVELS).to_numpy()
    return found.reshape(len(items), -1, len(LEVELS))[[order[item] for item in items]]
