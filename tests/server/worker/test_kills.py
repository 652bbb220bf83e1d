"""No kill loses a job, does one twice visibly, or leaves one to the dead: on both databases, between every two writes."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

SIGKILL = -signal.SIGKILL


def check_done_once(jobs: Any, expected: int) -> None:
    """Check that every job is done, once, by the attempt that its record names, and that nobody holds any."""
    records = jobs.all()
    assert len(records) == expected
    assert {record.state for record in records} == {"done"}
    assert {record.owner for record in records} == {""}
    assert jobs.effects("done") == {record.id: 1 for record in records}
    assert jobs.effects("queued").keys() == {record.id for record in records}
    for record in records:
        assert record.result == record.payload["number"] * 2
        output = jobs.data / "jobs" / str(record.id) / str(record.attempt) / "output" / "answer"
        assert output.read_text() == str(record.result)


def test_a_worker_killed_between_any_two_writes_loses_nothing(jobs: Any, stage: Any) -> None:
    point, survived = 0, False
    while not survived:
        point += 1
        jobs.queue = type(jobs.queue)(note)
        jobs.add("double", {"number": point}, attempts=3)
        survived = stage.wait(stage.work(jobs, kill_at=point)) == 0
        assert stage.wait(stage.work(jobs)) == 0
    assert point > 8, "there are at least the writes of a claim, of a beat and of an end"
    check_done_once(jobs, point)
    assert {job.id: job.failures for job in jobs.all()}[point] == 0


@pytest.mark.parametrize("with_worker", [False, True], ids=["job", "job and worker"])
def test_a_job_killed_between_any_two_writes_of_its_commit_is_done_once(
    jobs: Any, stage: Any, with_worker: bool
) -> None:
    jobs.queue = type(jobs.queue)(note)
    points = 12
    for point in range(1, points + 1):
        jobs.add(
            "double_in_commit", {"number": point, "kill_at": point, "with_worker": with_worker}, attempts=points + 2
        )
    while stage.wait(stage.work(jobs)) != 0:
        assert with_worker
    check_done_once(jobs, points)
    assert jobs.effects("mine") == {record.id: 1 for record in jobs.all()}
    last = max(jobs.all(), key=lambda record: record.id)
    assert last.attempt == 1 or with_worker, "the last point lies behind all writes"


def test_a_server_killed_between_any_two_writes_keeps_what_it_acknowledged(
    jobs: Any, stage: Any, tmp_path: Path
) -> None:
    acknowledged, point, status = tmp_path / "acknowledged", 0, SIGKILL
    acknowledged.touch()
    while status == SIGKILL:
        point += 1
        status = stage.wait(stage.serve(jobs, acknowledged, numbers=[point, point + 1], kill_at=point))
        known = {record.payload["number"] for record in jobs.all()}
        assert set(map(int, acknowledged.read_text().split())) <= known
        assert sum(jobs.effects("queued").values()) == len(known), "a job and the rows beside it come together"
    assert status == 0
    assert point > 5
    everything = list(range(1, point + 2))
    assert stage.wait(stage.serve(jobs, acknowledged, numbers=everything)) == 0, "clients ask again by their tokens"
    assert stage.wait(stage.work(jobs)) == 0
    check_done_once(jobs, point + 1)


def test_server_and_workers_killed_at_random_lose_nothing(jobs: Any, stage: Any, tmp_path: Path) -> None:
    acknowledged, chance = tmp_path / "acknowledged", random.Random(4)
    numbers = list(range(12))
    for _ in range(4):
        server = stage.serve(jobs, acknowledged, numbers=numbers, kill_at=chance.randint(1, 60))
        workers = [stage.work(jobs, kill_at=chance.randint(2, 40)) for _ in range(2)]
        assert {stage.wait(process) for process in (server, *workers)} <= {0, SIGKILL}
    assert stage.wait(stage.serve(jobs, acknowledged, numbers=numbers)) == 0
    assert stage.wait(stage.work(jobs)) == 0
    check_done_once(jobs, len(numbers))


@pytest.mark.parametrize("commit", [True, False], ids=["commits itself", "answers its worker"])
def test_what_a_stopped_worker_brings_after_its_lease_is_refused(
    jobs: Any, stage: Any, tmp_path: Path, commit: bool, wait_until: Any
) -> None:
    timing = {"lease": 2_000, "beat": 100}
    jobs.queue = type(jobs.queue)(note)
    job = jobs.add("finish_late", {"folder": str(tmp_path), "commit": commit})
    zombie = stage.work(jobs, timing=timing)
    wait_until((tmp_path / "started-1").exists, "the job runs")
    stopped = [psutil.Process(zombie)] + ([] if commit else psutil.Process(zombie).children(recursive=True))
    with jobs.store.writing():  # nobody is stopped in the middle of a transaction, which would hold up everyone
        for process in stopped:
            process.suspend()
    second = stage.work(jobs, timing=timing)
    wait_until(lambda: jobs.get(job).state == "done", "another worker does it")
    (tmp_path / "go").touch()
    if commit:
        wait_until((tmp_path / "refused").exists, "the commit of the zombie is refused")
    for process in reversed(stopped):
        process.resume()
    assert [stage.wait(zombie), stage.wait(second)] == [0, 0]
    record = jobs.get(job)
    assert (record.state, record.attempt, record.result) == ("done", 2, 2)
    assert jobs.effects("done") == {job: 1}


def test_a_worker_that_was_away_for_longer_than_its_lease_starts_over(
    jobs: Any, stage: Any, tmp_path: Path, wait_until: Any
) -> None:
    job = jobs.add("finish_late", {"folder": str(tmp_path), "commit": False})
    worker = stage.work(jobs, timing={"lease": 2_000, "beat": 100})
    wait_until((tmp_path / "started-1").exists, "the job runs")
    with jobs.store.writing():
        psutil.Process(worker).suspend()
    away = time.monotonic()
    wait_until(lambda: time.monotonic() - away > 2.1, "its lease is over")
    psutil.Process(worker).resume()
    assert stage.wait(worker) == 0
    record = jobs.get(job)
    assert (record.state, record.attempt, record.failures) == ("done", 2, 1)


def test_sigterm_ends_a_worker_cleanly(jobs: Any, stage: Any) -> None:
    job = jobs.add("wait")
    worker = stage.work(jobs)
    jobs.running(job)
    os.kill(worker, signal.SIGTERM)
    assert stage.wait(worker) == 0
    record = jobs.get(job)
    assert (record.state, record.failures, record.owner) == ("queued", 0, "")


def test_clocks_that_are_an_hour_apart_change_nothing(jobs: Any, stage: Any, tmp_path: Path) -> None:
    hour = 3_600_000
    timing = {"lease": 2_000, "beat": 50}
    jobs.queue = type(jobs.queue)(note)
    for number in range(6):
        jobs.add("double", {"number": number})
    workers = [stage.work(jobs, clock=clock, timing=timing) for clock in (-hour, hour)]
    assert {stage.wait(worker) for worker in workers} == {0}
    check_done_once(jobs, 6)
    assert {record.failures for record in jobs.all()} == {0}, "no lease was judged by a clock"


def test_no_job_outlives_a_worker_that_was_killed(jobs: Any, stage: Any, tmp_path: Path, wait_until: Any) -> None:
    jobs.add("daemons", {"file": str(tmp_path / "daemon")}, attempts=1)
    worker = stage.work(jobs)
    daemon = int(wait_until(lambda: (tmp_path / "daemon").exists() and (tmp_path / "daemon").read_text(), "it runs"))
    below = psutil.Process(worker).children(recursive=True)
    assert daemon in [process.pid for process in below]
    os.kill(worker, signal.SIGKILL)
    assert stage.wait(worker) == SIGKILL
    _, alive = psutil.wait_procs(below, timeout=10)
    assert alive == []
    assert stage.wait(stage.work(jobs)) == 0
    assert jobs.all()[0].state == "dead"
    assert jobs.all()[0].reason == "its worker died or lost its lease (given up after 1 attempts)"


def note(connection: Any, record: Any) -> None:
    import job_handlers

    job_handlers.note(connection, record)
