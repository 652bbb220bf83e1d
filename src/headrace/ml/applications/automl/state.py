"""Where a running process keeps what resuming needs: $XDG_STATE_HOME/headrace/runs/ID."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from headrace.ml.applications.automl.options import Options
from headrace.ml.errors import OptionError, OutputError


def runs_folder() -> Path:
    """Return the folder of all runs' states."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "headrace" / "runs"


@dataclass(frozen=True)
class RunState:
    """One run's folder: its options and the workspace of its fits."""

    identifier: str
    folder: Path

    @property
    def workspace(self) -> Path:
        """The folder where finished fits are kept."""
        return self.folder / "workspace"

    @classmethod
    def create(cls, options: Options | None) -> RunState:
        """Begin the state of a new run; without options (a table in memory) it cannot be resumed."""
        identifier = time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(3)
        state = cls(identifier, runs_folder() / identifier)
        try:
            state.workspace.mkdir(parents=True, mode=0o700)
            if options is not None:
                (state.folder / "options.json").write_text(options.to_json(), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"the run's state cannot be written to {state.folder}: {error.strerror}") from error
        return state

    @classmethod
    def find(cls, identifier: str) -> tuple[RunState, Options]:
        """Find an interrupted run and the options it was started with."""
        known = sorted(p.name for p in runs_folder().glob("*") if (p / "options.json").is_file())
        if not re.fullmatch(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}", identifier) or identifier not in known:
            there = f"there are {', '.join(known[-5:])}" if known else "there is none to resume"
            raise OptionError(f"no run '{identifier}' is kept under {runs_folder()}; {there}")
        state = cls(identifier, runs_folder() / identifier)
        return state, Options.from_json((state.folder / "options.json").read_text(encoding="utf-8"))

    @property
    def resumable(self) -> bool:
        """Whether the run can be started again from its folder."""
        return (self.folder / "options.json").is_file()

    def remove(self) -> None:
        """Forget the run."""
        shutil.rmtree(self.folder, ignore_errors=True)
