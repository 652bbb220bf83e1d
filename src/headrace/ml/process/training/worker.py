"""A worker process: reads fits as JSON lines on stdin, answers each with a JSON line on stdout.

Started by `pool.Workers` as `python -m headrace.ml.process.training.worker WORKSPACE MODULE…`; the modules are
imported ahead of the first fit. It ignores SIGINT (the parent decides) and ends as soon as stdin does, also in
the middle of a fit, so that it never outlives its parent.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any, TextIO


def _private_stdout() -> TextIO:
    """Keep stdout for answers, and send what libraries print to stderr."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def _read_requests(requests: queue.SimpleQueue[str]) -> None:
    """Pass each line of stdin on, and end the process with stdin."""
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


def _volunteer_for_the_kernel() -> None:
    """Where memory runs out, Linux shall end a worker, which is replaced, and not the parent."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def main(workspace: Path, modules: list[str]) -> None:
    """Serve fits until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = _private_stdout()
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    _volunteer_for_the_kernel()
    for module in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(module)
    from headrace.ml.process.training.fitting import Fit, run_fit

    while True:
        reply: dict[str, Any]
        try:
            reply = {"result": run_fit(Fit(**json.loads(requests.get())), workspace)}
        except Exception as error:  # a failed fit is an answer, never the end of the worker
            reply = {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
