"""A process that does assignments on one panel, started by `workers.Workers` with the folder of the panel's files.

It reads a JSON line {"number": 1, "assignment": {…}} on stdin, writes the arrays to FOLDER/answers/1.npz, and answers
{"number": 1, "seconds": 0.5, "forecasting": 0.4, "error": ""} on stdout. It ignores SIGINT (the parent
decides), and ends with its stdin or with its parent.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from headrace.ml.adapters.processes import end_with_parent


def serve(folder: Path) -> None:
    """Serve until stdin ends."""
    replies = os.dup(1)
    os.dup2(2, 1)  # what libraries print must not mix with the answers
    import numpy as np

    from headrace.ml.applications.forecasting.predictor.assignments import Assignment, perform
    from headrace.ml.applications.forecasting.predictor.panel_files import read_panel_files

    panel = read_panel_files(folder)
    for line in sys.stdin:
        request = json.loads(line)
        answer = perform(Assignment.from_json(request["assignment"]), panel)
        reply = {
            "number": request["number"], "seconds": answer.seconds, "forecasting": answer.forecasting,
            "error": answer.error,
        }  # fmt: skip
        if not answer.error:
            np.savez(folder / "answers" / f"{request['number']}.npz", **answer.to_arrays())  # type: ignore[arg-type]
        with contextlib.suppress(BrokenPipeError):
            os.write(replies, json.dumps(reply).encode() + b"\n")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    serve(Path(sys.argv[1]))
