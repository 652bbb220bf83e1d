"""Runs every system on every set and origin, in turns, and the parts of Headrace alone; what was done before is kept."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.environments import peers_folder
from benchmarks.forecasting import many, query
from benchmarks.forecasting.rows import read, write
from benchmarks.forecasting.scoring import score
from benchmarks.forecasting.sets import SETS, SeriesSet, split
from benchmarks.forecasting.systems import MEANS, PARTS, SYSTEMS, System, run

BESIDE = ("m4", "retail")


def key_of(chosen: SeriesSet, origin: int, system: str) -> str:
    """Return the name of a run."""
    return f"{chosen.name}/{origin}/{system}"


def work_folder(key: str) -> Path:
    """Return where a run's quantiles and log are."""
    return peers_folder() / "forecasting" / "runs" / key.replace(" ", "-")


def one(data: Path, chosen: SeriesSet, origin: int, system: System, seconds: float) -> dict[str, Any]:
    """Run once; a run that fails is a row with its reason."""
    key = key_of(chosen, origin, system.name)
    parts = split(data, chosen, origin, peers_folder() / "forecasting" / "splits" / chosen.name / str(origin))
    load = os.getloadavg()[0]
    try:
        facts, values = run(system, chosen, parts, seconds, work_folder(key))
        facts |= score(chosen, parts, values)
    except (subprocess.SubprocessError, OSError, ValueError, KeyError) as error:
        facts = {"failed": f"{type(error).__name__}: {error}"[:300]}
    return facts | {"load": load} | ({"budget": seconds} if system.timed else {})


def mean_of_peers(data: Path, chosen: SeriesSet, origin: int, rows: dict[str, Any]) -> dict[str, Any] | None:
    """Return the row of the mean of statsforecast's three models, where all were run."""
    keys = [key_of(chosen, origin, name) for name in PARTS]
    done = [rows["runs"].get(key, {}) for key in keys]
    if not all("wql" in each for each in done):
        return None
    parts = split(data, chosen, origin, peers_folder() / "forecasting" / "splits" / chosen.name / str(origin))
    values = np.mean([np.load(work_folder(key) / "values.npy") for key in keys], axis=0)
    costs = {name: sum(each[name] for each in done) for name in ("wall_seconds", "cpu_seconds")}
    peak = max(each["peak_mb"] for each in done)
    return score(chosen, parts, values) | costs | {"peak_mb": peak, "load": max(each["load"] for each in done)}


def main() -> None:
    """Run what is missing, newest rows last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets (benchmarks/README.md)")
    parser.add_argument("--part", nargs="*", choices=[*BESIDE, "many", "query"], help="all, where not given")
    parser.add_argument("--sets", nargs="*", choices=[each.name for each in SETS])
    parser.add_argument("--systems", nargs="*", choices=[system.name for system in SYSTEMS])
    parser.add_argument("--budget", type=float, help="seconds of wall time, instead of each set's own")
    parser.add_argument("--again", action="store_true", help="run anew what was run before")
    arguments = parser.parse_args()
    parts = arguments.part or [*BESIDE, "many", "query"]
    systems = [system for system in SYSTEMS if not arguments.systems or system.name in arguments.systems]
    for chosen in SETS:
        if chosen.part not in parts or (arguments.sets and chosen.name not in arguments.sets):
            continue
        for origin in range(chosen.origins):
            for system in systems:
                key = key_of(chosen, origin, system.name)
                seconds = arguments.budget or chosen.budget
                row = read()["runs"].get(key, {})
                if arguments.again or "wql" not in row or row.get("budget", seconds) != seconds:
                    keep(key, one(arguments.data, chosen, origin, system, seconds))
            if (facts := mean_of_peers(arguments.data, chosen, origin, read())) is not None:
                keep(key_of(chosen, origin, MEANS), facts)
    for name, measured in (("many", many.measured), ("query", query.measured)):
        if name in parts and (arguments.again or name not in read()):
            write(read() | {name: measured()})


def keep(key: str, facts: dict[str, Any]) -> None:
    """Write a run's row, and say it."""
    rows = read()
    rows["runs"][key] = facts
    write(rows)
    shown = {name: round(each, 4) if isinstance(each, float) else each for name, each in facts.items()}
    print(key, json.dumps(shown), flush=True)


if __name__ == "__main__":
    main()
