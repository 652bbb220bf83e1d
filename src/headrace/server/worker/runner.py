"""The process of one attempt: calls the handler, and tells the worker what came of it."""

from __future__ import annotations

import json
import signal
import socket
import sys
import traceback
from contextlib import suppress
from typing import Any

from headrace.ml.errors import HeadraceError
from headrace.server.errors import OperationError, Throttled, Unavailable
from headrace.server.jobs.folders import publish
from headrace.server.jobs.handle import Assignment, Job, entry
from headrace.server.jobs.records import JobFailed, JobStopped, LeaseLost

LONGEST_REASON = 4000


def run(line: bytes, channel: socket.socket) -> int:
    """Run the attempt that `line` (JSON of an Assignment) describes; returns the exit code."""
    job = Job(Assignment(**json.loads(line)), channel)
    signal.signal(signal.SIGTERM, _stop)
    with suppress(OSError):
        _be_first_to_go()
    try:
        result = entry(json.loads(line)["handler"])(job)
        if job.committed:
            job.tell(committed=True)
        else:
            publish(job.folder)
            job.tell(result=result)
    except JobStopped:
        return _report(job, stopped=True)
    except LeaseLost as error:
        return _report(job, lost=str(error))
    except Exception as error:
        traceback.print_exc()
        return _report(job, failure=_sentence(error), permanent=_is_permanent(error))
    finally:
        job.settle()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
    return 0


def _report(job: Job, **message: Any) -> int:
    job.tell(**message)
    return 1


def _stop(*_: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise JobStopped


def _be_first_to_go() -> None:
    """Let the kernel take this process before the server when the machine runs out of memory."""
    with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write("900")


def _sentence(error: Exception) -> str:
    text = str(error).encode("utf-8", "replace").decode().replace("\0", "").strip()[:LONGEST_REASON]
    if isinstance(error, OperationError | JobFailed):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_permanent(error: Exception) -> bool:
    """Tell whether the same job would fail again: what it was given is wrong."""
    if isinstance(error, Unavailable | Throttled):
        return False
    return isinstance(error, OperationError | JobFailed | HeadraceError)
