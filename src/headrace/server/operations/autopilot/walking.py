"""The nine steps inside an AutoML job: begun or resumed, and cut short when the job is to stop."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from headrace.ml.errors import RunInterrupted
from headrace.server.jobs.handle import Job
from headrace.server.jobs.queue import get
from headrace.server.jobs.records import STOPPING, JobStopped

if TYPE_CHECKING:
    from headrace.ml.applications.automl.options import Options
    from headrace.ml.applications.automl.state import RunState
    from headrace.ml.process.progress import Moment

SHORTEST = 10.0
"""The least seconds that the nine steps are given."""
SEARCH = 7
"""The step from which on there are candidates."""
OUT = "out"


@dataclass
class Walk:
    """One job's walk; `tell` is told of each step's number when it begins, and `started` is a monotonic stamp."""

    job: Job
    options: Options
    tell: Callable[[int], None]
    started: float
    step: int = 0

    def go(self) -> tuple[Path, bool]:
        """Take the steps; return the folder of the results, and whether they were cut short by a stop.

        Raises JobStopped when there is nothing to keep yet, or when another attempt is to go on from the checkpoint;
        and the library's errors.
        """
        out = self.job.checkpoint / OUT
        if (out / "report.json").is_file():
            return out, False
        for left in self.job.checkpoint.glob(f".{OUT}.*"):
            shutil.rmtree(left, ignore_errors=True)
        os.environ["XDG_STATE_HOME"] = str(self.job.checkpoint)
        state = self._state()
        try:
            with _interrupted_by(signal.SIGTERM):
                self._run(state, out)
        except RunInterrupted:
            if self.step < SEARCH or not self._is_to_stop():
                raise JobStopped from None
        else:
            return out, False
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.job.log("The job is to stop: it ends with the candidates that it has.")
        self.started = time.monotonic()
        _write(state, replace(self.options, budget=SHORTEST, trials=None))
        self._run(state, out, heed_stop=False)
        return out, True

    def _run(self, state: RunState, out: Path, *, heed_stop: bool = True) -> None:
        from headrace.ml.applications.automl import run

        said = ""

        def listen(moment: Moment) -> None:
            nonlocal said
            if heed_stop and self.job.cancelled:
                raise KeyboardInterrupt
            self._follow(moment)
            line = " · ".join(filter(None, (moment.step, moment.doing, moment.best)))
            if line != said:
                said = line
                self.job.log(line)

        run(resume=state.identifier, out=out, listener=listen, started=self.started)

    def _follow(self, moment: Moment) -> None:
        number = moment.step.partition("/")[0]
        if number.isdecimal() and int(number) != self.step:
            self.step = int(number)
            self.tell(self.step)
        self.job.progress(moment.step, moment.fraction, moment.doing)

    def _state(self) -> RunState:
        """Return the state that an earlier attempt left, with the tables where they are now, or a new one."""
        from headrace.ml.applications.automl.state import RunState, runs_folder

        kept = sorted(path.parent.name for path in runs_folder().glob("*/options.json"))
        if not kept:
            return RunState.create(self.options)
        state, _ = RunState.find(kept[-1])
        _write(state, self.options)
        self.job.log(f"The run {state.identifier} of an earlier attempt goes on.")
        return state

    def _is_to_stop(self) -> bool:
        with self.job.platform.metadata.reading() as connection:
            return get(connection, self.job.id).state == STOPPING


def _write(state: RunState, options: Options) -> None:
    (state.folder / "options.json").write_text(options.to_json(), encoding="utf-8")


@contextmanager
def _interrupted_by(number: signal.Signals) -> Iterator[None]:
    """Let a signal interrupt the block as Ctrl-C would, which keeps the run's state."""

    def interrupt(*_: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.signal(number, before)
