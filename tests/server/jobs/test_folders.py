import os
from pathlib import Path

import pytest

from headrace.server.jobs.folders import leftovers, output_folder, prepare, publish, tidy
from headrace.server.jobs.records import JobFailed


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_the_checkpoint_goes_on_to_the_next_attempt(tmp_path: Path) -> None:
    first = prepare(tmp_path, 7, 1)
    (first / "checkpoint" / "epoch").write_text("3")
    (first / "staged").mkdir()
    third = prepare(tmp_path, 7, 3)
    assert third == tmp_path / "7" / "3"
    assert (third / "checkpoint" / "epoch").read_text() == "3"
    assert names(tmp_path / "7") == {"3", "3/checkpoint", "3/checkpoint/epoch"}, "a zombie's paths are gone"
    assert prepare(tmp_path, 7, 3) == third
    assert (third.stat().st_mode & 0o777) == 0o700


def test_what_is_staged_is_published_whole(tmp_path: Path) -> None:
    folder = prepare(tmp_path, 7, 1)
    publish(folder)
    assert names(folder) == {"checkpoint"}, "nothing staged is nothing published"
    (folder / "staged" / "deep").mkdir(parents=True)
    (folder / "staged" / "deep" / "model").write_bytes(b"m")
    publish(folder)
    assert (output_folder(tmp_path, 7, 1) / "deep" / "model").read_bytes() == b"m"
    assert not (folder / "staged").exists()


@pytest.mark.parametrize("kind", ["link to a file", "link to a folder", "pipe"])
def test_only_files_and_folders_are_published(tmp_path: Path, kind: str) -> None:
    folder = prepare(tmp_path, 7, 1)
    (folder / "staged").mkdir()
    if kind == "pipe":
        os.mkfifo(folder / "staged" / "x")
    else:
        (folder / "staged" / "x").symlink_to("/etc" if kind.endswith("folder") else "/etc/passwd")
    with pytest.raises(JobFailed, match="the output staged/x is neither a file nor a folder; write its content"):
        publish(folder)
    assert not (folder / "output").exists()


def test_tidying_keeps_the_output_of_a_done_job_only(tmp_path: Path) -> None:
    for attempt in (1, 2):
        for name in ("checkpoint", "output"):
            (tmp_path / "7" / str(attempt) / name).mkdir(parents=True)
        (tmp_path / "7" / str(attempt) / "note").touch()
    assert leftovers(tmp_path) == [7]
    tidy(tmp_path, 7, done=2)
    assert names(tmp_path / "7") == {"2", "2/output"}
    tidy(tmp_path, 7)
    assert leftovers(tmp_path) == []
    tidy(tmp_path, 8)
    assert leftovers(tmp_path / "absent") == []
