"""The process that serves one built-in container: `python -m headrace.server.model_server.host`.

It is told what to serve on its standard input, prints what goes to the log, and ends with the process that started it.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sys
import threading
import traceback
from typing import Any

from headrace.server.model_server.frames import receive, send
from headrace.server.model_server.processes import SOCKET

PR_SET_PDEATHSIG = 1
BACKLOG = 128


def main() -> int:
    """Load the model, then answer until killed; 1 with a sentence as the last line where it can't be loaded."""
    told = json.load(sys.stdin)
    _end_with(told["parent"])
    os.umask(0o077)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(SOCKET)
    listener.listen(BACKLOG)
    from headrace.server.model_server.answering import Answering, sentence

    try:
        answering = Answering(told["algorithm"], told["container"])
    except Exception as error:
        if not (known := sentence(error)):
            traceback.print_exc()
        sys.stderr.write((known or f"The model can't be loaded ({type(error).__name__}: {error}).") + "\n")
        return 1
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_answer_all, args=(connection, answering), daemon=True).start()


def _answer_all(connection: socket.socket, answering: Any) -> None:
    """Answer the requests of one connection, one after another."""
    answer = answering.answer
    with connection:
        try:
            while (message := receive(connection)) is not None:
                send(connection, *answer(*message))
        except OSError:
            return


def _end_with(parent: int) -> None:
    """Be killed when the thread of the server that started this process ends, however it does."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
