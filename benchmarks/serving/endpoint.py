"""Processor time of one invocation, LightGBM of 100 trees over 30 features, one row: Headrace and peers, in turns."""

from __future__ import annotations

import argparse
import io
import os
import tarfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles

from benchmarks.server.rows import keep, say, work_folder
from benchmarks.server.servers import Server, running
from benchmarks.server.signed import Connection, head
from benchmarks.serving.account import BUCKET, JUMPSTART, LIGHTGBM_SOURCE, Account, csv, table
from benchmarks.serving.peers import PEERS, request_of, served

FEATURES = 30
CONNECTIONS = (1, 4)
MOST = max(CONNECTIONS)


class System:
    """One server that answers the same row, the bytes of a request, and its processes."""

    def __init__(self, name: str, server: Server, message: bytes) -> None:
        self.name, self._message = name, message
        self._server = server
        self._connections: list[Connection] = []
        self._processes = [server.process, *server.process.children(recursive=True)]

    def cpu(self) -> dict[int, float]:
        """Return the processor seconds of each process so far, by the kernel's clock of it (in nanoseconds)."""
        return {each.pid: time.clock_gettime(~each.pid << 3 | 2) for each in self._processes if each.is_running()}

    def connect(self, connections: int) -> None:
        """Ask on so many new connections from now on; those that idle are closed by some servers."""
        for each in self._connections:
            each.close()
        self._connections = [Connection(self._server) for _ in range(connections)]

    def ask(self) -> None:
        """Send the request on all connections, and read the answers."""
        for each in self._connections:
            each.send(self._message)
        for each in self._connections:
            status, _ = each.receive()
            if status != 200:
                raise SystemExit(f"{self.name} answered {status}")

    def worker(self) -> int:
        """Return the process of Headrace's model, 0 elsewhere."""
        for each in self._processes:
            if "headrace.server.model_server.host" in each.cmdline():
                return each.pid
        return 0


def headrace(server: Server, folder: Path) -> tuple[System, bytes]:
    """Train on a server and deploy; return the endpoint, asked with a signed request, and the row that it is asked.

    The model, which the library's own text format holds, is written to `folder`/model.txt.
    """
    account = Account(server)
    rows, labels = table(5_000, FEATURES)
    row = csv(rows[:1]).strip()
    uri = account.lightgbm(rows, labels)
    archive = account.s3.get_object(Bucket=BUCKET, Key=uri.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as files, files.extractfile("model.txt") as model:
        (folder / "model.txt").write_bytes(model.read())
    image = JUMPSTART.replace("training", "inference")
    environment = {"SAGEMAKER_SUBMIT_DIRECTORY": LIGHTGBM_SOURCE}
    account.deploy("served", {"Image": image, "ModelDataUrl": uri, "Environment": environment})
    headers = {"Content-Type": "text/csv", "Content-Length": str(len(row))}
    signed = head(server, "sagemaker", "POST", "/endpoints/served/invocations", headers)
    return System("headrace", server, signed + row), row


def one_round(system: System, requests: int, connections: int) -> tuple[list[float], float, float]:
    """Return wall seconds of each request, and the processor seconds of one: of all processes, of the model's."""
    seconds = []
    system.connect(connections)
    system.ask()
    before, worker = system.cpu(), system.worker()
    for _ in range(requests // connections):
        begin = time.perf_counter()
        system.ask()
        seconds.append(time.perf_counter() - begin)
    after = system.cpu()
    spent = {pid: after[pid] - before.get(pid, 0.0) for pid in after}
    return seconds, sum(spent.values()) / requests, spent.get(worker, 0.0) / requests


def main() -> None:
    """Measure, print, and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500, help="requests of a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peers", nargs="*", default=list(PEERS))
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    names = ("headrace", *arguments.peers)
    rounds: dict[str, dict[int, list[tuple[list[float], float, float]]]] = {
        name: {count: [] for count in CONNECTIONS} for name in names
    }
    with work_folder() as folder, ExitStack() as stack:
        first, row = headrace(stack.enter_context(running("headrace", folder)), folder)
        systems = [first]
        for name in arguments.peers:
            server = stack.enter_context(served(name, folder))
            systems.append(System(name, server, request_of(name, server, row)))
        for system in systems:
            one_round(system, arguments.requests, MOST)
            say(f"{system.name} answers")
        for _ in range(arguments.rounds):
            for count in CONNECTIONS:
                for system in systems:
                    rounds[system.name][count].append(one_round(system, arguments.requests, count))
    facts = {name: {str(count): figures(found) for count, found in each.items()} for name, each in rounds.items()}
    for name, each in facts.items():
        for count, found in each.items():
            say(f"{name}, {count} connections: " + ", ".join(f"{key} {value:.2f}" for key, value in found.items()))
    keep("endpoint", {"systems": facts, "load": os.getloadavg()[0]})


def figures(rounds: list[tuple[list[float], float, float]]) -> dict[str, float]:
    """Return the medians of the rounds of one system."""
    seconds = [each for times, _, _ in rounds for each in times]
    return {
        "cpu_us": median(cpu for _, cpu, _ in rounds) * 1e6,
        "worker_us": median(cpu for _, _, cpu in rounds) * 1e6,
        "p50_ms": median(seconds) * 1e3,
        "p99_ms": quantiles(seconds, n=100)[98] * 1e3,
    }


if __name__ == "__main__":
    main()
