"""One attempt at a job as its worker sees it: starts its process, reads from it, watches its limits, ends it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from headrace.server.jobs.handle import Assignment
from headrace.server.jobs.records import JobRecord
from headrace.server.worker.memory import held, readable

BLOCK = 1 << 16
LONGEST_LINE = 16 << 10
LARGEST_LOG = 64 << 20
MOST_LINES_WAITING = 10_000
MEMORY_PERIOD = 0.25
KEEPER_PATIENCE = 10.0


class End(Enum):
    """Why a worker ends an attempt."""

    STOP = "it was asked to stop"
    HAND_BACK = "its worker stops"
    LOST = "its worker lost its lease"
    LIMIT = "it went beyond a limit"


@dataclass(frozen=True)
class Timing:
    """Milliseconds that a worker lets pass.

    `lease` without a sign of life and a job is taken over; `beat` between signs of life; `flush` until log lines and
    progress are stored; `poll` between looks at the queue. A job that is to stop is asked, gets SIGTERM after `asked`,
    and SIGKILL `stopped` later: time for a user's code to save what it has, and for that to be stored. When the worker
    stops, its jobs first have `finish` to end by themselves, and get SIGKILL `terminated` after SIGTERM.
    """

    lease: int = 30_000
    beat: int = 5_000
    flush: int = 1_000
    poll: int = 250
    asked: int = 2_000
    stopped: int = 180_000
    terminated: int = 30_000
    finish: int = 5_000


class JobProcess:
    """The process of one attempt.

    `lines` and `progress` are what it told since they were last stored; `report` is what it said of its end ("result",
    "failure", "stopped", "lost"), `status` its exit code; `beaten` is when the lease was last extended (monotonic).
    """

    def __init__(self, record: JobRecord, assignment: Assignment, timing: Timing, *, beaten: float) -> None:
        self.record = record
        self.lines: list[str] = []
        self.progress: dict[str, Any] | None = None
        self.report: dict[str, Any] = {}
        self.status: int | None = None
        self.ending: End | None = None
        self.reason = ""
        self.beaten = beaten
        self._timing = timing
        self._steps: list[tuple[float, signal.Signals | None]] = []
        self._partial = b""
        self._messages = b""
        self._logged = 0
        self._cut = False
        self._started = self._measured = time.monotonic()
        self._start(assignment)

    def _start(self, assignment: Assignment) -> None:
        self.channel, other = socket.socketpair()
        reading, writing = os.pipe()
        self.output = reading
        os.set_blocking(reading, False)
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", "headrace.server.worker.keeper", str(other.fileno())],
                cwd=assignment.folder,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                pass_fds=(other.fileno(),),
                start_new_session=True,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )
            self.channel.sendall(json.dumps(asdict(assignment)).encode() + b"\n")
        except OSError:
            self.channel.close()
            os.close(reading)
            raise
        finally:
            other.close()
            os.close(writing)
        self.channel.setblocking(False)
        self._open = {self.channel.fileno(), self.output}
        self._end_signal = [os.pidfd_open(self._process.pid)] if hasattr(os, "pidfd_open") else []

    @property
    def descriptors(self) -> list[int]:
        """What to wait for; the output is left to wait while its lines can't be stored."""
        if self.status is not None:
            return []
        readable = self._open - ({self.output} if len(self.lines) >= MOST_LINES_WAITING else set())
        return [*readable, *self._end_signal]

    def end(self, why: End, reason: str = "") -> None:
        """Begin to end the attempt: at once where it must not go on, which replaces a gentle end, else gently."""
        at_once = why in (End.LOST, End.LIMIT)
        if self.ending in (End.LOST, End.LIMIT) or (self.ending is not None and not at_once):
            return
        self.ending, self.reason = why, reason or why.value
        now = time.monotonic()
        if at_once:
            self._steps = [(now, signal.SIGKILL)]
        else:
            terminate = now + self._timing.asked / 1000
            patience = self._timing.stopped if why is End.STOP else self._timing.terminated
            self._steps = [(now, None), (terminate, signal.SIGTERM), (terminate + patience / 1000, signal.SIGKILL)]

    def kill(self) -> None:
        """Kill it with all that it started, now."""
        if not self._cut:
            self._steps = [(0.0, signal.SIGKILL)]
        self.advance()

    def advance(self) -> None:
        """Read what it said, take the next step of ending it when that is due, and look at its limits."""
        if self.status is not None:
            return
        self._read_output()
        self._read_messages()
        if self._process.poll() is not None:
            self._close()
            return
        self._watch_limits()
        now = time.monotonic()
        while self._steps and self._steps[0][0] <= now:
            self._signal(self._steps.pop(0)[1])

    def _signal(self, step: signal.Signals | None) -> None:
        if step is None:
            with suppress(OSError):
                self.channel.send(b"s")
        elif step is signal.SIGTERM:
            self._process.send_signal(step)
        else:
            with suppress(OSError):
                self.channel.shutdown(socket.SHUT_RDWR)  # its keeper sees that, and kills all that is below it
            if self._cut:
                self._kill_group()
            self._cut = True
            self._steps.append((time.monotonic() + KEEPER_PATIENCE, signal.SIGKILL))

    def _watch_limits(self) -> None:
        now, record = time.monotonic(), self.record
        if record.timeout is not None and (now - self._started) * 1000 >= record.timeout:
            self.end(End.LIMIT, f"it ran longer than its {record.timeout / 1000:g} s; ask for more time")
        elif record.memory is not None and now - self._measured >= MEMORY_PERIOD:
            self._measured = now
            used = held(self._process.pid, record.memory)
            if used > record.memory:
                sizes = f"used {readable(used)} of its {readable(record.memory)}"
                self.end(End.LIMIT, f"{sizes}; ask for more memory")

    def _read_messages(self) -> None:
        with suppress(BlockingIOError, OSError):
            while block := self.channel.recv(BLOCK):
                self._messages += block
            self._open.discard(self.channel.fileno())
        *whole, self._messages = self._messages.split(b"\n")
        for line in whole:
            with suppress(ValueError):  # half a message of a process that was stopped
                message = json.loads(line)
                self.progress = message.pop("progress", self.progress)
                self.report |= message

    def _read_output(self, *, all_of_it: bool = False) -> None:
        with suppress(BlockingIOError):
            while all_of_it or len(self.lines) < MOST_LINES_WAITING:
                block = os.read(self.output, BLOCK)
                if not block:
                    self._open.discard(self.output)
                    return
                *whole, self._partial = (self._partial + block).split(b"\n")
                for line in whole:
                    self._append(line)
                while len(self._partial) > LONGEST_LINE:
                    self._append(self._partial[:LONGEST_LINE])
                    self._partial = self._partial[LONGEST_LINE:]

    def _append(self, line: bytes) -> None:
        before, self._logged = self._logged, self._logged + len(line) + 1
        if self._logged <= LARGEST_LOG:
            for start in range(0, max(len(line), 1), LONGEST_LINE):
                text = line[start : start + LONGEST_LINE].decode("utf-8", "replace")
                self.lines.append(text.rstrip("\r").rpartition("\r")[2].replace("\0", ""))
        elif before <= LARGEST_LOG:
            self.lines.append(f"[the log is longer than {readable(LARGEST_LOG)}; the rest of it is not kept]")

    def _close(self) -> None:
        """Take in the end of the process, and kill what may be left of its group."""
        self._kill_group()
        self._read_output(all_of_it=True)
        self._read_messages()
        if self._partial:
            self._append(self._partial)
        self.status = self.report.get("exit", self._process.returncode)
        self.channel.close()
        for descriptor in (self.output, *self._end_signal):
            os.close(descriptor)

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
