"""The systems: the environment of each, how it is run on a split, and what its predictions are."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
from benchmarks.automl.measuring import measure
from benchmarks.automl.tables import Table, classes
from benchmarks.environments import peer_python

HERE = Path(__file__).parent
MANY = 100_000
CORES = 2
OVERRUN = 6
"""Times its budget, after which a system is ended."""


@dataclass(frozen=True)
class System:
    """A system: the environment it lives in ("" for Headrace's), what is imported, and how much of the budget it gets."""

    name: str
    environment: str
    module: str
    arguments: tuple[str, ...] = ()
    share: float = 1.0


SYSTEMS = (
    System("headrace", "", "headrace"),
    System("headrace, half", "", "headrace", share=0.5),
    System("autogluon", "autogluon", "autogluon.tabular"),
    System("autogluon best", "autogluon", "autogluon.tabular", ("best_quality",)),
    System("flaml", "flaml", "flaml"),
    System("h2o", "h2o", "h2o"),
    System("mljar", "mljar", "supervised.automl"),
)


def run(system: System, table: Table, train: Path, test: Path, cpu_seconds: float, folder: Path) -> dict[str, Any]:
    """Let a system learn, and predict the test rows into `folder / "predictions.npy"`; return what it cost.

    Its budget is wall time: the processor seconds by the cores. The costs are those of learning, with Headrace's report,
    and of the start of the process; speed is measured after.
    """
    folder.mkdir(parents=True, exist_ok=True)
    seconds = cpu_seconds * system.share / CORES
    if system.environment:
        return _run_peer(system, table, train, test, seconds, folder)
    return _run_headrace(table, train, test, seconds, folder)


def _run_headrace(table: Table, train: Path, test: Path, seconds: float, folder: Path) -> dict[str, Any]:
    out = folder / "out"
    command = [sys.executable, "-c", "from headrace.cli import main; main()", "run", str(train)]
    command += ["--target", table.target, "--test", str(test), "--budget", f"{seconds:g}s", "--metric", table.metric]
    costs = measure([*command, "--out", str(out), "--overwrite"], folder / "log.txt", seconds=OVERRUN * seconds + 120)
    answers = pl.read_csv(out / "predictions.csv", infer_schema_length=None).sort("row")
    if table.metric == "rmse":
        predictions = answers["prediction"].to_numpy()
    elif table.metric == "roc_auc":
        predictions = answers[f"probability_{table.positive}"].to_numpy()
    else:
        predictions = np.stack([answers[f"probability_{label}"].to_numpy() for label in classes(table, test)], axis=1)
    np.save(folder / "predictions.npy", predictions)
    return costs | {"fit_seconds": costs["wall_seconds"], **model_speed(out / "model", test)}


def model_speed(model_folder: Path, test: Path) -> dict[str, float]:
    """Measure one row (a raw dict in, a label out) and 100,000 rows (a frame in) in process; medians."""
    import headrace

    model = headrace.load(model_folder)
    frame = pl.read_csv(test, infer_schema_length=None)
    rows = frame.head(200).to_dicts()
    for row in rows:
        model.predict(row)
    many = pl.concat([frame] * (MANY // frame.height + 1)).head(MANY)
    singles = _times(model.predict, rows * 10)
    batches = _times(lambda frame: model.predict(frame, proba=model.manifest.task != "regression"), [many] * 5)
    size = sum(file.stat().st_size for file in model_folder.rglob("*") if file.is_file())
    return {
        "single_ms": median(singles) * 1e3,
        "rows_per_second": MANY / median(batches),
        "model_mb": size / 1e6,
    }


def _times(call: Callable[[Any], Any], arguments: list[Any]) -> list[float]:
    seconds = []
    for argument in arguments:
        start = time.perf_counter()
        call(argument)
        seconds.append(time.perf_counter() - start)
    return seconds


def _run_peer(system: System, table: Table, train: Path, test: Path, seconds: float, folder: Path) -> dict[str, Any]:
    job = {
        "train": str(train),
        "test": str(test),
        "target": table.target,
        "metric": table.metric,
        "positive": table.positive,
        "seconds": seconds,
        "folder": str(folder),
    }
    (folder / "job.json").write_text(json.dumps(job))
    python = str(peer_python(system.environment))
    command = [python, str(HERE / "peers" / f"{system.environment}_peer.py"), str(folder / "job.json")]
    fitted = folder / "fitted"
    fitted.unlink(missing_ok=True)
    shutil.rmtree(folder / "model", ignore_errors=True)
    costs = measure([*command, *system.arguments], folder / "log.txt", seconds=OVERRUN * seconds + 300, fitted=fitted)
    return costs | json.loads((folder / "facts.json").read_text())


def import_seconds(system: System) -> float:
    """Return the median wall seconds of importing the system, without Python's own start."""
    python = str(peer_python(system.environment)) if system.environment else sys.executable

    def whole(code: str) -> float:
        return median(_times(lambda code: subprocess.run([python, "-c", code], check=True), [code] * 4)[1:])

    return whole(f"import {system.module}") - whole("pass")
