"""The output folder appears whole or not at all, and nothing of the user's is lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.ml.applications.automl.output import choose_folder, output_folder
from headrace.ml.errors import OutputError


def test_a_block_that_ends_well_publishes_the_folder(tmp_path: Path) -> None:
    with output_folder(tmp_path / "deep" / "out") as partial:
        (partial / "file").write_text("x")
        assert not (tmp_path / "deep" / "out").exists()
    assert (tmp_path / "deep" / "out" / "file").read_text() == "x"
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]


def ended_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_what_a_killed_run_left_is_tidied_and_an_earlier_result_comes_back(tmp_path: Path) -> None:
    dead, alive = ended_process(), os.getppid()
    for name in (f".out.{dead}.partial", f".out.{alive}.partial", ".out.notes.partial", f".out.{dead}.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(name)
    with pytest.raises(ValueError), output_folder(tmp_path / "out"):
        raise ValueError
    assert sorted(p.name for p in tmp_path.iterdir()) == [f".out.{alive}.partial", ".out.notes.partial", "out"]
    assert (tmp_path / "out" / "report.json").read_text() == f".out.{dead}.old"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.json").write_text("old")
    with pytest.raises(error), output_folder(tmp_path / "out") as partial:
        (partial / "report.json").write_text("new")
        raise error
    assert (tmp_path / "out" / "report.json").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_earlier_result_is_replaced_only_when_asked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text("old")
    with pytest.raises(OutputError, match="pass --overwrite"):
        choose_folder(out, overwrite=False)
    with output_folder(choose_folder(out, overwrite=True)) as partial:
        (partial / "report.json").write_text("new")
    assert (out / "report.json").read_text() == "new"


def test_a_folder_of_something_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(OutputError, match="no earlier result"):
        choose_folder(tmp_path, overwrite=True)
    with pytest.raises(OutputError, match="is a file"):
        choose_folder(tmp_path / "precious", overwrite=True)


def test_without_a_name_the_next_free_folder_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = []
    for _ in range(3):
        folder = choose_folder(None, overwrite=False)
        folder.mkdir()
        names.append(folder.name)
    assert names == ["headrace-out", "headrace-out-2", "headrace-out-3"]


@pytest.mark.skipif(not os.access("/proc", os.R_OK), reason="a folder that nobody can write to is needed")
def test_a_place_that_cannot_be_written_is_one_sentence() -> None:
    with pytest.raises(OutputError, match="cannot be written"), output_folder(Path("/proc/headrace-out")):
        pass
