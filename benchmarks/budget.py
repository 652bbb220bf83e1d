"""The budget as a promise: wall time and peak memory of `headrace run` at several budgets and sizes."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import psutil

HERE = Path(__file__).parent
MAIN = "from headrace.cli import main; main()"


def enlarge(source: Path, rows: int, target: Path) -> None:
    """Write a table of `rows` rows: those of `source` drawn again, with noise on the numbers."""
    if target.exists():
        return
    frame = pl.read_csv(source)
    rng = np.random.default_rng(0)
    drawn = frame[rng.integers(0, frame.height, rows)]
    drawn = drawn.with_columns(pl.Series("fnlwgt", drawn["fnlwgt"].to_numpy() + rng.integers(-5000, 5000, rows)))
    drawn.write_csv(target)


def measure(table: Path, target: str, budget: int) -> dict[str, float | int | str]:
    """Run once; return wall seconds, the peak of the proportional set sizes of all its processes in MB, and what was reached."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "out"
        command = [
            sys.executable,
            "-c",
            MAIN,
            "run",
            str(table),
            "--target",
            target,
            "--budget",
            f"{budget}s",
            "--out",
            str(out),
            "-q",
        ]
        begin = time.monotonic()
        process = subprocess.Popen(command)
        peak = 0

        def watch() -> None:
            nonlocal peak
            parent = psutil.Process(process.pid)
            while process.poll() is None:
                try:
                    family = [parent, *parent.children(recursive=True)]
                    peak = max(peak, sum(p.memory_full_info().pss for p in family))
                except psutil.Error:
                    continue
                time.sleep(0.1)

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        wall = time.monotonic() - begin
        watcher.join()
        document = json.loads((out / "report.json").read_text()) if code == 0 else {}
    return {
        "budget": budget,
        "wall_seconds": wall,
        "peak_mb": peak / 1e6,
        "exit": code,
        "candidates": len([c for c in document.get("candidates", []) if c["status"] == "fitted"]),
        "test": document.get("metrics", {}).get("test", {}).get("roc_auc", float("nan")),
    }


def main() -> None:
    """Measure every budget on 48,842 and 500,000 rows, and keep the rows in results/budget.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--budgets", type=int, nargs="*", default=[15, 60, 300])
    parser.add_argument("--rows", type=int, nargs="*", default=[48_842, 500_000])
    arguments = parser.parse_args()
    adult = arguments.data / "adult" / "adult.csv.gz"
    large = Path(tempfile.gettempdir()) / "headrace-adult-500000.csv"
    enlarge(adult, 500_000, large)
    results = HERE / "results" / "budget.json"
    results.parent.mkdir(exist_ok=True)
    rows = json.loads(results.read_text()) if results.exists() else {}
    for count in arguments.rows:
        for budget in arguments.budgets:
            facts = measure(adult if count == 48_842 else large, "income", budget)
            rows[f"{count} rows, {budget} s"] = facts
            results.write_text(json.dumps(rows, indent=1))
            print(count, facts, flush=True)


if __name__ == "__main__":
    main()
