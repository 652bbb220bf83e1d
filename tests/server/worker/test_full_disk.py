"""A disk that fills up stops work and loses none."""

import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from headrace.server.stores.metadata import MetadataStore

LOGGER = logging.getLogger("headrace.jobs")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of 6 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        for size in (1 << 16, 1 << 12, 1 << 8, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return filler


@pytest.fixture
def disk_jobs(small_disk: Path, database_url: str, jobs_on: Any) -> Iterator[Any]:
    url = f"sqlite:///{small_disk}/headrace.db" if database_url.startswith("sqlite") else database_url
    store = MetadataStore.open(url)
    yield jobs_on(store, url, small_disk / "data")
    store.close()


def test_a_full_disk_delays_jobs_and_loses_none(
    disk_jobs: Any, small_disk: Path, caplog: pytest.LogCaptureFixture, wait_until: Any
) -> None:
    caplog.set_level(logging.WARNING, LOGGER.name)
    numbered = {disk_jobs.add("double", {"number": number}, attempts=1000): number for number in range(4)}
    (small_disk / "data" / "jobs").mkdir(parents=True)
    filler = fill(small_disk)
    with disk_jobs.work(on_change="job_handlers:note"):
        wait_until(lambda: "could not" in caplog.text or any(job.failures for job in disk_jobs.all()), "it is noticed")
        assert not any(job.state == "done" for job in disk_jobs.all())
        filler.unlink()
        records = [disk_jobs.ended(job) for job in numbered]
    assert {record.id: record.result for record in records} == {job: 2 * number for job, number in numbered.items()}
    assert disk_jobs.effects("done") == dict.fromkeys(numbered, 1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_disk_that_fills_up_while_jobs_run(disk_jobs: Any, small_disk: Path, wait_until: Any) -> None:
    job = disk_jobs.add("wait", {"seconds": 0.5}, attempts=1000)
    with disk_jobs.work(on_change="job_handlers:note"):
        disk_jobs.running(job)
        filler = fill(small_disk)
        wait_until(lambda: not disk_jobs.writes() or disk_jobs.get(job).failures, "it is noticed")
        filler.unlink()
        assert disk_jobs.ended(job).state == "done"
    assert disk_jobs.effects("done") == {job: 1}
