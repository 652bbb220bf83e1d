"""Where a running process keeps what resuming needs: $XDG_STATE_HOME/headrace/runs/ID, even when it is killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from headrace.ml.applications.automl.options import Options
from headrace.ml.errors import OptionError, OutputError

KEPT_DAYS, KEPT_RUNS = 14, 20
"""States of killed runs are removed when a new run begins: the older ones, and all but so many."""
_LISTED = 5


def runs_folder() -> Path:
    """Return the folder of all runs' states."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "headrace" / "runs"


@dataclass(frozen=True)
class RunState:
    """One run's folder: its options, where its results go, and the workspace of its fits."""

    identifier: str
    folder: Path

    @property
    def workspace(self) -> Path:
        """The folder where finished fits are kept."""
        return self.folder / "workspace"

    @classmethod
    def create(cls, options: Options | None, out: Path | None = None, *, overwrite: bool = False) -> RunState:
        """Begin the state of a new run; without options (a table in memory) it cannot be resumed."""
        identifier = time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(3)
        state = cls(identifier, runs_folder() / identifier)
        prune()
        try:
            state.workspace.mkdir(parents=True, mode=0o700)
            if options is not None:
                place = {"out": None if out is None else str(out), "overwrite": overwrite}
                (state.folder / "out.json").write_text(json.dumps(place), encoding="utf-8")
                (state.folder / "options.json").write_text(options.to_json(), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"the run's state cannot be written to {state.folder}: {error.strerror}") from error
        return state

    @classmethod
    def find(cls, identifier: str) -> tuple[RunState, Options]:
        """Find an interrupted or killed run and the options it was started with."""
        known = list_states()
        state = next((state for state in known if state.identifier == identifier), None)
        if state is None:
            listed = "; ".join(each.describe() for each in known[:_LISTED])
            more = f" and {len(known) - _LISTED} older ones" if len(known) > _LISTED else ""
            there = f"there are: {listed}{more}" if known else "there is none to resume"
            raise OptionError(f"no run '{identifier}' is kept under {runs_folder()}; {there}")
        try:
            return state, state.options()
        except (OSError, ValueError, TypeError) as error:
            raise OptionError(
                f"run '{identifier}' cannot be resumed: its options cannot be read ({error}); start it anew"
            ) from error

    def options(self) -> Options:
        """Read the options of the run."""
        return Options.from_json((self.folder / "options.json").read_text(encoding="utf-8"))

    def out(self) -> tuple[Path | None, bool]:
        """Return where the results were to go, and whether they may replace earlier ones."""
        try:
            place = json.loads((self.folder / "out.json").read_text(encoding="utf-8"))
            return None if place["out"] is None else Path(place["out"]), bool(place["overwrite"])
        except (OSError, ValueError, KeyError, TypeError):
            return None, False

    @property
    def resumable(self) -> bool:
        """Whether the run can be started again from its folder."""
        return (self.folder / "options.json").is_file()

    def finished_fits(self) -> int:
        """Return how many fits are kept."""
        return sum(1 for _ in self.workspace.glob("fits/[!.]*/result.json"))

    def describe(self) -> str:
        """Say in a line what the run is: its identifier, table, target and what is kept of it."""
        try:
            options = self.options()
            what = Path(options.source).name + (f", {options.target}" if options.target else "")
        except (OSError, ValueError, TypeError):
            what = "damaged"
        fits = self.finished_fits()
        return f"{self.identifier} ({what}, {fits} {'fit' if fits == 1 else 'fits'} kept{self._at_work()})"

    def _at_work(self) -> str:
        return ", still at work" if _is_held(self.folder / "lock") else ""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the state as this process's while the block runs; a kill lets go of it too."""
        with (self.folder / "lock").open("w") as file:
            if not _lock(file.fileno()):
                raise OptionError(
                    f"run '{self.identifier}' is still at work in another process; wait for it or stop it"
                )
            yield

    def remove(self) -> None:
        """Forget the run."""
        shutil.rmtree(self.folder, ignore_errors=True)


def list_states() -> list[RunState]:
    """Return the runs that can be resumed, the newest first."""
    names = [path.name for path in runs_folder().glob("*") if (path / "options.json").is_file()]
    known = [name for name in names if re.fullmatch(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}", name)]
    return [RunState(name, runs_folder() / name) for name in sorted(known, reverse=True)]


def prune() -> None:
    """Remove states that nobody will resume: old ones, all but the newest, and those of tables that were in memory."""
    resumable = {state.folder for state in list_states()[:KEPT_RUNS]}
    for folder in runs_folder().glob("*-*-*"):
        with contextlib.suppress(OSError):
            days = (time.time() - folder.stat().st_mtime) / 86_400
            most = KEPT_DAYS if folder in resumable else 1 if not (folder / "options.json").is_file() else 0
            if days > most and not _is_held(folder / "lock"):
                shutil.rmtree(folder, ignore_errors=True)


def _lock(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_held(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("a") as file:
        return not _lock(file.fileno())
