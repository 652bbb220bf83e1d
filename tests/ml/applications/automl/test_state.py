"""The state of a run: private, found again by its identifier, and gone when it is removed."""

import os
import time
from pathlib import Path

import pytest

from headrace.ml.applications.automl import state as states
from headrace.ml.applications.automl.options import Options
from headrace.ml.applications.automl.state import RunState, list_states, prune, runs_folder
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


def finish_fits(state: RunState, count: int) -> None:
    for number in range(count):
        folder = state.workspace / "fits" / f"fit-{number}"
        folder.mkdir(parents=True)
        (folder / "result.json").write_text("{}")
    (state.workspace / "fits" / ".half-written").mkdir(parents=True, exist_ok=True)


def age(state: RunState, days: float) -> None:
    then = time.time() - days * 86_400
    os.utime(state.folder, (then, then))


def test_an_unknown_run_lists_those_that_are_kept_with_what_is_kept_of_them() -> None:
    state = RunState.create(Options("/data/table.csv", target="y"))
    finish_fits(state, 3)
    with pytest.raises(OptionError, match=rf"there are: {state.identifier} \(table\.csv, y, 3 fits kept\)$"):
        RunState.find("list")


def test_a_run_remembers_where_its_results_go(tmp_path: Path) -> None:
    state = RunState.create(Options("/data/table.csv"), tmp_path / "out", overwrite=True)
    assert state.out() == (tmp_path / "out", True)
    (state.folder / "out.json").write_text("half")
    assert state.out() == (None, False)


def test_damaged_options_are_one_sentence() -> None:
    state = RunState.create(Options("/data/table.csv"))
    (state.folder / "options.json").write_text("{")
    with pytest.raises(OptionError, match="cannot be resumed"):
        RunState.find(state.identifier)


def test_a_run_at_work_is_not_resumed_a_second_time() -> None:
    state = RunState.create(Options("/data/table.csv"))
    with state.held():
        assert state.describe().endswith("still at work)")
        with pytest.raises(OptionError, match="still at work"), state.held():
            pass
    with state.held():
        pass


def test_old_states_are_removed_but_never_those_of_runs_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "KEPT_RUNS", 3)
    fresh, old, working = (RunState.create(Options(f"/data/{name}.csv")) for name in ("fresh", "old", "working"))
    nameless, just_begun = RunState.create(None), RunState.create(None)
    for state in (old, working, nameless):
        age(state, states.KEPT_DAYS + 1)
    with working.held():
        prune()
        assert {state.folder for state in (fresh, working, just_begun)} == set(runs_folder().iterdir())
    monkeypatch.setattr(states, "KEPT_RUNS", 1)
    age(working, 1.0)
    age(fresh, 1.0)
    prune()
    assert len(list_states()) == 1


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
