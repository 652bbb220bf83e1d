"""Random cut forest beside AWS's own code (the Rust library, by way of krcf): points scored and learnt a CPU second, in turns."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import krcf
import numpy as np

HERE = Path(__file__).parent
TREES, SAMPLES, SHINGLE, WARM = 50, 256, 48, 3000
FIRST_CALL = """
import time
begin, cpu = time.perf_counter(), time.process_time()
from headrace.ml.algorithms.random_cut_forest import Forest
Forest(1).score_and_update([[0.0]])
print(time.perf_counter() - begin, time.process_time() - cpu)
"""


def main() -> None:
    """Measure, print, and keep the rows in results/random_cut_forest.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=4000, help="in each turn")
    parser.add_argument("--turns", type=int, default=7)
    arguments = parser.parse_args()
    systems = {"krcf": krcf_in_rows(), "headrace, row by row": headrace_in_rows(), "headrace, in one call": headrace()}
    stream = sines(WARM + arguments.turns * arguments.points)
    for learn in systems.values():
        learn(stream[:WARM])
    speeds: dict[str, list[float]] = {name: [] for name in systems}
    for turn in range(arguments.turns):
        start = WARM + turn * arguments.points
        rows = stream[start : start + arguments.points]
        for name, learn in systems.items():
            begin = time.process_time()
            learn(rows)
            speeds[name].append(len(rows) / (time.process_time() - begin))
        print(turn + 1, {name: round(found[-1]) for name, found in speeds.items()}, flush=True)
    figures = {
        "points a CPU second, median": {name: round(median(found)) for name, found in speeds.items()},
        "times krcf in the same turn, median": {
            name: round(median(ours / theirs for ours, theirs in zip(found, speeds["krcf"], strict=True)), 2)
            for name, found in speeds.items()
        },
        "first call, seconds [wall, CPU]": first_calls(),
        "load": os.getloadavg()[0],
    }
    results = HERE / "results" / "random_cut_forest.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(figures, indent=1))
    print(json.dumps(figures, indent=1))


def sines(count: int) -> np.ndarray:
    """Return a noisy sine [count, 1] with a few spikes."""
    random = np.random.default_rng(0)
    values = np.sin(np.arange(count) / 20) + random.normal(size=count) * 0.1
    values[random.choice(count, count // 500)] += 3
    return values[:, None]


def krcf_in_rows() -> Callable[[np.ndarray], None]:
    """Return what scores and learns rows with AWS's code, which takes them one by one, as lists or arrays."""
    forest = krcf.RandomCutForest(
        {"dimensions": 1, "shingle_size": SHINGLE, "num_trees": TREES, "sample_size": SAMPLES, "random_seed": 0}
    )

    def learn(rows: np.ndarray) -> None:
        for row in rows.tolist():
            forest.score(row)
            forest.update(row)

    return learn


def headrace_in_rows() -> Callable[[np.ndarray], None]:
    """Return what scores and learns rows with Headrace one by one."""
    learn = headrace()

    def learn_in_rows(rows: np.ndarray) -> None:
        for number in range(len(rows)):
            learn(rows[number : number + 1])

    return learn_in_rows


def headrace() -> Callable[[np.ndarray], object]:
    """Return what scores and learns rows with Headrace."""
    from headrace.ml.algorithms.random_cut_forest import Forest

    return Forest(1, num_trees=TREES, num_samples_per_tree=SAMPLES, shingle_size=SHINGLE).score_and_update


def first_calls() -> dict[str, list[float]]:
    """Return the seconds of a first row in a new process: with nothing compiled yet, and with what that one kept."""
    seconds = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("nothing compiled", "compiled before"):
            environment = os.environ | {"NUMBA_CACHE_DIR": folder}
            done = subprocess.run(
                [sys.executable, "-c", FIRST_CALL], env=environment, check=True, capture_output=True, text=True
            )
            seconds[name] = [round(float(figure), 2) for figure in done.stdout.split()]
    return seconds


if __name__ == "__main__":
    main()
