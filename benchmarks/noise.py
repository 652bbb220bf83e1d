"""Tables of pure noise, and tables with a planted signal: how many end in go.

Each table is a row of its own in results/noise.json, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "noise.json"
TABLES, CONTROLS = 200, 40
TARGET = "outcome"


def features(rng: np.random.Generator, rows: int) -> pl.DataFrame:
    """Return 3 to 25 columns of numbers, counts, categories, dates and gaps that have to do with nothing."""
    columns: dict[str, Any] = {}
    for number in range(int(rng.integers(3, 26))):
        kind = rng.choice(["normal", "skewed", "count", "category", "date", "gaps"])
        if kind == "category":
            levels = int(rng.integers(2, 40))
            values: Any = np.array([f"level {i}" for i in range(levels)])[rng.integers(0, levels, rows)]
        elif kind == "date":
            values = (np.datetime64("2023-01-01") + rng.integers(0, 900, rows)).astype(str)
        elif kind == "count":
            values = rng.poisson(rng.uniform(0.5, 30), rows)
        else:
            values = rng.normal(size=rows) if kind != "skewed" else rng.lognormal(3, 1, rows)
            if kind == "gaps":
                values = [None if gap else float(v) for gap, v in zip(rng.random(rows) < 0.2, values, strict=True)]
        columns[f"{kind} {number}"] = values
    return pl.DataFrame(columns)


def table(seed: int, *, signal: bool) -> tuple[pl.DataFrame, str]:
    """Return a table and its task: 100 to 3,000 rows, two or more classes or values; `signal` plants a relation."""
    rng = np.random.default_rng([seed, int(signal)])
    rows = int(np.exp(rng.uniform(np.log(300 if signal else 100), np.log(3000))))
    frame = features(rng, rows)
    hidden = rng.normal(size=rows)
    if signal:
        first, second = rng.normal(size=rows), rng.integers(0, 3, rows)
        hidden = 1.2 * first + 0.9 * (second == 1) + rng.normal(size=rows)
        frame = frame.with_columns(first=pl.Series(first), second=pl.Series(np.array(["a", "b", "c"])[second]))
    task = str(rng.choice(["binary", "binary", "multiclass", "regression"]))
    if task == "regression":
        values: Any = np.exp(hidden / 2) if rng.random() < 0.3 else hidden
        return frame.with_columns(pl.Series(TARGET, values)), task
    shares = [rng.uniform(0.5, 0.9)] if task == "binary" else [0.4, 0.7]
    codes = np.searchsorted(np.quantile(hidden, shares), hidden)
    return frame.with_columns(pl.Series(TARGET, np.array(["no", "yes", "maybe"])[codes])), task


def judge(seed: int, *, signal: bool, trials: int) -> dict[str, Any]:
    """Run the nine steps on one table; return its shape and the decision."""
    import headrace

    frame, task = table(seed, signal=signal)
    began, used = time.monotonic(), os.times()
    with tempfile.TemporaryDirectory() as folder:
        record = headrace.run(frame, TARGET, task=task, trials=trials, seed=seed, out=Path(folder) / "out")
    after = os.times()
    cpu = sum(after[:4]) - sum(used[:4])
    return {
        "signal": signal, "task": task, "rows": frame.height, "columns": frame.width - 1, "trials": trials,
        "decision": record.decision, "reason": record.document["reasons"][0],
        "wall_seconds": time.monotonic() - began, "cpu_seconds": cpu,
    }  # fmt: skip


def section(rows: dict[str, Any], table: Callable[[list[str], list[list[object]]], str]) -> list[str]:
    """Return the section of RESULTS.md."""
    counted: list[list[object]] = []
    for signal, what in ((False, "pure noise"), (True, "a planted relation")):
        found = [row for row in rows.values() if row["signal"] is signal]
        decisions = [row["decision"] for row in found]
        ended = [decisions.count(name) for name in ("go", "go-with-conditions", "no-go")]
        if found:
            counted.append([what, len(found), *ended, f"{1 - ended[2] / len(found):.1%}"])
    return [
        "## Noise",
        "`make bench-noise` (`benchmarks/noise.py`): random tables of 100 to 3,000 rows (300 and more with a relation) and 3 to 27 columns, binary, "
        "multiclass and regression, one candidate each, the nine steps whole. What is not a no-go counts as a go.",
        table(["tables of", "tables", "go", "go with conditions", "no-go", "not a no-go"], counted),
    ]


def main() -> None:
    """Judge the tables that have no row yet, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=TABLES, help="tables of pure noise")
    parser.add_argument("--controls", type=int, default=CONTROLS, help="tables with a planted signal")
    parser.add_argument("--trials", type=int, default=1, help="candidates a table")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    arguments.results.parent.mkdir(exist_ok=True)
    rows = json.loads(arguments.results.read_text()) if arguments.results.exists() else {}
    wanted = [(f"noise {seed}", seed, False) for seed in range(arguments.tables)]
    wanted += [(f"signal {seed}", seed, True) for seed in range(arguments.controls)]
    for name, seed, signal in wanted:
        if name in rows:
            continue
        rows[name] = judge(seed, signal=signal, trials=arguments.trials)
        partial = arguments.results.with_suffix(".partial")
        partial.write_text(json.dumps(rows, indent=1))
        partial.replace(arguments.results)
        print(name, rows[name]["task"], rows[name]["rows"], rows[name]["decision"], flush=True)


if __name__ == "__main__":
    main()
