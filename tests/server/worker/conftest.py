"""Workers for the tests: one in a thread, and real processes forked from a warmed one."""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.server.clock import system_clock
from headrace.server.errors import Unavailable
from headrace.server.jobs.queue import JobQueue, get, listing, log_of
from headrace.server.jobs.records import ENDED, JobRecord
from headrace.server.stores.metadata import MetadataStore
from headrace.server.worker.loop import Worker
from headrace.server.worker.process import Timing

HERE = Path(__file__).parent
collect_ignore = ["faults.py", "job_handlers.py", "stage.py"]
QUICK = {
    "lease": 20_000,
    "beat": 200,
    "flush": 40,
    "poll": 20,
    "asked": 100,
    "stopped": 300,
    "terminated": 300,
    "finish": 50,
}
NAMES = (HERE / "job_handlers.py").read_text().split("\ndef ")[1:]
HANDLERS = {name.partition("(")[0]: f"job_handlers:{name.partition('(')[0]}" for name in NAMES}


def until(question: Callable[[], Any], what: str, seconds: float = 20) -> Any:
    """Return the first true answer."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.01)
    return answer


@pytest.fixture(autouse=True)
def _handlers_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    monkeypatch.syspath_prepend(str(HERE))


class Jobs:
    """A queue with its data folder, and short ways to use both."""

    def __init__(self, store: MetadataStore, url: str, data: Path) -> None:
        self.store, self.url, self.data = store, url, data
        self.queue = JobQueue()
        with store.writing() as connection:
            connection.exec_driver_sql("CREATE TABLE effects (job INTEGER, attempt INTEGER, state VARCHAR(20))")

    def add(self, kind: str, payload: dict[str, Any] | None = None, **options: Any) -> int:
        with self.store.writing() as connection:
            return self.queue.enqueue(connection, kind, payload or {}, now=system_clock(), **options)

    def get(self, job: int) -> JobRecord:
        with self.store.reading() as connection:
            return get(connection, job)

    def all(self) -> list[JobRecord]:
        with self.store.reading() as connection:
            return listing(connection, limit=1000)[0]

    def log(self, job: int) -> list[str]:
        with self.store.reading() as connection:
            return [line.text for line in log_of(connection, job, limit=100_000)]

    def cancel(self, job: int) -> JobRecord:
        with self.store.writing() as connection:
            return self.queue.cancel(connection, job, now=system_clock())

    def effects(self, state: str) -> Counter[int]:
        with self.store.reading() as connection:
            return Counter(
                connection.exec_driver_sql(f"SELECT job FROM effects WHERE state = '{state}'").scalars().all()
            )

    def ended(self, job: int) -> JobRecord:
        until(lambda: self.get(job).state in ENDED, f"job {job} ends")
        return self.get(job)

    def running(self, job: int, lines: int = 1) -> JobRecord:
        until(lambda: self.get(job).state == "running" and self.get(job).lines >= lines, f"job {job} runs")
        return self.get(job)

    def writes(self) -> bool:
        """Tell whether the database takes a write just now."""
        try:
            with self.store.writing() as connection:
                connection.exec_driver_sql("INSERT INTO effects VALUES (0, 0, 'probe')")
        except Unavailable:
            return False
        return True

    def worker(self, **options: Any) -> Worker:
        settings = SimpleNamespace(data=self.data, jobs=2, trust_scripts=options.pop("trust_scripts", False))
        platform: Any = SimpleNamespace(
            metadata=self.store, clock=options.pop("clock", system_clock), settings=settings
        )
        given = {
            "timing": Timing(**(QUICK | options.pop("timing", {}))),
            "first_pause": 20,
            "opener": "job_handlers:platform",
        }
        return Worker(platform, HANDLERS, **(given | {"opening": {"database": self.url}} | options))

    @contextmanager
    def work(self, **options: Any) -> Iterator[Worker]:
        """Have a worker in a thread of its own."""
        worker = self.worker(**options)
        failures: list[BaseException] = []

        def run() -> None:
            try:
                worker.run()
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield worker
        finally:
            worker.stop()
            thread.join(20)
            assert not thread.is_alive()
            assert not failures, failures


@pytest.fixture
def jobs(metadata: MetadataStore, database_url: str, tmp_path: Path) -> Jobs:
    return Jobs(metadata, database_url, tmp_path / "data")


@pytest.fixture
def jobs_on() -> type[Jobs]:
    return Jobs


@pytest.fixture
def sqlite_jobs(tmp_path: Path) -> Iterator[Jobs]:
    """Jobs on SQLite alone, for what does not depend on the database."""
    url = f"sqlite:///{tmp_path}/headrace.db"
    store = MetadataStore.open(url)
    yield Jobs(store, url, tmp_path / "data")
    store.close()


class Stage:
    """The warmed process of stage.py."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(HERE / "stage.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(HERE)},
        )  # fmt: skip

    def _ask(self, **request: Any) -> int:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def work(self, jobs: Jobs, *, timing: dict[str, int] | None = None, **request: Any) -> int:
        """Start a worker that works until all jobs ended; return its process id."""
        timing = QUICK | (timing or {})
        return self._ask(act="work", database=jobs.url, data=str(jobs.data), timing=timing, **request)

    def serve(self, jobs: Jobs, acknowledged: Path, **request: Any) -> int:
        return self._ask(act="serve", database=jobs.url, acknowledged=str(acknowledged), **request)

    def wait(self, process: int) -> int:
        """Return the exit code of a process that it started."""
        return self._ask(wait=process)


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    started = Stage()
    yield started
    assert started.process.stdin and started.process.stdout
    started.process.stdin.close()
    started.process.wait(20)
    started.process.stdout.close()


@pytest.fixture
def wait_until() -> Callable[..., Any]:
    return until
