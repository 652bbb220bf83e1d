"""What a whole process costs: wall and processor seconds with all its descendants, and their peak memory."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import subprocess
import threading
import time
from pathlib import Path

import psutil

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
PAUSE = 0.25


def measure(command: list[str], log: Path, *, seconds: float, fitted: Path | None = None) -> dict[str, float]:
    """Run a command, for at most `seconds`; raise `CalledProcessError` or `TimeoutExpired`.

    Where it writes a file `fitted` when it has learnt, processor seconds are those until then.
    Orphans that it leaves behind become this process's children and are ended, so that their time is counted. Memory is
    the sum of proportional set sizes in MB, looked at four times a second.
    """
    ctypes.CDLL(None).prctl(SUBREAPER, 1)
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
    watcher = _Watcher(process.pid, fitted)
    watcher.start()
    try:
        code = process.wait(seconds)
        wall = time.monotonic() - begin
    finally:
        _end_family(process)
        watcher.ended.set()
        watcher.join()
    if code:
        raise subprocess.CalledProcessError(code, command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_seconds": wall, "cpu_seconds": cpu - watcher.spent_after(), "peak_mb": watcher.peak / 1e6}


class _Watcher(threading.Thread):
    def __init__(self, pid: int, fitted: Path | None) -> None:
        super().__init__(daemon=True)
        self.pid, self.fitted, self.peak, self.ended = pid, fitted, 0, threading.Event()
        self.after: list[float] = []

    def run(self) -> None:
        while not self.ended.wait(PAUSE):
            with contextlib.suppress(psutil.Error):
                parent = psutil.Process(self.pid)
                family = [parent, *parent.children(recursive=True)]
                if self.fitted is None or not self.fitted.exists():
                    self.peak = max(self.peak, sum(_proportional(each.pid) for each in family))
                else:
                    self.after.append(sum(sum(each.cpu_times()[:4]) for each in family))

    def spent_after(self) -> float:
        """Return the processor seconds that the process and its children spent after it had learnt."""
        return max(self.after) - self.after[0] if self.after else 0.0


def _proportional(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _end_family(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the session, and wait for every orphan."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for orphan in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            orphan.kill()
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0)[0]:
            continue
