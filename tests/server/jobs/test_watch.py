import os
import subprocess
import sys

import pytest

from headrace.server.jobs import owners
from headrace.server.jobs.attempts import Attempts
from headrace.server.jobs.queue import JobQueue, get
from headrace.server.jobs.watch import Watch
from headrace.server.stores.metadata import MetadataStore

NOW, HOUR = 1_700_000_000_000, 3_600_000
QUEUE, ATTEMPTS = JobQueue(), Attempts()


class Observer:
    """A worker that looks at the jobs of others, with a monotonic and a wall clock of its own."""

    def __init__(self, metadata: MetadataStore, wall: int) -> None:
        self.seconds, self.wall, self.metadata = 0.0, wall, metadata
        self.watch = Watch(ATTEMPTS, 30_000, lambda: self.seconds)

    def look(self, after: float, own: set[int] | None = None) -> list[int]:
        """Look after some seconds; return the jobs that were due."""
        self.seconds += after
        with self.metadata.writing() as connection:
            due = self.watch.look(connection, own=own or set())
            self.watch.act(connection, due, now=self.wall)
        return [row.id for row in due]


@pytest.mark.parametrize("wall", [NOW - HOUR, NOW, NOW + HOUR])
def test_a_job_that_shows_no_life_for_a_lease_is_taken_over_whatever_the_time(
    metadata: MetadataStore, wall: int
) -> None:
    with metadata.writing() as connection:
        job = QUEUE.enqueue(connection, "train", {}, now=NOW, attempts=2)
        ATTEMPTS.claim(connection, ["train"], owner="elsewhere:1:2:3", now=NOW)
    observer = Observer(metadata, wall)
    assert observer.look(1e6) == [], "seen for the first time"
    assert observer.look(29.9) == []
    with metadata.writing() as connection:
        assert ATTEMPTS.beat(connection, job, 1) == "running"
    assert observer.look(29.9) == [], "it showed life"
    assert observer.look(29.9) == []
    assert observer.look(0.2, own={job}) == [], "nobody takes a job from itself"
    assert observer.look(0) == [], "seen anew"
    assert observer.look(30) == [job]
    with metadata.reading() as connection:
        record = get(connection, job)
    assert (record.state, record.failures, record.pause) == ("queued", 1, 1000)
    assert observer.look(0) == []
    assert observer.look(0.9) == []
    assert observer.look(0.1) == [job], "the pause is over"
    with metadata.writing() as connection:
        assert ATTEMPTS.claim(connection, ["train"], owner="elsewhere:1:2:3", now=NOW)
    observer.look(0)
    assert observer.look(30) == [job]
    with metadata.reading() as connection:
        assert get(connection, job).state == "dead"


def test_life_between_the_look_and_the_deed_saves_a_job(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        job = QUEUE.enqueue(connection, "train", {}, now=NOW)
        ATTEMPTS.claim(connection, ["train"], owner="elsewhere:1:2:3", now=NOW)
        observer = Observer(metadata, NOW)
        observer.watch.look(connection, own=set())
        observer.seconds = 31
        due = observer.watch.look(connection, own=set())
        ATTEMPTS.beat(connection, job, 1)
        observer.watch.act(connection, due, now=NOW)
        assert [row.id for row in due] == [job]
        assert get(connection, job).state == "running"


def test_a_job_that_was_to_stop_is_cancelled_when_its_worker_died(metadata: MetadataStore) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "from headrace.server.jobs.owners import this_owner as t; print(t())"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    owner = process.communicate()[0].strip()
    with metadata.writing() as connection:
        job = QUEUE.enqueue(connection, "train", {}, now=NOW)
        ATTEMPTS.claim(connection, ["train"], owner=owner, now=NOW)
        QUEUE.cancel(connection, job, now=NOW)
    assert Observer(metadata, NOW).look(0) == [job], "its process is seen to be gone: nobody waits for the lease"
    with metadata.reading() as connection:
        assert get(connection, job).state == "cancelled"


def test_an_owner_is_gone_when_its_process_is_and_never_elsewhere() -> None:
    owner = owners.this_owner()
    machine, process, started, _ = owner.split(":")
    assert owner != owners.this_owner()
    assert not owners.is_gone(owner)
    assert not owners.is_gone(f"elsewhere:{process}:0:x")
    assert not owners.is_gone("")
    assert owners.is_gone(f"{machine}:{process}:{int(started) - 1}:x"), "another process has its number now"
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert owners.is_gone(f"{machine}:{child}:{started}:x"), "a zombie holds nothing"
    os.waitpid(child, 0)
    assert owners.is_gone(f"{machine}:{child}:{started}:x")
