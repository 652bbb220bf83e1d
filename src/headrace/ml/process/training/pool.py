"""The worker processes of a run: started early, fed most urgent fits first, stopped when their time is up."""

from __future__ import annotations

import contextlib
import heapq
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from headrace.ml.adapters.processes import ENVIRONMENT, available_cores
from headrace.ml.process.progress import Pace

WARM = (
    "numpy",
    "headrace.ml.process.training.fitting",
    "headrace.ml.metrics",
    "headrace.ml.adapters.forms",
    "sklearn.linear_model",
    "onnx",
    "onnxruntime",
    "headrace.ml.algorithms.gradient_boosting_lightgbm",
    "headrace.ml.adapters.trees",
    "headrace.ml.algorithms.gradient_boosting_catboost",
    "headrace.ml.algorithms.gradient_boosting_xgboost",
    "sklearn.ensemble",
)
"""Imported in this order, which is that of need: linear models are tried first."""
Answer = Future[dict[str, Any]]


class FitFailedError(Exception):
    """A fit ended without a result; the message is the reason, fit for the report."""


class FitStoppedError(FitFailedError):
    """A fit was stopped because its time was up."""


class Workers:
    """A queue of fits and the processes that do them, `count` at a time.

    Use as a context manager: leaving it ends the processes at once. Nothing is inherited but the workspace's path, and
    nothing is exchanged but JSON. The process that workers come from (see worker.py) is replaced when it dies.
    """

    def __init__(
        self, workspace: Path, *, count: int | None = None, modules: Iterable[str] = WARM, pace: Pace | None = None
    ) -> None:
        self.count, self._pace = count or available_cores(), pace or Pace()
        self._workspace, self._modules, self._closed = workspace, tuple(modules), False
        self._lock = threading.RLock()
        self._number, self.done = 0, 0
        self._waiting: list[tuple[tuple[int, ...], int, Answer, Mapping[str, Any]]] = []
        self._running: dict[int, Answer] = {}
        workspace.mkdir(parents=True, exist_ok=True)
        self._process = self._start()
        self._reader = threading.Thread(target=self._listen, name="workers", daemon=True)
        self._reader.start()

    def submit(self, fit: Mapping[str, Any], priority: tuple[int, ...] = (0,)) -> Answer:
        """Queue a fit; the future gives its figures or raises `FitFailedError`."""
        future: Answer = Future()
        with self._lock:
            self._number += 1
            heapq.heappush(self._waiting, (priority, self._number, future, fit))
            self._dispatch()
        return future

    def stop(self, futures: Iterable[Answer]) -> None:
        """Take back those still queued, and end the workers of those that run; returns when all are over."""
        wanted = [future for future in futures if not future.cancel() and not future.done()]
        with self._lock:
            for number, future in self._running.items():
                if any(future is each for each in wanted):
                    self._send({"stop": number})
        for future in wanted:
            future.exception()

    def close(self) -> None:
        """End all processes at once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for _, _, future, _ in self._waiting:
                future.cancel()
            self._waiting.clear()
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, 9)
        self._process.wait()
        self._reader.join()
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "headrace.ml.process.training.worker", str(self._workspace)]
        with (self._workspace / "workers.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603
                [*command, *self._modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=os.environ | ENVIRONMENT,
                start_new_session=True,
            )

    def _release(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()

    def _dispatch(self) -> None:
        """Send what is most urgent while a place is free; the lock is held."""
        while self._waiting and len(self._running) < self.count and not self._closed:
            _, number, future, fit = heapq.heappop(self._waiting)
            if future.set_running_or_notify_cancel():
                self._running[number] = future
                self._send({"number": number, "fit": fit})

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # a dead process shows as the end of its answers
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()

    def _listen(self) -> None:
        """Hand answers to their futures; replace the process when it ends without having been told to."""
        while True:
            assert self._process.stdout is not None
            for line in self._process.stdout:
                self._settle(json.loads(line))
            code = self._process.wait()
            with self._lock:
                lost, self._running = self._running, {}
                if not self._closed:
                    self._release()
                    self._process = self._start()
            for future in lost.values():
                future.set_exception(FitFailedError(f"the process of the workers ended with code {code}"))
            with self._lock:
                if self._closed:
                    return
                self._dispatch()

    def _settle(self, answer: Mapping[str, Any]) -> None:
        with self._lock:
            future = self._running.pop(answer["number"])
            self._dispatch()
        if "result" in answer:
            self.done += 1
            self._pace.note(answer["result"]["seconds"], answer["result"].get("processor_seconds", 0.0))
            future.set_result(answer["result"])
        elif "stopped" in answer:
            future.set_exception(FitStoppedError("stopped: out of time"))
        else:
            future.set_exception(FitFailedError(answer["error"]))


def start_workers(workspace: Path, *, count: int | None = None, pace: Pace | None = None) -> Workers:
    """Start a worker for each core, to have the imports done when the first fit arrives; close them after use.

    `pace` is told how long fits took, and how much of that on a core.
    """
    return Workers(workspace, count=count, pace=pace)
