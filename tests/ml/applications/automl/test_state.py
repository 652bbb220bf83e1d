"""The state of a run: private, found again by its identifier, and gone when it is removed."""

from pathlib import Path

import pytest

from headrace.ml.applications.automl.options import Options
from headrace.ml.applications.automl.state import RunState, runs_folder
from headrace.ml.errors import OptionError, OutputError


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def test_a_run_is_found_again_with_its_options() -> None:
    options = Options("/data/table.csv", target="y", exclude=("a", "b"))
    state = RunState.create(options)
    assert state.folder.parent == runs_folder()
    assert state.workspace.stat().st_mode & 0o077 == 0
    assert RunState.find(state.identifier) == (state, options)
    state.remove()
    with pytest.raises(OptionError, match="there is none to resume"):
        RunState.find(state.identifier)


def test_a_run_of_a_table_in_memory_cannot_be_resumed() -> None:
    state = RunState.create(None)
    assert not state.resumable
    with pytest.raises(OptionError):
        RunState.find(state.identifier)


@pytest.mark.parametrize("identifier", ["", "..", "../../etc", "20260101-000000-zzzzzz", "20260101-000000-abcdef"])
def test_other_identifiers_are_refused(identifier: str) -> None:
    with pytest.raises(OptionError, match="no run"):
        RunState.find(identifier)


def test_a_state_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="cannot be written"):
        RunState.create(None)
