import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from headrace.server import sandbox
from headrace.server.jobs.folders import output_folder
from headrace.server.stores.objects import FileStore


def alive(process: int) -> bool:
    return psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE


def test_a_job_is_done_with_its_result_log_progress_and_output(jobs: Any) -> None:
    first, second = jobs.add("double", {"number": 21}), jobs.add("double_in_commit", {"number": 4})
    with jobs.work(on_change="job_handlers:note", on_log="job_handlers:note_log"):
        record, other = jobs.ended(first), jobs.ended(second)
    assert (record.state, record.result, record.attempt, record.failures, record.reason) == ("done", 42, 1, 0, "")
    assert record.progress == {"step": "double", "fraction": 0.5, "message": "half way"}
    assert jobs.log(first) == ["doubling 21"]
    assert (other.state, other.result) == ("done", 8)
    for job, answer in ((first, "42"), (second, "8")):
        folder = output_folder(jobs.data / "jobs", job, 1)
        assert (folder / "answer").read_text() == answer
        assert [path.name for path in folder.parent.iterdir()] == ["output"]
    assert jobs.effects("done") == {first: 1, second: 1}
    assert jobs.effects("mine") == {second: 1}
    assert jobs.effects("log 0") == {first: 1}


def test_what_a_job_deletes_is_gone_when_it_has_ended(sqlite_jobs: Any) -> None:
    place = sqlite_jobs.data / "objects"
    store = FileStore(place)
    blobs = [store.commit(store.stage().finish()) for _ in range(200)]
    job = sqlite_jobs.add("delete", {"blobs": blobs})
    with sqlite_jobs.work(opening={"database": sqlite_jobs.url, "objects": str(place)}):
        assert sqlite_jobs.ended(job).state == "done"
    assert list(store.blobs()) == []


def test_what_runs_can_be_watched_and_cancelled(jobs: Any) -> None:
    polite, waiting, stubborn = jobs.add("wait", {"polite": True}), jobs.add("wait"), jobs.add("stubborn")
    queued = jobs.add("wait")
    with jobs.work(parallel=3):
        for job in (polite, waiting, stubborn):
            jobs.running(job)
            assert jobs.log(job) in (["waiting"], ["ignoring"])
        assert jobs.cancel(queued).state == "cancelled"
        assert jobs.cancel(stubborn).state == "stopping"
        assert jobs.cancel(waiting).state == "stopping"
        assert jobs.cancel(polite).state == "stopping"
        assert jobs.ended(polite).state == "done", "it finished before it was stopped"
        assert jobs.ended(waiting).state == "cancelled"
        assert jobs.ended(stubborn).state == "cancelled"
        assert jobs.ended(stubborn).reason == "it was cancelled"
    assert jobs.get(queued).attempt == 0


@pytest.mark.parametrize(
    ("error", "attempts", "reason"),
    [
        ("value", 2, "ValueError: the weight -1 is not allowed; give 0 or more (given up after 2 attempts)"),
        ("input", 1, "the weight -1 is not allowed; give 0 or more"),
        ("failed", 1, "the weight -1 is not allowed; give 0 or more"),
    ],
)
def test_a_job_that_fails_is_tried_again_unless_it_is_wrong(
    sqlite_jobs: Any, error: str, attempts: int, reason: str
) -> None:
    job = sqlite_jobs.add("fail", {"error": error}, attempts=2)
    with sqlite_jobs.work():
        record = sqlite_jobs.ended(job)
    assert (record.state, record.attempt, record.reason) == ("dead", attempts, reason)
    assert sqlite_jobs.log(job).count("about to fail") == attempts
    assert not list((sqlite_jobs.data / "jobs").iterdir())


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"code": 7}, "its process ended with exit code 7 and no answer; read its log"),
        ({"code": 0}, "its process ended with exit code 0 and no answer; read its log"),
        ({"signal": signal.SIGSEGV}, "its process ended by SIGSEGV; read its log"),
        ({"signal": signal.SIGKILL}, "its process was killed, most likely as the machine ran out of memory"),
    ],
)
def test_a_process_that_goes_without_a_word(sqlite_jobs: Any, payload: dict[str, int], words: str) -> None:
    job = sqlite_jobs.add("leave", payload, attempts=1)
    with sqlite_jobs.work():
        record = sqlite_jobs.ended(job)
    assert record.state == "dead"
    assert record.reason.startswith(words)


def test_limits_of_time_and_memory_say_what_to_do(sqlite_jobs: Any) -> None:
    slow = sqlite_jobs.add("wait", timeout=300)
    large = sqlite_jobs.add("grow", {"mebibytes": 200}, memory=120 << 20)
    with sqlite_jobs.work():
        assert sqlite_jobs.ended(slow).reason == "it ran longer than its 0.3 s; ask for more time"
        reason = sqlite_jobs.ended(large).reason
    assert reason.startswith("used ")
    assert reason.endswith(" of its 120 MiB; ask for more memory")
    assert {job.state for job in sqlite_jobs.all()} == {"dead"}
    assert {job.attempt for job in sqlite_jobs.all()} == {1}


def test_nothing_that_a_job_starts_outlives_it(sqlite_jobs: Any, tmp_path: Path) -> None:
    job = sqlite_jobs.add("daemons", {"file": str(tmp_path / "daemon")}, timeout=1500)
    with sqlite_jobs.work():
        assert sqlite_jobs.ended(job).state == "dead"
    daemon = int((tmp_path / "daemon").read_text())
    assert not alive(daemon)


