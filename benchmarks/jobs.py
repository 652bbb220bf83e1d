"""Measures the job queue on SQLite (synchronous=FULL): claims and ends a second, and whole jobs through a worker."""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.server.rows import keep

from headrace.server.clock import system_clock
from headrace.server.jobs.attempts import Attempts
from headrace.server.jobs.queue import JobQueue, listing
from headrace.server.stores.metadata import MetadataStore
from headrace.server.worker.loop import Worker


def enqueue(store: MetadataStore, count: int) -> None:
    """Take jobs in, each in a transaction of its own."""
    queue = JobQueue()
    for number in range(count):
        with store.writing() as connection:
            queue.enqueue(connection, "answer", {"number": number}, now=system_clock())


def claim_and_end(store: MetadataStore) -> None:
    """Claim every job and end it as done: two transactions each."""
    attempts = Attempts()
    while True:
        with store.writing() as connection:
            record = attempts.claim(connection, ["answer"], owner="benchmark", now=system_clock())
        if record is None:
            return
        with store.writing() as connection:
            attempts.complete(connection, record.id, record.attempt, now=system_clock(), result=record.id)


def run_jobs(store: MetadataStore, folder: Path, parallel: int) -> None:
    """Run every job in a process of its own."""
    settings = SimpleNamespace(data=folder, jobs=parallel, trust_scripts=False)
    platform: Any = SimpleNamespace(metadata=store, clock=system_clock, settings=settings)
    worker = Worker(platform, {"answer": "builtins:id"})
    thread = threading.Thread(target=worker.run)
    thread.start()
    while True:
        with store.reading() as connection:
            if not any(listing(connection, state=state, limit=1)[0] for state in ("queued", "running")):
                break
        time.sleep(0.2)
    worker.stop()
    thread.join()


def main() -> None:
    """Print jobs a second of each part, and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--parallel", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        store = MetadataStore.open(f"sqlite:///{name}/headrace.db")
        few = max(1, options.count // 20)
        parts = (
            ("enqueue", options.count, partial(enqueue, store, options.count)),
            ("claim and end", options.count, partial(claim_and_end, store)),
            ("enqueue", few, partial(enqueue, store, few)),
            ("whole jobs, each in its own processes", few, partial(run_jobs, store, Path(name), options.parallel)),
        )
        facts = {}
        for title, count, part in parts:
            start, cpu = time.perf_counter(), time.process_time()
            part()
            wall, cpu = time.perf_counter() - start, time.process_time() - cpu
            facts[f"{title} ({count:,})"] = {"per_second": count / wall, "cpu_us": 1e6 * cpu / count}
            print(f"{title}: {count / wall:,.0f} a second ({1e6 * cpu / count:,.0f} µs of CPU each in this process)")
        store.close()
    keep("jobs", {"parts": facts, "load": os.getloadavg()[0]})


if __name__ == "__main__":
    main()
