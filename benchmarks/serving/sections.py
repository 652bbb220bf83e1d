"""SageMaker's sections of RESULTS.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Table = Callable[[list[str], list[list[object]]], str]


def sections(rows: dict[str, Any], table: Table) -> list[str]:
    """Return Markdown sections of the subjects that were measured."""
    writers = (("endpoint", _endpoint), ("times", _times), ("updates", _updates), ("cut_forest", _cut_forest))
    written = [part for name, write in writers if name in rows for part in write(rows[name], table)]
    if not written:
        return []
    opening = (
        "`make bench-sagemaker`: `headrace serve` as it is started by default, used through boto3; peers from PyPI, each in an environment of "
        "its own with one worker and one thread. Each part runs alone too, as its command says."
    )
    return ["## SageMaker", opening, *written]


def _endpoint(rows: dict[str, Any], table: Table) -> list[str]:
    systems = rows["systems"]
    lines: list[list[object]] = [
        [
            name,
            count,
            f"{f['cpu_us']:,.0f}",
            f"{f['worker_us']:,.0f}" if f["worker_us"] else "",
            f"{f['cpu_us'] / systems['headrace'][count]['cpu_us']:.2f}",
            f"{f['p50_ms']:.2f}",
            f"{f['p99_ms']:.2f}",
        ]
        for count in systems["headrace"]
        for name, f in ((name, each[count]) for name, each in systems.items())
    ]
    text = (
        "`python -m benchmarks.serving.endpoint`: LightGBM, 100 trees, 30 features, one row a request, on so many connections at a time, in turns. "
        "Headrace's requests are signed (SigV4), authorised, measured and logged, and its row is CSV; the peers check nobody, and their row is "
        "JSON. CPU is that of all processes of a server for one request, by the kernel's clocks of them; *worker* is the process of the model behind "
        f"its private socket. Milliseconds are until all connections are answered. Load {rows['load']:.1f}."
    )
    headings = ["server", "connections", "CPU µs", "worker µs", "times ours", "p50 ms", "p99 ms"]
    return ["### One invocation", text, table(headings, lines)]


def _times(rows: dict[str, Any], table: Table) -> list[str]:
    text = (
        "`python -m benchmarks.serving.times`: wall seconds through boto3 (median), asked for every 0.1 s; a table of abalone's shape (4,177 rows, "
        "50 rounds). Memory is the proportional set size after every model was asked twice. "
        f"Load {rows['load']:.1f}."
    )
    lines: list[list[object]] = [
        ["CreateTrainingJob to Completed, XGBoost", f"{rows['training_s']:.2f} s"],
        ["CreateEndpoint to InService, XGBoost", f"{rows['endpoint_s']:.2f} s"],
        ["its validation RMSE less that of the package called directly", f"{rows['rmse_difference']:.1e}"],
        [
            f"{rows['models']} XGBoost models behind one multi-model endpoint: their process",
            f"{rows['worker_mib']:.0f} MiB",
        ],
        ["the server's own process meanwhile", f"{rows['server_mib']:.0f} MiB"],
    ]
    return ["### Jobs, endpoints and many models", text, table(["what", "figure"], lines)]


def _updates(rows: dict[str, Any], table: Table) -> list[str]:
    text = (
        "`python -m benchmarks.serving.updates`: signed requests at even moments on 16 connections, while UpdateEndpoint replaces the two "
        f"instances again and again. Load {rows['load']:.1f}."
    )
    headings = ["requests/s", "seconds", "updates", "requests", "lost", "p50 ms", "p99 ms"]
    line: list[object] = [
        f"{rows['rate']:g}",
        f"{rows['seconds']:g}",
        rows["updates"],
        f"{rows['requests']:,}",
        rows["lost"],
    ]
    line += [f"{rows['p50_ms']:.1f}", f"{rows['p99_ms']:.1f}"]
    return ["### UpdateEndpoint under load", text, table(headings, [line])]


def _cut_forest(rows: dict[str, Any], table: Table) -> list[str]:
    speeds, times = rows["points a CPU second, median"], rows["times krcf in the same turn, median"]
    lines: list[list[object]] = [[name, f"{speed:,}", f"{times[name]:.2f}"] for name, speed in speeds.items()]
    text = (
        "`python benchmarks/random_cut_forest.py`: 50 trees of 256, shingle 48, each point scored and learnt, in turns with AWS's own code "
        f"(Rust, by way of krcf). Load {rows['load']:.1f}."
    )
    return ["### Random Cut Forest", text, table(["system", "points a CPU second", "times krcf"], lines)]
