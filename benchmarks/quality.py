"""Headrace beside AutoGluon and FLAML: the same split, the same budget, in turns, in one run."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
import polars as pl
from datasets import DATA_SETS, DataSet, positive_class, score, split
from environments import peer_python, peers_folder

HERE = Path(__file__).parent


def timed(command: list[str], log: Path) -> dict[str, float]:
    """Run a command; return its wall and processor seconds and the peak memory of its largest process in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    with log.open("w") as file:
        subprocess.run(command, check=True, stdout=file, stderr=subprocess.STDOUT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_seconds": time.monotonic() - begin, "cpu_seconds": cpu}


def run_headrace(data_set: DataSet, train: Path, test: Path, seconds: float, folder: Path) -> dict[str, float | str]:
    """Run the command line, then measure the compiled model."""
    out = folder / "out"
    command = [
        sys.executable,
        "-c",
        "from headrace.cli import main; main()",
        "run",
        str(train),
        "--target",
        data_set.target,
    ]
    command += [
        "--test",
        str(test),
        "--budget",
        f"{seconds:g}s",
        "--out",
        str(out),
        "--overwrite",
        "--metric",
        data_set.metric,
    ]
    facts: dict[str, float | str] = dict(timed(command, folder / "log.txt"))
    predictions = pl.read_csv(out / "predictions.csv", infer_schema_length=None).sort("row")
    positive = positive_class(data_set)
    column = "prediction" if positive is None else f"probability_{positive}"
    facts["score"] = score(data_set, test, predictions[column].to_numpy(), positive)
    return facts | model_speed(out / "model", test)


def model_speed(model_folder: Path, test: Path) -> dict[str, float]:
    """Measure one row (a raw dict in, a label out) and 100,000 rows (a frame in) in process; medians."""
    import headrace

    model = headrace.load(model_folder)
    frame = pl.read_csv(test, infer_schema_length=None)
    rows = frame.head(200).to_dicts()
    for row in rows:
        model.predict(row)
    singles = []
    for row in rows * 10:
        start = time.perf_counter()
        model.predict(row)
        singles.append(time.perf_counter() - start)
    many = pl.concat([frame] * (100_000 // frame.height + 1)).head(100_000)
    batches = []
    for _ in range(5):
        start = time.perf_counter()
        model.predict(many, proba=True)
        batches.append(time.perf_counter() - start)
    size = sum(f.stat().st_size for f in model_folder.rglob("*") if f.is_file())
    return {"single_ms": median(singles) * 1e3, "rows_per_second": 100_000 / median(batches), "model_mb": size / 1e6}


def run_peer(
    name: str, data_set: DataSet, train: Path, test: Path, seconds: float, folder: Path
) -> dict[str, float | str]:
    """Run a peer's script in its own environment."""
    positive = positive_class(data_set) or ""
    script = HERE / "peers" / f"{name}_peer.py"
    command = [str(peer_python(name)), str(script), str(train), str(test), data_set.target, data_set.metric, positive]
    facts: dict[str, float | str] = dict(timed([*command, f"{seconds:g}", str(folder)], folder / "log.txt"))
    facts |= json.loads((folder / "facts.json").read_text())
    predictions = pl.read_csv(folder / "predictions.csv")["prediction"].to_numpy().astype(np.float64)
    facts["score"] = score(data_set, test, predictions, positive or None)
    return facts


def main() -> None:
    """Run every system on every data set, and keep the rows in results/quality.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--budget", type=float, default=120.0, help="seconds a system gets")
    parser.add_argument("--only", nargs="*", default=[d.name for d in DATA_SETS])
    parser.add_argument("--systems", nargs="*", default=["headrace", "autogluon", "flaml"])
    parser.add_argument("--work", type=Path, default=peers_folder() / "work")
    arguments = parser.parse_args()
    results = HERE / "results" / "quality.json"
    results.parent.mkdir(exist_ok=True)
    rows = json.loads(results.read_text()) if results.exists() else {}
    for data_set in DATA_SETS:
        if data_set.name not in arguments.only:
            continue
        train, test = split(arguments.data, data_set, arguments.work / data_set.name)
        for system in arguments.systems:
            folder = arguments.work / data_set.name / system
            folder.mkdir(parents=True, exist_ok=True)
            run = run_headrace if system == "headrace" else lambda *a, name=system: run_peer(name, *a)
            facts = run(data_set, train, test, arguments.budget, folder)
            facts |= {"budget": arguments.budget, "metric": data_set.metric, "load": os.getloadavg()[0]}
            rows.setdefault(data_set.name, {})[system] = facts
            results.write_text(json.dumps(rows, indent=1))
            print(
                data_set.name,
                system,
                {k: round(v, 4) if isinstance(v, float) else v for k, v in facts.items()},
                flush=True,
            )


if __name__ == "__main__":
    main()
