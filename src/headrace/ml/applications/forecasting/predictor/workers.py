"""Who does the assignments: this process, or one process a core that is stopped when its time is up."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from headrace.ml.adapters.processes import ENVIRONMENT, available_cores
from headrace.ml.applications.forecasting.panel import Panel
from headrace.ml.applications.forecasting.predictor.assignments import Answer, Assignment, perform
from headrace.ml.applications.forecasting.predictor.panel_files import write_panel

ALONE_ITEMS, ALONE_VALUES = 12, 20_000
"""A panel of no more than this is worked on in this process: starting others takes longer."""
STOPPED = "stopped: out of time"
Listener = Callable[[Answer], None]


@dataclass
class _Worker:
    process: subprocess.Popen[bytes]
    number: int = 0
    assignment: Assignment | None = None
    begin: float = 0.0
    received: bytes = b""


class Workers:
    """Do assignments on a panel; leaving the block ends all processes at once and removes their files."""

    def __init__(self, panel: Panel, *, count: int | None = None) -> None:
        """Use `count` processes; None is one a core, or none where the panel is small; with 0, this process does it."""
        small = len(panel) <= ALONE_ITEMS and panel.values.size <= ALONE_VALUES
        self.count = (0 if small else available_cores()) if count is None else count
        self._panel, self._number = panel, 0
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        if self.count:
            self._folder = Path(tempfile.mkdtemp(prefix="headrace-forecast-"))
            (self._folder / "answers").mkdir()
            write_panel(self._panel, self._folder)
            self._workers = [self._start() for _ in range(self.count)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            _end(worker)
        if self.count:
            shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, assignments: Iterable[Assignment], listener: Listener, *, until: float | None = None) -> None:
        """Do them in order and tell each answer; what has not ended at the stamp `until` is stopped.

        `until` is of `time.monotonic`. What was stopped, or not begun by then, is answered with the error `STOPPED`.
        """
        waiting = deque(assignments)
        if not self.count:
            for assignment in waiting:
                over = until is not None and time.monotonic() > until
                listener(Answer(assignment, error=STOPPED) if over else perform(assignment, self._panel))
            return
        while waiting or any(worker.assignment for worker in self._workers):
            if until is not None and time.monotonic() >= until:
                self._stop(waiting, listener)
                return
            for worker in self._workers:
                if worker.assignment is None and waiting:
                    self._give(worker, waiting.popleft())
            for answer in self._wait(until):
                listener(answer)

    def _stop(self, waiting: deque[Assignment], listener: Listener) -> None:
        for place, worker in enumerate(self._workers):
            if worker.assignment is not None:
                _end(worker)
                self._workers[place] = self._start()
                listener(Answer(worker.assignment, seconds=time.monotonic() - worker.begin, error=STOPPED))
        for assignment in waiting:
            listener(Answer(assignment, error=STOPPED))

    def _start(self) -> _Worker:
        command = [sys.executable, "-P", "-m", "headrace.ml.applications.forecasting.predictor.worker"]
        with (self._folder / "workers.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603
                [*command, str(self._folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                env=os.environ | ENVIRONMENT, start_new_session=True,
            )  # fmt: skip
        return _Worker(process)

    def _give(self, worker: _Worker, assignment: Assignment) -> None:
        self._number += 1
        worker.number, worker.assignment, worker.begin = self._number, assignment, time.monotonic()
        request = {"number": self._number, "assignment": assignment.to_json()}
        assert worker.process.stdin is not None
        with contextlib.suppress(OSError):  # a dead process shows as the end of its answers
            worker.process.stdin.write(json.dumps(request).encode() + b"\n")
            worker.process.stdin.flush()

    def _wait(self, until: float | None) -> list[Answer]:
        """Wait for the next answers, at most until the stamp; replace a process that died."""
        with selectors.DefaultSelector() as selector:
            for place, worker in enumerate(self._workers):
                if worker.assignment is not None and worker.process.stdout is not None:
                    selector.register(worker.process.stdout, selectors.EVENT_READ, place)
            timeout = None if until is None else max(0.0, until - time.monotonic())
            ready = [key.data for key, _ in selector.select(timeout)]
        return [answer for place in ready if (answer := self._take(place)) is not None]

    def _take(self, place: int) -> Answer | None:
        worker = self._workers[place]
        assert worker.process.stdout is not None
        assert worker.assignment is not None
        block = os.read(worker.process.stdout.fileno(), 2**16)
        worker.received += block
        if not block:
            code = worker.process.wait()
            self._workers[place] = self._start()
            said = f"its process ended with code {code}" + (", perhaps for want of memory" if code == -9 else "")
            return Answer(worker.assignment, seconds=time.monotonic() - worker.begin, error=said)
        if not worker.received.endswith(b"\n"):
            return None
        reply = json.loads(worker.received)
        assignment, worker.assignment, worker.received = worker.assignment, None, b""
        if reply["error"]:
            return Answer(assignment, seconds=reply["seconds"], error=reply["error"])
        path = self._folder / "answers" / f"{reply['number']}.npz"
        with np.load(path, allow_pickle=False) as arrays:
            answer = Answer.from_arrays(assignment, dict(arrays), reply["seconds"], reply["forecasting"])
        path.unlink()
        return answer


def _end(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.wait()
    for stream in (worker.process.stdin, worker.process.stdout):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
