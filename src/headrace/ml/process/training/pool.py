"""The worker processes of a run: started early, fed one fit at a time, replaced when they die."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self

WARM = ("numpy", "lightgbm", "sklearn.linear_model")
_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"), "1"),
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    "MALLOC_ARENA_MAX": "2",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore",
}


class FitFailedError(Exception):
    """A fit ended without a result; the message is the reason, fit for the report."""


class FitStoppedError(FitFailedError):
    """A fit was stopped because its time was up."""


def available_cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Seat:
    """The place of one worker process: a thread that feeds it, and starts another when it dies."""

    def __init__(self, pool: Workers, number: int) -> None:
        self.pool, self.number = pool, number
        self.running: Future[dict[str, Any]] | None = None
        self.stopped = False
        self.process = self._start()
        self.thread = threading.Thread(target=self._serve, name=f"worker-{number}", daemon=True)
        self.thread.start()

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-P", "-m", "headrace.ml.process.training.worker"]
        with (self.pool.workspace / f"worker-{self.number}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                [*command, str(self.pool.workspace), *self.pool.modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                env=os.environ | _ENVIRONMENT,
                process_group=0,
            )

    def _serve(self) -> None:
        while True:
            _, _, future, request = self.pool.queue.get()
            if future is None:
                return
            if not future.set_running_or_notify_cancel():
                continue
            with self.pool.lock:
                self.running, self.stopped = future, False
            reply = self._ask(request)
            with self.pool.lock:
                self.running = None
            if "result" in reply:
                future.set_result(reply["result"])
            elif self.stopped:
                future.set_exception(FitStoppedError("stopped: out of time"))
            else:
                future.set_exception(FitFailedError(reply["error"]))

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self._revive()
        try:
            assert self.process.stdin and self.process.stdout
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except (BrokenPipeError, ValueError):
            line = ""
        if line.endswith("\n"):
            answer: dict[str, Any] = json.loads(line)
            return answer
        code = self.process.wait()
        self._revive()
        cause = f"killed by signal {-code}, perhaps for want of memory" if code < 0 else f"ended with code {code}"
        return {"error": f"its worker process was {cause}" if code < 0 else f"its worker process {cause}"}

    def _revive(self) -> None:
        with self.pool.lock:
            if self.process.poll() is not None and not self.pool.closed:
                self._release()
                self.process = self._start()

    def _release(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            try:
                if stream:
                    stream.close()
            except BrokenPipeError:
                continue

    def kill(self) -> None:
        """End the process at once; its thread starts another, unless the pool is closed."""
        self.stopped = True
        self.process.kill()
        self.process.wait()

    def join(self) -> None:
        """Wait for the process and its thread, and let go of the pipes."""
        self.thread.join()
        self._release()


class Workers:
    """A fixed number of worker processes that share a queue of fits, most urgent first.

    Use as a context manager: leaving it ends the processes at once. Nothing is inherited but the workspace's path,
    and nothing is exchanged but JSON.
    """

    def __init__(self, workspace: Path, *, count: int | None = None, modules: Iterable[str] = WARM) -> None:
        self.workspace, self.modules, self.closed = workspace, tuple(modules), False
        self.queue: queue.PriorityQueue[Any] = queue.PriorityQueue()
        self.lock = threading.Lock()
        self._order = itertools.count()
        workspace.mkdir(parents=True, exist_ok=True)
        self.seats = [_Seat(self, number) for number in range(count or available_cores())]

    def submit(self, request: Mapping[str, Any], priority: tuple[int, ...] = (0,)) -> Future[dict[str, Any]]:
        """Queue a fit; the future gives the worker's answer or raises `FitFailedError`."""
        future: Future[dict[str, Any]] = Future()
        self.queue.put((priority, next(self._order), future, request))
        return future

    def stop(self, futures: Iterable[Future[dict[str, Any]]]) -> None:
        """Take back those still queued, and kill the workers of those that run."""
        wanted = {id(future) for future in futures if not future.cancel()}
        with self.lock:
            for seat in self.seats:
                if seat.running is not None and id(seat.running) in wanted:
                    seat.kill()

    def close(self) -> None:
        """End all processes at once."""
        with self.lock:
            if self.closed:
                return
            self.closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self.queue.get_nowait()[2].cancel()
        for _ in self.seats:
            self.queue.put(((-1,), next(self._order), None, None))
        with self.lock:
            for seat in self.seats:
                seat.kill()
        for seat in self.seats:
            seat.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start_workers(workspace: Path, *, count: int | None = None) -> Workers:
    """Start a worker a core, so that their imports are done when the first fit arrives; close them after use."""
    return Workers(workspace, count=count)
