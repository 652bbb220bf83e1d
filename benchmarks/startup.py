"""Start-up: importing, help, one prediction from the command line, and how soon a bad table is refused."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
MAIN = "from headrace.cli import main; main()"


def whole_process(arguments: list[str], runs: int = 7) -> float:
    """Return the median wall seconds of a process that finds its modules compiled, as a user's second run does."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    seconds = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([sys.executable, *arguments], env=environment, check=False, **quiet)
        seconds.append(time.perf_counter() - begin)
    return median(seconds[1:])


def main() -> None:
    """Measure, and keep the rows in results/startup.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="OUT/model of `make demo`")
    arguments = parser.parse_args()
    table = HERE.parent / "examples" / "telco_churn.csv"
    empty = whole_process(["-c", "pass"])
    with tempfile.TemporaryDirectory() as name:
        one = Path(name) / "one.csv"
        one.write_text("".join(table.read_text().splitlines(keepends=True)[:2]))
        bad = Path(name) / "bad.csv"
        bad.write_text(table.read_text().replace(",Churn\n", ",Left\n", 1))
        rows = {
            "python -c pass": empty,
            "import headrace": whole_process(["-c", "import headrace"]) - empty,
            "headrace --help": whole_process(["-c", MAIN, "--help"]),
            "headrace predict, one row": whole_process(["-c", MAIN, "predict", str(arguments.model), str(one)]),
            "a bad table refused (7,043 rows)": whole_process(
                ["-c", MAIN, "run", str(bad), "--target", "Churn"], runs=5
            ),
        }
        adult = arguments.data / "adult" / "adult.csv.gz"
        rows["a bad table refused (48,842 rows)"] = whole_process(
            ["-c", MAIN, "run", str(adult), "--target", "incom"], runs=3
        )
    results = HERE / "results" / "startup.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(rows, indent=1))
    print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
