import threading
from typing import Any

import pytest

from headrace.server.jobs.attempts import LONGEST_PAUSE, Attempts, ended, waits
from headrace.server.jobs.queue import JobQueue, get, log_of
from headrace.server.jobs.records import LeaseLost
from headrace.server.stores.metadata import MetadataStore

NOW = 1_700_000_000_000
QUEUE, ATTEMPTS = JobQueue(), Attempts()


def claim(connection: Any, *kinds: str, now: int = NOW) -> Any:
    return ATTEMPTS.claim(connection, kinds or ("train",), owner="worker", now=now)


def test_claims_take_the_most_urgent_then_the_oldest_of_its_kinds(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        old, urgent, later, other = (
            QUEUE.enqueue(connection, kind, {}, now=NOW, priority=priority, not_before=start)
            for kind, priority, start in (("train", 0, 0), ("train", 5, 0), ("train", 9, NOW + 10), ("tune", 9, 0))
        )
        record = claim(connection)
        assert (record.id, record.state, record.attempt, record.owner, record.started) == (
            urgent, "running", 1, "worker", NOW
        )  # fmt: skip
        assert claim(connection).id == old
        assert not waits(connection, ["train"], now=NOW)
        assert claim(connection) is None
        assert waits(connection, ["train"], now=NOW + 10)
        assert claim(connection, now=NOW + 10).id == later
        assert claim(connection, "train", "tune").id == other


def test_two_workers_never_get_the_same_job(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        ids = [QUEUE.enqueue(connection, "train", {}, now=NOW) for _ in range(40)]
    claimed: list[int] = []

    def work() -> None:
        while True:
            with metadata.writing() as connection:
                record = claim(connection)
            if record is None:
                return
            claimed.append(record.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == ids


def test_whoever_lost_the_lease_writes_nothing(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        job = QUEUE.enqueue(connection, "train", {}, now=NOW)
        claim(connection)
        ATTEMPTS.hand_back(connection, job, 1, now=NOW)
        assert ATTEMPTS.beat(connection, job, 1) is None, "queued again"
        assert claim(connection).attempt == 2
        before = get(connection, job)
        for write in (ATTEMPTS.complete, ATTEMPTS.hand_back, ATTEMPTS.cancelled):
            with pytest.raises(LeaseLost, match=rf"attempt 1 of job {job} holds it no longer"):
                write(connection, job, 1, now=NOW)
        with pytest.raises(LeaseLost):
            ATTEMPTS.fail(connection, job, 1, now=NOW, reason="late")
        assert ATTEMPTS.beat(connection, job, 1, progress={"step": "late"}) is None
        ATTEMPTS.log(connection, job, 1, ["late"], now=NOW)
        ATTEMPTS.ripen(connection, job, 1)
        assert get(connection, job) == before
        assert log_of(connection, job) == []


def test_a_beat_shows_life_and_progress(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        job = QUEUE.enqueue(connection, "train", {}, now=NOW)
        before = claim(connection).beat
        assert ATTEMPTS.beat(connection, job, 1, progress={"step": "fit", "fraction": 0.5}) == "running"
        assert ATTEMPTS.beat(connection, job, 1) == "running"
        QUEUE.cancel(connection, job, now=NOW)
        assert ATTEMPTS.beat(connection, job, 1) == "stopping"
        record = get(connection, job)
    assert (record.beat, record.progress) == (before + 3, {"step": "fit", "fraction": 0.5})


def test_failures_pause_longer_and_longer_until_the_job_is_dead(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        job = QUEUE.enqueue(connection, "train", {}, now=NOW, attempts=12)
        pauses = []
        for attempt in range(1, 12):
            assert claim(connection).attempt == attempt
            record = ATTEMPTS.fail(connection, job, attempt, now=NOW, reason="no luck")
            assert (record.state, record.failures, record.reason) == ("queued", attempt, "no luck")
            pauses.append(record.pause)
            assert claim(connection) is None, "it pauses"
            ATTEMPTS.ripen(connection, job, attempt)
        claim(connection)
        record = ATTEMPTS.fail(connection, job, 12, now=NOW + 1, reason="no luck")
        assert pauses[:3] == [1000, 2000, 4000]
        assert pauses[-1] == LONGEST_PAUSE
        assert (record.state, record.ended, record.reason) == ("dead", NOW + 1, "no luck (given up after 12 attempts)")
        assert ended(connection, [job]) == {job: None}


def test_ends(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        wrong, stopped, back, done = (QUEUE.enqueue(connection, "train", {}, now=NOW) for _ in range(4))
        for _ in range(4):
            claim(connection)
        for job in (stopped, back):
            QUEUE.cancel(connection, job, now=NOW)
        assert ATTEMPTS.fail(connection, wrong, 1, now=NOW, reason="bad", permanent=True).state == "dead"
        assert ATTEMPTS.fail(connection, stopped, 1, now=NOW, reason="SIGTERM").reason == "it was cancelled"
        assert ATTEMPTS.hand_back(connection, back, 1, now=NOW).state == "cancelled"
        record = ATTEMPTS.complete(connection, done, 1, now=NOW + 2, result={"model": [1, 2]})
        assert (record.state, record.result, record.ended, record.owner) == ("done", {"model": [1, 2]}, NOW + 2, "")
        assert ended(connection, [wrong, stopped, back, done, 99]) == {wrong: None, stopped: None, back: None, done: 1}


def test_changes_and_lines_are_told_in_their_transaction(metadata: MetadataStore) -> None:
    changes: list[str] = []
    lines: list[str] = []
    attempts = Attempts(
        lambda _, record: changes.append(record.state), lambda _, record, new: lines.extend(line.text for line in new)
    )
    with metadata.writing() as connection:
        job = QUEUE.enqueue(connection, "train", {}, now=NOW)
        attempts.claim(connection, ["train"], owner="w", now=NOW)
        attempts.log(connection, job, 1, ["a", "b"], now=NOW)
        attempts.fail(connection, job, 1, now=NOW, reason="x")
        attempts.ripen(connection, job, 1)
        attempts.claim(connection, ["train"], owner="w", now=NOW)
        attempts.complete(connection, job, 2, now=NOW)
    assert changes == ["running", "queued", "running", "done"]
    assert lines == ["a", "b"]
