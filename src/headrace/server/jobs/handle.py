"""What a job's handler is given: its payload, and the ways to log, to save, to stop and to commit."""

from __future__ import annotations

import importlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headrace.ml.errors import HeadraceError
from headrace.server.errors import Unavailable
from headrace.server.jobs.attendance import attend
from headrace.server.jobs.folders import publish
from headrace.server.jobs.records import JobStopped, ignore
from headrace.server.sandbox import Folder, ask_to_stop, sandboxed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from headrace.server.context import Platform

PROGRESS_PERIOD = 0.2


@dataclass(frozen=True)
class Assignment:
    """What a worker tells the process that runs an attempt.

    `handler`, `opener` and `on_change` are entry points ("module:function"); the opener is called with `opening` and
    returns the Platform. `data` is the server's data folder, which code of users never sees.
    """

    id: int
    kind: str
    attempt: int
    payload: dict[str, Any] = field(repr=False)
    resource_arn: str
    folder: str
    data: str
    handler: str
    opener: str = ""
    opening: dict[str, Any] = field(default_factory=dict, repr=False)
    on_change: str = ""
    trust_scripts: bool = False


class Job:
    """One attempt at a job, as its handler sees it; its standard output and error are the job's log.

    A handler returns its result (plain data), and the job is done once the worker has stored that; or it stores it
    itself together with rows of its own in `commit`.
    """

    def __init__(self, assignment: Assignment, channel: socket.socket) -> None:
        self.id = assignment.id
        self.kind = assignment.kind
        self.attempt = assignment.attempt
        self.payload = assignment.payload
        self.resource_arn = assignment.resource_arn
        self.folder = Path(assignment.folder)
        self.committed = False
        self._assignment = assignment
        self._channel = channel
        self._told: tuple[str, float] = ("", 0.0)
        self._cancelled = False

    @cached_property
    def platform(self) -> Platform:
        """The server's parts, opened on first use; raises Unavailable."""
        try:
            opened: Platform = entry(self._assignment.opener)(self._assignment.opening)
        except HeadraceError as error:
            raise Unavailable(str(error)) from error
        return opened

    def settle(self) -> None:
        """Wait for what the job's process still does beside; it is to end without a word to its threads."""
        if "platform" in vars(self):
            self.platform.objects.settle()

    @property
    def checkpoint(self) -> Path:
        """A folder that the job's next attempt finds as this one leaves it."""
        return self.folder / "checkpoint"

    @cached_property
    def staged(self) -> Path:
        """A folder for what the job makes; it is durable and visible once the job is done, and not before."""
        path = self.folder / "staged"
        path.mkdir(exist_ok=True)
        return path

    @cached_property
    def work(self) -> Path:
        """The folder that code of a user runs in and may write."""
        path = self.folder / "work"
        path.mkdir(exist_ok=True)
        return path

    @property
    def cancelled(self) -> bool:
        """Whether the job is asked to stop: save what is worth saving and return, or be stopped soon."""
        if not self._cancelled:
            try:
                self._cancelled = self._channel.recv(1, socket.MSG_DONTWAIT) != b""
            except BlockingIOError:
                return False
        return self._cancelled

    def log(self, line: str) -> None:
        """Append a line to the job's log."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def progress(self, step: str, fraction: float | None = None, message: str = "") -> None:
        """Tell how far the job is: the step it is at, the part of it that is done (0 to 1), and a sentence."""
        now = time.monotonic()
        if step == self._told[0] and fraction != 1.0 and now - self._told[1] < PROGRESS_PERIOD:
            return
        self._told = (step, now)
        self.tell(progress={"step": step, "fraction": fraction, "message": message})

    @contextmanager
    def commit(self, result: Any = None) -> Iterator[Connection]:
        """Publish what is staged and end the job as done, in one transaction with what the block writes.

        Raises LeaseLost when another attempt took the job over: nothing of it is stored then.
        """
        from headrace.server.jobs.attempts import Attempts

        publish(self.folder)
        on_change = entry(self._assignment.on_change) if self._assignment.on_change else ignore
        with self.platform.metadata.writing() as connection:
            Attempts(on_change).complete(connection, self.id, self.attempt, now=self.platform.clock(), result=result)
            yield connection
        self.committed = True

    def run(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        folders: Sequence[Folder] = (),
        network: bool = False,
        confined: bool = True,
        on_line: Callable[[str], None] | None = None,
        until: Callable[[], bool] | None = None,
    ) -> int:
        """Run a user's command in the sandbox, in the folder `work`; return its exit code (a signal is negative).

        `folders` are others that it sees, `environment` what it finds set. Its output goes to the log, and line by line
        to `on_line`. When the job is stopped, or `until` says so, the command gets SIGTERM and may end in peace.
        Without `confined` it is a program of our own that has another confine the user's code.
        """
        words, variables = list(command), dict(environment or {})
        if confined:
            how = sandboxed(
                words,
                folder=self.work,
                folders=folders,
                environment=variables,
                network=network,
                hidden=(Path(self._assignment.data),),
                trust=self._assignment.trust_scripts,
            )
            words, variables = how.command, how.environment
        process = subprocess.Popen(  # noqa: S603
            words,
            env=variables,
            cwd=self.work,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if on_line else None,
            stderr=subprocess.STDOUT if on_line else None,
        )
        try:
            if on_line or until:
                attend(process, on_line or (lambda _: None), until or (lambda: False), lambda: ask_to_stop(process.pid))
            return process.wait()
        except JobStopped:
            ask_to_stop(process.pid)
            process.wait()
            raise
        finally:
            process.kill()
            process.wait()

    def tell(self, **message: Any) -> None:
        """Send the worker a message."""
        self._channel.sendall(json.dumps(message, allow_nan=False).encode() + b"\n")


def entry(name: str) -> Callable[..., Any]:
    """Return the function that "module:function" names; raises ValueError when there is none."""
    module, _, function = name.partition(":")
    found = getattr(importlib.import_module(module), function, None) if module and function else None
    if not callable(found):
        raise ValueError(f"{name!r} names no function; write it as module:function")
    return found  # type: ignore[no-any-return]
