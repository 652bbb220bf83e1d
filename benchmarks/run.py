"""Runs the benchmarks and writes RESULTS.md from their rows."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

from server.sections import sections as server_sections
from serving.sections import sections as serving_sections

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS = HERE / "results"
ABOUT = "## About this run"
SAGEMAKER = ("serving.endpoint", "serving.times", "serving.updates", "random_cut_forest")
SERVER = ("server.identity", "server.objects", "server.memory", "server.connections", "jobs", "server.protocols")


def part(*arguments: object) -> None:
    """Run one benchmark in a process of its own."""
    subprocess.run([sys.executable, *map(str, arguments)], check=True)


def server_part(name: str) -> None:
    """Run one of the server's benchmarks, which are modules."""
    print(f"benchmarks.{name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True, cwd=ROOT)


def read(name: str) -> dict[str, Any]:
    """Return the rows of a benchmark, empty when it was not run."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def table(headings: list[str], rows: list[list[object]]) -> str:
    """Render a Markdown table."""
    lines = ["| " + " | ".join(headings) + " |", "|" + " --- |" * len(headings)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def write_results() -> None:
    """Write RESULTS.md."""
    sections = [
        "# Results",
        f"Written by `benchmarks/run.py`, last on {date.today()} (sections that were not run then stay as they were): {os.cpu_count()} processors, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}. Medians; every comparison is of one run on the same machine. The machine is shared: "
        "compare ratios.",
    ]
    if quality := read("quality"):
        rows = []
        for name, systems in quality.items():
            ours = systems.get("headrace", {})
            for system, f in systems.items():
                gap = f["score"] - ours.get("score", float("nan"))
                rows.append([
                    name, system, f["metric"], f"{f['score']:.4f}" if f["metric"] == "roc_auc" else f"{f['score']:,.0f}",
                    "" if system == "headrace" else f"{-gap:+.4f}" if f["metric"] == "roc_auc" else f"{-gap / f['score']:+.2%}",
                    f"{f['wall_seconds']:.0f}", f"{f['cpu_seconds']:.0f}", f"{f['single_ms']:.3f}",
                    f"{f['rows_per_second']:,.0f}", f"{f['model_mb']:.1f}" if "model_mb" in f else "", f"{f['load']:.1f}",
                ])  # fmt: skip
        sections += [
            "## Quality and speed beside peers",
            "`make bench-peers DATA=FOLDER` (`benchmarks/quality.py`). The same 80/20 split (seed 0) and 120 s; *Headrace* is the whole `headrace run`, its nine steps and "
            "report inside the budget. Wall and CPU seconds are those of the whole process (for peers, measuring the speed is included). "
            "*ahead* is Headrace's score less the peer's (AUC), or its RMSE relative to the peer's (negative: Headrace's error is smaller).",
            table(
                [
                    "table",
                    "system",
                    "metric",
                    "score",
                    "ahead",
                    "wall s",
                    "CPU s",
                    "one row ms",
                    "rows/s",
                    "model MB",
                    "load",
                ],
                rows,
            ),
        ]
    if latency := read("latency"):
        rows = [
            [name, f"{f['single_ms'] * 1000:.0f}", f"{f['rows_per_second']:,.0f}", f"{f['model_mb']:.2f}"]
            for name, f in latency.items() if isinstance(f, dict)
        ]  # fmt: skip
        sections += [
            "## The compiled model",
            "`make bench DATA=FOLDER` (`benchmarks/latency.py`): telco_churn; one row is a raw dict in and a label out, in process; "
            "100,000 rows are a polars frame in and probabilities out.",
            table(["model", "one row p50 µs", "rows/s (100,000)", "MB"], rows),
        ]
    if startup := read("startup"):
        sections += [
            "## Start-up",
            "`make bench DATA=FOLDER` (`benchmarks/startup.py`): whole processes, median.",
            table(["what", "seconds"], [[k, f"{v:.2f}"] for k, v in startup.items()]),
        ]
    if budget := read("budget"):
        rows = [
            [name, f"{f['wall_seconds']:.1f}", f"{f['peak_mb']:,.0f}", f["candidates"], f"{f['test']:.4f}", f["exit"]]
            for name, f in budget.items()
        ]
        sections += [
            "## Budget and memory",
            "`make bench DATA=FOLDER` (`benchmarks/budget.py`): adult, and 500,000 rows drawn from it. Peak is the sum of the proportional set sizes of all processes of the run.",
            table(["table and budget", "wall s", "peak MB", "candidates fitted", "test AUC", "exit code"], rows),
        ]
    if size := read("size"):
        sections += [
            "## Size on disk",
            "`make bench DATA=FOLDER` (`benchmarks/size.py`): the wheel and what it needs, without extras, in a fresh environment.",
            table(["what", "MiB"], [[k, f"{v:,.0f}"] for k, v in size.items()]),
        ]
    server = read("server")
    if forest := read("random_cut_forest"):
        server["cut_forest"] = forest
    sections += server_sections(server, table) + serving_sections(server, table)
    former = (HERE / "RESULTS.md").read_text() if (HERE / "RESULTS.md").exists() else ""
    (HERE / "RESULTS.md").write_text(merged("\n\n".join(sections), former) + "\n")


def merged(new: str, former: str) -> str:
    """Return the new sections in place of those of the same heading; the others, and what is written by hand, stay."""
    (opening, found), (_, kept) = split(new), split(former)
    about = {heading: text for heading, text in kept.items() if heading == ABOUT}
    together = {**kept, **found}
    return "\n\n".join([opening, *(together[each] for each in together if each not in about), *about.values()])


def split(text: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the first section, and the sections by heading."""
    opening, *parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    return opening.rstrip(), {part.partition("\n")[0]: part.rstrip() for part in parts}


def main() -> None:
    """Run what was asked for, then write RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the data sets (benchmarks/README.md)")
    parser.add_argument("--peers", action="store_true", help="quality and speed beside AutoGluon and FLAML")
    parser.add_argument("--server", action="store_true", help="only the server, beside moto's; needs no data sets")
    parser.add_argument(
        "--sagemaker", action="store_true", help="only SageMaker's endpoints and jobs; needs no data sets"
    )
    parser.add_argument("--write-only", action="store_true", help="only write RESULTS.md from the rows that are there")
    arguments = parser.parse_args()
    if arguments.server or arguments.sagemaker:
        for name in SERVER if arguments.server else SAGEMAKER:
            server_part(name)
    elif not arguments.write_only:
        if arguments.data is None or not arguments.data.is_dir():
            parser.error(
                "name the folder of the data sets: make bench DATA=FOLDER (benchmarks/README.md says what it holds)"
            )
        if arguments.peers:
            part(HERE / "quality.py", "--data", arguments.data)
        else:
            out = ROOT / "headrace-out"
            if not (out / "model").is_dir():
                subprocess.run(["make", "-C", str(ROOT), "demo"], check=True)
            part(HERE / "latency.py", "--model", out / "model")
            part(HERE / "startup.py", "--data", arguments.data, "--model", out / "model")
            part(HERE / "budget.py", "--data", arguments.data)
            part(HERE / "size.py")
    write_results()


if __name__ == "__main__":
    main()
