"""The server's sections of RESULTS.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Table = Callable[[list[str], list[list[object]]], str]


def sections(rows: dict[str, Any], table: Table) -> list[str]:
    """Return Markdown sections of the subjects that were measured."""
    writers = (
        ("identity", _identity),
        ("objects", _objects),
        ("large_object", _large_object),
        ("connections", _connections),
        ("many_requests", _many_requests),
        ("jobs", _jobs),
        ("protocols", _protocols),
    )
    written = [part for name, write in writers if name in rows for part in write(rows[name], table)]
    if not written:
        return []
    opening = (
        "`make bench-server`: `headrace serve` as it is started by default (SQLite with `synchronous=FULL`, every request signed, authorised, "
        "audited and logged) beside moto's server from PyPI, which keeps everything in memory and checks no signature. "
        "Each part runs alone too, as its command says."
    )
    return ["## The server", opening, *written]


def _identity(rows: dict[str, Any], table: Table) -> list[str]:
    moto = rows.get("moto", {}).get("cpu_ms", float("nan"))
    lines: list[list[object]] = [
        [
            name,
            f"{f['p50_ms']:.2f}",
            f"{f['p99_ms']:.2f}",
            f"{f['cpu_ms']:.2f}",
            f"{f['cpu_ms'] / moto:.2f}",
            f"{f['load']:.1f}",
        ]
        for name, f in rows.items()
    ]
    text = (
        "`python -m benchmarks.server.identity`: `sts get-caller-identity` through boto3 at one connection, in turns. *empty* is uvicorn with a "
        "fixed answer: the client's own time. CPU is that of the server's process."
    )
    headings = ["server", "p50 ms", "p99 ms", "CPU ms", "CPU of moto's", "load"]
    return ["### One request", text, table(headings, lines)]


def _objects(rows: dict[str, Any], table: Table) -> list[str]:
    lines: list[list[object]] = []
    for size, ways in rows["sizes"].items():
        for way, speeds in ways.items():
            if "headrace" not in speeds:
                continue
            loop = speeds.get("plain loop") or ways[way.partition(",")[0]]["plain loop"]
            moto = speeds.get("moto")
            lines.append([
                size, way, f"{speeds['headrace']:,.0f}", f"{loop:,.0f}", f"{speeds['headrace'] / loop:.0%}",
                "" if moto is None else f"{moto:,.0f}", "" if moto is None else f"{speeds['headrace'] / moto:.2f}",
            ])  # fmt: skip
    text = (
        "`python -m benchmarks.server.objects`: MiB/s. The plain loop hashes (SHA-256, MD5), writes and fsyncs the same bytes in blocks of 1 MiB "
        "on the same disk, or reads them, from the page cache but where the disk is named. boto3 hashes twice before it sends; the other ways are a bare socket with a head "
        f"signed beforehand. moto's server never writes to the disk durably. Load {rows['load']:.1f}."
    )
    return [
        "### Objects",
        text,
        table(["size", "way", "Headrace", "plain loop", "of the loop", "moto", "times moto"], lines),
    ]


def _large_object(rows: dict[str, Any], table: Table) -> list[str]:
    lines: list[list[object]] = [
        [way, f"{f['growth_mib']:.0f}", f"{f['peak_mib']:.0f}", f"{f['mib_per_second']:,.0f}"]
        for way, f in rows["ways"].items()
    ]
    text = (
        f"`python -m benchmarks.server.memory`: resident memory of the server while an object of {rows['mib']:,} MiB comes in or goes out. "
        f"Load {rows['load']:.1f}."
    )
    return [
        "### Memory under a large object",
        text,
        table(["way", "growth MiB at most", "peak MiB", "MiB/s"], lines),
    ]


def _connections(rows: dict[str, Any], table: Table) -> list[str]:
    text = f"`python -m benchmarks.server.connections`: signed requests at random moments. Load {rows['load']:.1f}."
    headings = ["connections", "held s", "requests", "errors", "p50 ms", "p99 ms", "memory MiB more"]
    line: list[object] = [rows[name] for name in ("connections", "seconds", "requests", "errors")]
    line += [f"{rows['p50_ms']:.1f}", f"{rows['p99_ms']:.1f}", f"{rows['growth_mib']:.0f}"]
    return ["### Many connections", text, table(headings, [line])]


def _many_requests(rows: dict[str, Any], table: Table) -> list[str]:
    text = (
        "`python -m benchmarks.server.memory`: signed `GetCallerIdentity` over four connections after a warm-up of a tenth. "
        f"Load {rows['load']:.1f}."
    )
    headings = ["requests", "requests/s", "MiB after the warm-up", "MiB more at most"]
    line: list[object] = [f"{rows['requests']:,}", f"{rows['requests_per_second']:,.0f}"]
    line += [f"{rows['mib'][0]:.1f}", f"{rows['growth_mib']:.1f}"]
    return ["### Memory over many requests", text, table(headings, [line])]


def _jobs(rows: dict[str, Any], table: Table) -> list[str]:
    text = f"`python -m benchmarks.jobs`: the queue on SQLite (`synchronous=FULL`). Load {rows['load']:.1f}."
    lines: list[list[object]] = [
        [name, f"{f['per_second']:,.0f}", f"{f['cpu_us']:,.0f}"] for name, f in rows["parts"].items()
    ]
    return ["### Jobs", text, table(["what", "a second", "CPU µs each"], lines)]


def _protocols(rows: dict[str, Any], table: Table) -> list[str]:
    text = f"`python -m benchmarks.server.protocols`: µs, in process. Load {rows['load']:.1f}."
    steps = ("find", "parse", "validate", "render")
    lines: list[list[object]] = [
        [case, *(f"{row[step]:,.0f}" for step in steps)] for case, row in rows["cases"].items()
    ]
    return ["### Protocols", text, table(["case", *steps], lines)]
