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

from benchmarks.automl.sections import sections as automl_sections
from benchmarks.deadlines import section as deadlines_section
from benchmarks.forecasting.rows import read as forecasting_rows
from benchmarks.forecasting.sections import sections as forecasting_sections
from benchmarks.monitored import sections as monitoring_sections
from benchmarks.noise import section as noise_section
from benchmarks.server.sections import sections as server_sections
from benchmarks.serving.sections import sections as serving_sections

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS = HERE / "results"
ABOUT = "## About this run"
SAGEMAKER = ("serving.endpoint", "serving.times", "serving.updates", "random_cut_forest")
SERVER = ("server.identity", "server.objects", "server.memory", "server.connections", "jobs", "server.protocols")


def part(name: str, *arguments: object) -> None:
    """Run one benchmark, a module, in a process of its own."""
    print(f"benchmarks.{name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)], check=True, cwd=ROOT)


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
    sections += automl_sections(read("automl"), table)
    sections += forecasting_sections(forecasting_rows(), table)
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
    if contents := read("text_and_images"):
        rows = [
            [name, f["rows"], f"{f['headrace']['accuracy']:.4f}", "; ".join(f"{peer} {p['accuracy']:.4f}" for peer, p in f["peers"].items()),
             f"{f['headrace']['one_row_ms']:.2f}", f"{f['headrace']['model_mb']:.2f}"]
            for name, f in contents.items()
        ]  # fmt: skip
        sections += [
            "## Texts and pictures",
            "`make bench-text-images DATA=FOLDER` (`benchmarks/text_and_images.py`): accuracy on the same test part, a budget of 60 s, beside "
            "scikit-learn pipelines whose penalty was chosen by cross-validation; one row is a raw dict in and a label out.",
            table(["data set", "rows", "headrace", "scikit-learn", "one row ms", "MB"], rows),
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
    if noise := read("noise"):
        sections += noise_section(noise, table)
    if size := read("size"):
        sections += [
            "## Size on disk",
            "`make bench DATA=FOLDER` (`benchmarks/size.py`): the wheel and what it needs, without extras, in a fresh environment.",
            table(["what", "MiB"], [[k, f"{v:,.0f}"] for k, v in size.items()]),
        ]
    sections += deadlines_section(read("deadlines"), table)
    sections += monitoring_sections(read("monitoring"), table)
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
    parser.add_argument("--automl", action="store_true", help="only AutoML beside AutoGluon, FLAML, H2O and mljar")
    parser.add_argument("--text-images", action="store_true", help="only texts and pictures, beside scikit-learn")
    parser.add_argument("--short", action="store_true", help="with --automl: the short profile, within an hour")
    parser.add_argument("--monitoring", action="store_true", help="only monitoring: false alarms and planted drifts")
    parser.add_argument("--forecasting", action="store_true", help="only forecasting beside its peers")
    parser.add_argument("--deadlines", action="store_true", help="only budgets beside busy processes")
    parser.add_argument("--server", action="store_true", help="only the server, beside moto's; needs no data sets")
    parser.add_argument("--noise", action="store_true", help="only tables of pure noise; needs no data sets")
    parser.add_argument(
        "--sagemaker", action="store_true", help="only SageMaker's endpoints and jobs; needs no data sets"
    )
    parser.add_argument("--write-only", action="store_true", help="only write RESULTS.md from the rows that are there")
    arguments = parser.parse_args()
    if arguments.server or arguments.sagemaker:
        for name in SERVER if arguments.server else SAGEMAKER:
            part(name)
    elif arguments.noise:
        part("noise")
    elif not arguments.write_only:
        if arguments.data is None or not arguments.data.is_dir():
            parser.error(
                "name the folder of the data sets: make bench DATA=FOLDER (benchmarks/README.md says what it holds)"
            )
        data = arguments.data.resolve()
        if arguments.monitoring:
            part("monitoring", "--data", data)
        elif arguments.deadlines:
            part("deadlines", "--data", data)
        elif arguments.text_images:
            part("text_and_images", "--data", data)
        elif arguments.forecasting:
            part("forecasting", "--data", data)
        elif arguments.automl:
            part("automl", "--data", data, *(["--short"] if arguments.short else []))
        else:
            out = ROOT / "headrace-out"
            if not (out / "model").is_dir():
                subprocess.run(["make", "-C", str(ROOT), "demo"], check=True)
            part("latency", "--model", out / "model")
            part("startup", "--data", data, "--model", out / "model")
            part("budget", "--data", data)
            part("size")
    write_results()


if __name__ == "__main__":
    main()
