"""`sts get-caller-identity` through boto3 at one connection: Headrace, moto's server and an empty one, in turns."""

from __future__ import annotations

import argparse
import os
import time
from contextlib import ExitStack
from statistics import median, quantiles
from typing import Any

from benchmarks.server.rows import keep, say, work_folder
from benchmarks.server.servers import Server, running

SYSTEMS = ("headrace", "moto", "empty")


def one_round(server: Server, sts: Any, requests: int) -> tuple[list[float], float]:
    """Return the wall seconds of each request, and the server's processor seconds of one."""
    seconds = []
    cpu = server.cpu_seconds()
    for _ in range(requests):
        begin = time.perf_counter()
        sts.get_caller_identity()
        seconds.append(time.perf_counter() - begin)
    return seconds, (server.cpu_seconds() - cpu) / requests


def main() -> None:
    """Measure, print, and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=400, help="requests of a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--systems", nargs="*", default=SYSTEMS)
    arguments = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in arguments.systems}
    cpu: dict[str, list[float]] = {name: [] for name in arguments.systems}
    with work_folder() as folder, ExitStack() as stack:
        servers = [stack.enter_context(running(name, folder)) for name in arguments.systems]
        clients = [server.client("sts") for server in servers]
        for server, sts in zip(servers, clients, strict=True):
            one_round(server, sts, arguments.requests // 4)
        for _ in range(arguments.rounds):
            for server, sts in zip(servers, clients, strict=True):
                times, each = one_round(server, sts, arguments.requests)
                seconds[server.name] += times
                cpu[server.name].append(each)
    facts = {}
    for name in arguments.systems:
        facts[name] = {
            "p50_ms": median(seconds[name]) * 1e3,
            "p99_ms": quantiles(seconds[name], n=100)[98] * 1e3,
            "cpu_ms": median(cpu[name]) * 1e3,
            "load": os.getloadavg()[0],
        }
        say(f"{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in facts[name].items()))
    keep("identity", facts)


if __name__ == "__main__":
    main()
