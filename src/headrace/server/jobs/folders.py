"""The folders of a job: one an attempt, a checkpoint that moves on with it, an output that counts once committed.

    DATA/jobs/<job>/<attempt>/             where its handler runs
    DATA/jobs/<job>/<attempt>/work/        where code of a user runs
    DATA/jobs/<job>/<attempt>/checkpoint/  what it saves for the next one
    DATA/jobs/<job>/<attempt>/staged/      what it makes
    DATA/jobs/<job>/<attempt>/output/      the same, durable; it counts when the job is done and this was its attempt

The checkpoint is renamed into the folder of a new attempt, so a zombie of the one before finds its path gone; its
output lies where nobody looks.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from headrace.server.jobs.records import JobFailed


def attempt_folder(jobs: Path, job: int, attempt: int) -> Path:
    """Return where an attempt runs."""
    return jobs / str(job) / str(attempt)


def output_folder(jobs: Path, job: int, attempt: int) -> Path:
    """Return where the output of a done job lies, `attempt` being that of its record."""
    return attempt_folder(jobs, job, attempt) / "output"


def prepare(jobs: Path, job: int, attempt: int) -> Path:
    """Make the folder of a new attempt, move the latest checkpoint into it and drop what earlier attempts left."""
    folder = attempt_folder(jobs, job, attempt)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    checkpoint = folder / "checkpoint"
    for earlier in _earlier(folder):
        if not checkpoint.exists() and (earlier / "checkpoint").is_dir():
            (earlier / "checkpoint").rename(checkpoint)
        shutil.rmtree(earlier, ignore_errors=True)
    checkpoint.mkdir(exist_ok=True)
    return folder


def publish(folder: Path) -> None:
    """Make what an attempt staged durable and rename it to its output: every file, every folder, then the rename."""
    staged, output = folder / "staged", folder / "output"
    if not staged.exists():
        return
    for path in [staged, *staged.rglob("*")]:
        kind = path.lstat().st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            name = path.relative_to(staged.parent)
            raise JobFailed(f"the output {name} is neither a file nor a folder; write its content instead")
        _sync(path)
    staged.rename(output)
    for parent in (folder, folder.parent, folder.parent.parent):
        _sync(parent)


def tidy(jobs: Path, job: int, *, done: int | None = None) -> None:
    """Drop all that an ended job left, except the output of its attempt `done`."""
    for folder in _attempts(jobs / str(job)):
        if int(folder.name) != done or not (folder / "output").is_dir():
            shutil.rmtree(folder, ignore_errors=True)
            continue
        for path in folder.iterdir():
            if path.is_dir() and path.name != "output":
                shutil.rmtree(path, ignore_errors=True)
            elif not path.is_dir():
                path.unlink(missing_ok=True)
    if not _attempts(jobs / str(job)):
        shutil.rmtree(jobs / str(job), ignore_errors=True)


def leftovers(jobs: Path) -> list[int]:
    """Return the jobs that have a folder."""
    return [int(folder.name) for folder in jobs.iterdir() if folder.name.isdecimal()] if jobs.is_dir() else []


def _attempts(folder: Path) -> list[Path]:
    """Return the folders of a job's attempts, the latest first."""
    found = [path for path in folder.iterdir() if path.name.isdecimal()] if folder.is_dir() else []
    return sorted(found, key=lambda path: int(path.name), reverse=True)


def _earlier(folder: Path) -> list[Path]:
    return [path for path in _attempts(folder.parent) if int(path.name) < int(folder.name)]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
