"""What the tests' jobs run: handlers, and the entry points that their processes open the platform with."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def platform(opening: dict[str, Any]) -> Any:
    from headrace.server.clock import system_clock
    from headrace.server.stores.metadata import MetadataStore
    from headrace.server.stores.objects import FileStore

    place = opening.get("objects")
    objects = FileStore(Path(place)) if place else SimpleNamespace(settle=lambda: None)
    return SimpleNamespace(metadata=MetadataStore.open(opening["database"]), clock=system_clock, objects=objects)


def note(connection: Any, record: Any) -> None:
    """Keep every change of state where the tests can count it."""
    connection.exec_driver_sql(
        f"INSERT INTO effects (job, attempt, state) VALUES ({record.id}, {record.attempt}, '{record.state}')"
    )


def note_log(connection: Any, record: Any, lines: Any) -> None:
    for line in lines:
        connection.exec_driver_sql(
            f"INSERT INTO effects (job, attempt, state) VALUES ({record.id}, {line.attempt}, 'log {line.line}')"
        )


def double(job: Any) -> Any:
    job.log(f"doubling {job.payload['number']}")
    job.progress("double", 0.5, "half way")
    (job.staged / "answer").write_text(str(job.payload["number"] * 2))
    return job.payload["number"] * 2


def double_in_commit(job: Any) -> None:
    """Double a number, and store it with rows of its own; kill the process itself at the n-th write of attempt 1."""
    (job.staged / "answer").write_text(str(job.payload["number"] * 2))
    if job.attempt == 1 and job.payload.get("kill_at"):
        from faults import kill_at

        kill_at(job.payload["kill_at"], job.platform.metadata.engine, with_worker=job.payload.get("with_worker", False))
    with job.commit(job.payload["number"] * 2) as connection:
        connection.exec_driver_sql(
            f"INSERT INTO effects (job, attempt, state) VALUES ({job.id}, {job.attempt}, 'mine')"
        )


def delete(job: Any) -> None:
    for blob in job.payload["blobs"]:
        job.platform.objects.delete(blob)


def wait(job: Any) -> Any:
    """Wait to be stopped, saving which attempts were here."""
    with (job.checkpoint / "attempts").open("a") as file:
        file.write(f"{job.attempt}\n")
    job.log("waiting")
    deadline = time.monotonic() + job.payload.get("seconds", 60)
    try:
        while time.monotonic() < deadline and not (job.payload.get("polite") and job.cancelled):
            time.sleep(0.01)
    except BaseException:
        with (job.checkpoint / "attempts").open("a") as file:
            file.write(f"{job.attempt} stopped\n")
        raise
    return (job.checkpoint / "attempts").read_text().splitlines()


def stubborn(job: Any) -> None:
    """Ignore that it is asked to stop, and SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    job.log("ignoring")
    time.sleep(60)


def fail(job: Any) -> None:
    from headrace.server.errors import InvalidInput
    from headrace.server.jobs.records import JobFailed

    kinds = {"value": ValueError, "input": InvalidInput, "failed": JobFailed}
    job.log("about to fail")
    raise kinds[job.payload["error"]]("the weight -1 is not allowed; give 0 or more")


def leave(job: Any) -> None:
    if job.payload.get("signal"):
        os.kill(os.getpid(), job.payload["signal"])
    os._exit(job.payload["code"])


def grow(job: Any) -> Any:
    """Hold as many MiB as asked, half of them in a child."""
    size = job.payload["mebibytes"] << 19
    child = subprocess.Popen([sys.executable, "-c", f"import time; held = b'x' * {size}; time.sleep(30)"])
    held = b"x" * size
    time.sleep(30)
    return len(held) + child.pid


def daemons(job: Any) -> None:
    """Start processes that try to outlive the job, and tell their ids."""
    script = "import os, time\nif os.fork() == 0:\n os.setsid()\n print(os.getpid(), flush=True)\n time.sleep(60)"
    with Path(job.payload["file"]).open("w") as file:
        subprocess.run([sys.executable, "-c", script], stdout=file, check=True)
    time.sleep(60)


def print_much(job: Any) -> str:
    for number in range(job.payload["lines"]):
        print(number)
    sys.stdout.write("bar 1%\rbar 100%\nno end \x00 \ud800".encode("utf-8", "replace").decode())
    return "printed"


def finish_late(job: Any) -> Any:
    """The first attempt waits for a file before it commits; later ones commit at once."""
    from headrace.server.jobs.records import LeaseLost

    folder = Path(job.payload["folder"])
    (folder / f"started-{job.attempt}").write_text(str(os.getpid()))
    while job.attempt == 1 and not (folder / "go").exists():
        time.sleep(0.01)
    if not job.payload["commit"]:
        return job.attempt
    try:
        with job.commit(job.attempt):
            pass
    except LeaseLost:
        (folder / "refused").write_text(str(job.attempt))
        raise


def link_out(job: Any) -> None:
    (job.staged / "secret").symlink_to("/etc/shadow")


def run_script(job: Any) -> Any:
    """Run a user's Python script in the sandbox."""
    from headrace.server.sandbox import Folder

    (job.work / "script.py").write_text(job.payload["script"])
    folders = [Folder(job.staged, at="/opt/ml/model", writable=True)]
    return job.run([sys.executable, "script.py"], environment={"GIVEN": "yes"}, folders=folders)
