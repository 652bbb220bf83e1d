"""What every way through the nine steps is given, whatever the task: options, table, goal, and where to write."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.ml.applications.automl.options import Options
from headrace.ml.process import STEPS
from headrace.ml.process.progress import Progress

if TYPE_CHECKING:
    from headrace.ml.process.business_problem import BusinessProblem
    from headrace.ml.process.training.pool import Workers
    from headrace.ml.tables.table import Table

Outcome = tuple[dict[str, Any], dict[str, Any]]
"""The record of each step by its name in `STEPS`, in their order, and report.json's document."""


@dataclass
class Stopwatch:
    """Seconds a step, and the announcement of each."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, doing: str) -> Iterator[None]:
        """Announce a step and time the block."""
        number = list(STEPS).index(name) + 1
        self.progress.tell(doing, step=f"{number}/9 {STEPS[name]}")
        begin, processor = time.monotonic(), time.process_time()
        try:
            yield
        finally:
            seconds = time.monotonic() - begin
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds
            if name != "training":  # which waits for its workers, and is measured by them
                self.progress.pace.note(seconds, time.process_time() - processor)


@dataclass(frozen=True)
class Walk:
    """One run after step 1: the table is read, and the goal is known.

    `workspace` keeps what resuming needs, `partial` becomes OUT when the run succeeds. `resumed` is the number of fits
    that were kept of a run that this one goes on with, None for a new one.
    """

    options: Options
    business: BusinessProblem
    table: Table
    test: Table | None
    workspace: Path
    workers: Workers
    partial: Path
    watch: Stopwatch
    resumed: int | None = None

    @property
    def progress(self) -> Progress:
        """Where the run stands."""
        return self.watch.progress

    def resumption(self) -> tuple[str, ...]:
        """Say in a note what was kept of an interrupted run, and what was done beyond it."""
        if self.resumed is None:
            return ()
        return (f"the run went on after an interruption: {self.resumed} fits were kept, {self.workers.done} were done",)
