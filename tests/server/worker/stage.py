"""A warmed process that forks servers and workers for the tests, each a real process that can be killed.

It never opens a database itself, so that its children inherit no connection. One JSON request a line, one answer a line.
"""

import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faults
import job_handlers
import psycopg  # noqa: F401
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite  # noqa: F401

from headrace.server.clock import system_clock
from headrace.server.jobs.queue import JobQueue, listing
from headrace.server.jobs.records import ENDED
from headrace.server.stores.metadata import MetadataStore
from headrace.server.worker.loop import Worker
from headrace.server.worker.process import Timing

HANDLERS = {
    name: f"job_handlers:{name}" for name, value in vars(job_handlers).items() if callable(value) and name[0] != "_"
}


def work(request: dict[str, Any]) -> None:
    """Work until no job is left that has not ended."""
    os.environ["TEST_WORKER"] = str(os.getpid())
    metadata = MetadataStore.open(request["database"])
    settings = SimpleNamespace(data=Path(request["data"]), jobs=2, trust_scripts=False)
    platform = SimpleNamespace(
        metadata=metadata, settings=settings, clock=lambda: system_clock() + request.get("clock", 0)
    )
    worker = Worker(
        platform,
        HANDLERS,
        opener="job_handlers:platform",
        opening={"database": request["database"]},
        on_change="job_handlers:note",
        timing=Timing(**request["timing"]),
        first_pause=20,
    )

    def stop_at_the_end() -> None:
        while True:
            with metadata.reading() as connection:
                if all(job.state in ENDED for job in listing(connection, limit=1000)[0]):
                    break
            time.sleep(0.03)
        worker.stop()

    threading.Thread(target=stop_at_the_end, daemon=True).start()
    if request.get("kill_at"):
        faults.kill_at(request["kill_at"], metadata.engine)
    worker.run()


def serve(request: dict[str, Any]) -> None:
    """Take jobs in as a server does, each with a row of its own, and acknowledge each after its commit."""
    metadata = MetadataStore.open(request["database"])
    if request.get("kill_at"):
        faults.kill_at(request["kill_at"], metadata.engine)
    with Path(request["acknowledged"]).open("a") as file:
        for number in request["numbers"]:
            with metadata.writing() as connection:
                queue = JobQueue(job_handlers.note)
                kind = request.get("kind", "double")
                queue.enqueue(connection, kind, {"number": number}, now=system_clock(), token=f"n{number}", attempts=20)
            file.write(f"{number}\n")
            file.flush()


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                status = 1
                try:
                    {"work": work, "serve": serve}[request["act"]](request)
                    status = 0
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(status)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
