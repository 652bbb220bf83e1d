"""Runs every system on every table and seed, in turns; what was done before is kept."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.automl.comparison import score
from benchmarks.automl.systems import SYSTEMS, System, import_seconds, run
from benchmarks.automl.tables import SHORT, TABLES, Table, split, truth
from benchmarks.environments import peers_folder

RESULTS = Path(__file__).parent.parent / "results" / "automl.json"
Rows = dict[str, Any]


def read() -> Rows:
    """Return the rows that are there."""
    rows: Rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"runs": {}, "imports": {}}
    return rows


def write(rows: Rows) -> None:
    """Write the rows, whole or not at all."""
    RESULTS.parent.mkdir(exist_ok=True)
    temporary = RESULTS.with_suffix(".new")
    temporary.write_text(json.dumps(rows, indent=1))
    temporary.rename(RESULTS)


def key_of(budget: float, table: Table, seed: int, system: System) -> str:
    """Return the name of a run."""
    return f"{budget:g}/{table.name}/{seed}/{system.name}"


def work_folder(key: str) -> Path:
    """Return where a run's predictions, log and model are."""
    return peers_folder() / "automl" / key.replace(", ", "-").replace(" ", "-")


def one(data: Path, budget: float, table: Table, seed: int, system: System) -> dict[str, Any]:
    """Run once; a run that fails is a row with its reason."""
    folder = work_folder(key_of(budget, table, seed, system))
    train, test = split(data, table, seed, peers_folder() / "automl" / "splits" / table.name / str(seed))
    load = os.getloadavg()[0]
    try:
        facts = run(system, table, train, test, budget, folder)
        predictions = np.load(folder / "predictions.npy")
        facts["score"] = score(table.metric, truth(table, test), predictions)
    except (subprocess.SubprocessError, OSError, ValueError, KeyError) as error:
        facts = {"failed": f"{type(error).__name__}: {error}"[:300]}
    return facts | {"metric": table.metric, "load": load}


def main() -> None:
    """Run what is missing, newest rows last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets (benchmarks/README.md)")
    parser.add_argument(
        "--short", action="store_true", help="60 processor seconds, one seed, six tables: within an hour"
    )
    parser.add_argument("--budget", type=float, help="processor seconds a system gets (240)")
    parser.add_argument("--seeds", type=int, nargs="*")
    parser.add_argument("--tables", nargs="*", choices=[table.name for table in TABLES])
    parser.add_argument("--systems", nargs="*", choices=[system.name for system in SYSTEMS])
    parser.add_argument("--again", action="store_true", help="run anew what was run before")
    arguments = parser.parse_args()
    budget = arguments.budget or (60.0 if arguments.short else 240.0)
    seeds = arguments.seeds or ([0] if arguments.short else [0, 1, 2])
    names = arguments.tables or (SHORT if arguments.short else [table.name for table in TABLES])
    systems = [system for system in SYSTEMS if not arguments.systems or system.name in arguments.systems]
    rows = read()
    for system in systems:
        if system.name not in rows["imports"]:
            rows["imports"][system.name] = import_seconds(system)
            write(rows)
    for seed in seeds:
        for table in (table for table in TABLES if table.name in names):
            for system in systems:
                key = key_of(budget, table, seed, system)
                if arguments.again or "score" not in rows["runs"].get(key, {}):
                    facts = one(arguments.data, budget, table, seed, system)
                    rows = read()
                    rows["runs"][key] = facts
                    write(rows)
                    shown = {name: round(each, 4) if isinstance(each, float) else each for name, each in facts.items()}
                    print(key, shown, flush=True)


if __name__ == "__main__":
    main()
