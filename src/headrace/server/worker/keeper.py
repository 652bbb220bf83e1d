"""The process between a worker and a job: passes signals on, tells how the job ended, and leaves nothing alive."""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
PATIENCE = 5.0


def keep(channel: socket.socket) -> None:
    """Run the assignment that comes over `channel` in a child, and stay until nothing of it is alive."""
    _control_process(PR_SET_CHILD_SUBREAPER, 1)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    assignment = _read_line(channel)
    keeper = os.getpid()
    runner = os.fork()
    if runner == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(reading)
        os.close(writing)
        die_with_parent(keeper)
        from headrace.server.worker.runner import run

        os._exit(run(assignment, channel))
    signal.signal(signal.SIGTERM, lambda *_: os.kill(runner, signal.SIGTERM))
    status = _wait(runner, channel, reading)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _kill_all(runner if status is None else None)
    if status is not None:
        channel.sendall(json.dumps({"exit": status}).encode() + b"\n")


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent goes; end at once when it is gone already."""
    _control_process(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _wait(runner: int, channel: socket.socket, wakeups: int) -> int | None:
    """Return the runner's exit code (a signal is negative), or None when the worker let go of the channel."""
    poll = select.poll()
    poll.register(channel, 0)
    poll.register(wakeups, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor != wakeups:
                return None
            os.read(wakeups, 4096)
        while (ended := _reap()) is not None:
            if ended[0] == runner:
                return os.waitstatus_to_exitcode(ended[1])


def _reap() -> tuple[int, int] | None:
    try:
        process, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (process, status) if process else None


def _kill_all(runner: int | None) -> None:
    """Kill the runner, and then whatever became ours as its parents died, until nothing is left."""
    deadline = time.monotonic() + PATIENCE
    children = [runner] if runner else _children()
    while children and time.monotonic() < deadline:
        for child in children:
            os.kill(child, signal.SIGKILL)
        while _reap() is not None:
            pass
        children = _children()
        if children:
            time.sleep(0.002)


def _children() -> list[int]:
    own = os.getpid()
    try:
        return [int(word) for word in Path(f"/proc/{own}/task/{own}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def _control_process(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _read_line(channel: socket.socket) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        block = channel.recv(1 << 16)
        if not block:
            os._exit(1)
        line += block
    return bytes(line)


if __name__ == "__main__":
    keep(socket.socket(fileno=int(sys.argv[1])))
    os._exit(0)
