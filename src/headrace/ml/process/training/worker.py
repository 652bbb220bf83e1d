"""The process that fits come from: imports the libraries once, and forks a short-lived worker for every fit.

Started by `pool.Workers` as `python -m headrace.ml.process.training.worker WORKSPACE MODULE…`. It reads JSON lines on
stdin: `{"number": 1, "fit": {…}}` or `{"stop": 1}`; and answers each fit with `{"number": 1, "result": {…}}`, `"error"`
or `"stopped"` on stdout. Modules, and those that a worker had to import, are imported while nothing else is to be done.
It has one thread and computes nothing itself, so forking is safe; a worker's memory goes back with its end. It ignores
SIGINT (the parent decides), and ends with its stdin, as its workers end with it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import selectors
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from headrace.ml.adapters.processes import end_with_parent
from headrace.ml.adapters.threads import import_library

_BLOCK = 2**16
_HEAVY = frozenset({"catboost", "headrace", "lightgbm", "onnx", "onnxruntime", "scipy", "sklearn", "xgboost"})


@dataclass
class _Child:
    number: int
    process: int
    received: bytes = b""
    stopped: bool = False


class Nursery:
    """The loop between the parent's requests and the workers' answers."""

    def __init__(self, workspace: Path, modules: list[str]) -> None:
        self._workspace, self._to_import = workspace, modules
        self._replies = os.dup(1)
        os.dup2(2, 1)  # what libraries print must not mix with the answers
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(0, selectors.EVENT_READ)
        self._requests = b""

    def serve(self) -> None:
        """Serve until stdin ends."""
        while True:
            ready = self._selector.select(0 if self._to_import else None)
            for key, _ in ready:
                if key.fd == 0:
                    if not (block := os.read(0, _BLOCK)):
                        return self._end()
                    self._take(block)
                else:
                    self._listen(key.fd)
            if not ready and self._to_import:
                _import(self._to_import.pop(0))

    def _end(self) -> None:
        for child in self._children.values():
            os.kill(child.process, signal.SIGKILL)

    def _take(self, block: bytes) -> None:
        *lines, self._requests = (self._requests + block).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if "stop" in request:
                self._stop(request["stop"])
            else:
                self._fork(request["number"], request["fit"])

    def _stop(self, number: int) -> None:
        for child in self._children.values():
            if child.number == number:
                child.stopped = True
                os.kill(child.process, signal.SIGKILL)

    def _fork(self, number: int, fit: Mapping[str, Any]) -> None:
        _import(f"headrace.ml.algorithms.{fit['algorithm']}")
        gc.freeze()
        reading, writing = os.pipe()
        if (process := os.fork()) == 0:
            os.close(reading)
            os.close(self._replies)
            _work(fit, self._workspace, writing)
        os.close(writing)
        self._children[reading] = _Child(number, process)
        self._selector.register(reading, selectors.EVENT_READ)

    def _listen(self, pipe: int) -> None:
        child = self._children[pipe]
        if block := os.read(pipe, _BLOCK):
            child.received += block
            return
        self._selector.unregister(pipe)
        os.close(pipe)
        del self._children[pipe]
        _, status = os.waitpid(child.process, 0)
        answer = {"number": child.number, **_answer(child, os.waitstatus_to_exitcode(status))}
        self._to_import[:0] = answer.pop("modules", [])
        with contextlib.suppress(BrokenPipeError):
            os.write(self._replies, json.dumps(answer).encode() + b"\n")


def _answer(child: _Child, code: int) -> dict[str, Any]:
    if child.received.endswith(b"\n"):
        answer: dict[str, Any] = json.loads(child.received)
        return answer
    if child.stopped:
        return {"stopped": True}
    if code < 0:
        return {"error": f"its worker process was killed by signal {-code}, perhaps for want of memory"}
    return {"error": f"its worker process ended with code {code}"}


def _import(module: str) -> None:
    """Import ahead of a fork, with the library that an algorithm names; what is absent shows when it is used."""
    with contextlib.suppress(Exception):
        imported = import_library(module, arrays_only=True)
        if module.startswith("headrace.ml.algorithms."):
            from headrace.ml.algorithms import find_algorithm

            import_library(find_algorithm(imported.__name__.rpartition(".")[2]).module, arrays_only=True)


def _work(fit: Mapping[str, Any], workspace: Path, writing: int) -> NoReturn:
    """Fit and answer: the whole life of a worker."""
    end_with_parent()
    known = set(sys.modules)
    try:
        from headrace.ml.process.training.fitting import Fit, run_fit

        reply: dict[str, Any] = {"result": run_fit(Fit(**fit), workspace)}
    except BaseException as error:
        reply = {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"}
    finally:
        reply["modules"] = sorted(name for name in set(sys.modules) - known if name.partition(".")[0] in _HEAVY)
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(reply).encode() + b"\n")
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Nursery(Path(sys.argv[1]), sys.argv[2:]).serve()