def test_a_worker_that_stops_hands_its_jobs_back(jobs: Any) -> None:
    job = jobs.add("wait", {"seconds": 60}, attempts=1)
    with jobs.work():
        jobs.running(job)
    record = jobs.get(job)
    assert (record.state, record.failures, record.pause, record.owner) == ("queued", 0, 0, "")
    assert record.reason == "its worker stopped and handed it back"
    with jobs.work():
        jobs.running(job, lines=2)
        lines = (jobs.data / "jobs" / str(job) / "2" / "checkpoint" / "attempts").read_text().splitlines()
        assert lines == ["1", "1 stopped", "2"], "the checkpoint went on to the next attempt"


def test_a_worker_that_stops_lets_a_short_job_finish(sqlite_jobs: Any) -> None:
    job = sqlite_jobs.add("wait", {"seconds": 0.3})
    with sqlite_jobs.work(timing={"finish": 10_000}):
        sqlite_jobs.running(job)
    assert sqlite_jobs.get(job).state == "done"


def test_a_second_signal_ends_a_worker_at_once(sqlite_jobs: Any) -> None:
    job = sqlite_jobs.add("stubborn")
    with sqlite_jobs.work(timing={"finish": 60_000, "terminated": 60_000}) as worker:
        sqlite_jobs.running(job)
        worker.stop()
        worker.stop()
    assert sqlite_jobs.get(job).state == "queued"


def test_urgent_jobs_go_first(sqlite_jobs: Any) -> None:
    first, urgent, last = (sqlite_jobs.add("double", {"number": 1}, priority=level) for level in (0, 9, 0))
    with sqlite_jobs.work(parallel=1):
        records = [sqlite_jobs.ended(job) for job in (first, urgent, last)]
    order = sorted(records, key=lambda record: record.started)
    assert [record.id for record in order] == [urgent, first, last]


def test_whatever_is_printed_is_kept(jobs: Any) -> None:
    job = jobs.add("print_much", {"lines": 25_000})
    with jobs.work():
        assert jobs.ended(job).result == "printed"
    assert jobs.log(job) == [*map(str, range(25_000)), "bar 100%", "no end  ?"]


def test_an_output_that_points_elsewhere_is_refused(sqlite_jobs: Any) -> None:
    job = sqlite_jobs.add("link_out")
    with sqlite_jobs.work():
        record = sqlite_jobs.ended(job)
    assert (record.state, record.attempt) == ("dead", 1)
    assert record.reason == "the output staged/secret is neither a file nor a folder; write its content instead"


SCRIPT = """
import os, pathlib, sys
print(sorted(os.environ))
print([path.name for path in pathlib.Path.cwd().parents[3].iterdir()], sorted(os.listdir(".")), os.listdir(".."))
pathlib.Path("/opt/ml/model/model").write_text("trained")
sys.exit(3)
"""


@pytest.mark.skipif(
    not sandbox._bubblewrap_works(), reason="bubblewrap is not installed or may not make namespaces here"
)
def test_code_of_a_user_runs_in_the_sandbox(sqlite_jobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_SECRET", "hidden")
    (sqlite_jobs.data / "keys").mkdir(parents=True)
    job = sqlite_jobs.add("run_script", {"script": SCRIPT}, user_code=True)
    with sqlite_jobs.work():
        assert sqlite_jobs.ended(job).result == 3
    log = sqlite_jobs.log(job)
    assert "GIVEN" in log[0]
    assert "HEADRACE_SECRET" not in log[0]
    assert log[1] == "['jobs'] ['.tmp', 'script.py'] ['work']"
    assert (output_folder(sqlite_jobs.data / "jobs", job, 1) / "model").read_text() == "trained"


def test_code_of_a_user_is_refused_where_nothing_isolates_it(sqlite_jobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_bubblewrap_works", lambda: False)
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    job = sqlite_jobs.add("wait", user_code=True)
    with sqlite_jobs.work():
        record = sqlite_jobs.ended(job)
    assert (record.state, record.attempt) == ("dead", 1)
    assert "install bubblewrap, or start with --trust-scripts" in record.reason
    trusted = sqlite_jobs.add("double", {"number": 2}, user_code=True)
    with sqlite_jobs.work(trust_scripts=True):
        assert sqlite_jobs.ended(trusted).state == "done"


def test_a_worker_stops_when_its_parent_has_gone(sqlite_jobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = sqlite_jobs.worker(follow_parent=True)
    monkeypatch.setattr(os, "getppid", lambda: 1)
    worker.run()
    assert sqlite_jobs.all() == [], "it came back by itself"


STOPPABLE = """
import pathlib, signal, sys, time
def stop(*_):
    print("saved", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("running", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(
    not sandbox._bubblewrap_works(), reason="bubblewrap is not installed or may not make namespaces here"
)
def test_code_of_a_user_may_save_when_it_is_stopped(sqlite_jobs: Any) -> None:
    job = sqlite_jobs.add("run_script", {"script": STOPPABLE}, user_code=True)
    with sqlite_jobs.work(timing={"stopped": 10_000}):
        sqlite_jobs.running(job)
        sqlite_jobs.cancel(job)
        assert sqlite_jobs.ended(job).state == "cancelled"
    assert sqlite_jobs.log(job) == ["running", "saved"]
