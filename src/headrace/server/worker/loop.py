"""The worker: claims jobs, keeps their leases, stores what they tell, and settles what came of them."""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from headrace.server.errors import OperationError, Unavailable
from headrace.server.jobs.attempts import Attempts, ended, waits
from headrace.server.jobs.folders import leftovers, prepare, tidy
from headrace.server.jobs.handle import Assignment, entry
from headrace.server.jobs.owners import this_owner
from headrace.server.jobs.queue import get
from headrace.server.jobs.records import DONE, ENDED, STOPPING, JobRecord, LeaseLost, ignore
from headrace.server.jobs.watch import Watch
from headrace.server.sandbox import isolation
from headrace.server.worker.process import End, JobProcess, Timing

if TYPE_CHECKING:
    from headrace.server.context import Platform

LOGGER = logging.getLogger("headrace.jobs")
RETRY = 1.0
SWEEP = 600.0
SWEPT_TOGETHER = 500


class Worker:
    """Runs jobs of the kinds that it has handlers for, several at a time, each in processes of its own.

    `handlers` maps kinds to entry points ("module:function") that take a Job. `opener` is the entry point that a job's
    process opens its Platform with, called with `opening` (plain data). `on_change` and `on_log` are entry points that
    are told of changes and log lines inside the transaction that stores them. `parallel` is how many jobs run at a
    time (default: the setting `jobs`). With `follow_parent` it stops when the process that started it has gone.
    """

    def __init__(
        self,
        platform: Platform,
        handlers: Mapping[str, str],
        *,
        opener: str = "",
        opening: Mapping[str, Any] | None = None,
        on_change: str = "",
        on_log: str = "",
        parallel: int | None = None,
        timing: Timing | None = None,
        first_pause: int | None = None,
        follow_parent: bool = False,
    ) -> None:
        self.owner = this_owner()
        self._platform = platform
        self._jobs = platform.settings.data / "jobs"
        self._handlers = dict(handlers)
        self._opening = (opener, dict(opening or {}))
        self._on_change = on_change
        self._parallel = platform.settings.jobs if parallel is None else parallel
        self._timing = timing or Timing()
        pause = {} if first_pause is None else {"first_pause": first_pause}
        self._attempts = Attempts(
            entry(on_change) if on_change else ignore, entry(on_log) if on_log else ignore, **pause
        )
        self._watch = Watch(self._attempts, self._timing.lease)
        self._parent = os.getppid() if follow_parent else None
        self._running: list[JobProcess] = []
        self._stop_at: float | None = None
        self._due: dict[str, float] = {}
        self._wake_reading, self._wake_writing = os.pipe()
        os.set_blocking(self._wake_reading, False)
        os.set_blocking(self._wake_writing, False)

    def run(self) -> None:
        """Work until SIGTERM, SIGINT or `stop`; then jobs finish soon or are handed back, and none is left running."""
        self._jobs.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._signals():
            try:
                while self._running or self._stop_at is None:
                    self._turn()
            finally:
                for each in self._running:
                    each.kill()

    def stop(self) -> None:
        """Begin to stop; may be called from another thread, and again to kill what still runs."""
        if self._stop_at is None:
            self._stop_at = time.monotonic() + self._timing.finish / 1000
        else:
            self._stop_at = 0.0
        os.write(self._wake_writing, b"s")

    def _turn(self) -> None:
        if self._parent is not None and self._stop_at is None and os.getppid() != self._parent:
            self.stop()
        if self._stop_at is None:
            self._try("sweep", self._sweep, every=SWEEP)
            self._try("watch", self._look_at_others, every=min(self._timing.lease / 4, self._timing.flush) / 1000)
            self._try("claim", self._claim)
        elif self._stop_at <= time.monotonic():
            for each in self._running:
                each.end(End.HAND_BACK)
                if self._stop_at == 0.0:
                    each.kill()
        self._wait()
        for each in self._running:
            if self._has_lapsed(each):
                each.end(End.LOST)
            each.advance()
        if self._stop_at is not None:  # what can't be stored until now is left to whoever takes it over
            self._running = [each for each in self._running if each.status is None or not self._has_lapsed(each)]
        self._try("beat", self._beat)
        for each in [each for each in self._running if each.status is not None]:
            self._try(f"settle {each.record.id}", partial(self._settle, each))

    def _has_lapsed(self, each: JobProcess) -> bool:
        return (time.monotonic() - each.beaten) * 1000 >= self._timing.lease

    def _wait(self) -> None:
        poll = select.poll()
        for descriptor in [self._wake_reading, *(d for each in self._running for d in each.descriptors)]:
            poll.register(descriptor, select.POLLIN)
        if any(descriptor == self._wake_reading for descriptor, _ in poll.poll(self._timing.poll)):
            os.read(self._wake_reading, 4096)

    def _claim(self) -> None:
        kinds = tuple(self._handlers)
        while len(self._running) < self._parallel:
            now, before = self._platform.clock(), time.monotonic()
            with self._platform.metadata.reading() as connection:
                if not waits(connection, kinds, now=now):
                    return
            with self._platform.metadata.writing() as connection:
                record = self._attempts.claim(connection, kinds, owner=self.owner, now=now)
            if record is None:
                return
            self._start(record, before)

    def _start(self, record: JobRecord, beaten: float) -> None:
        try:
            if record.user_code:
                isolation(trust=self._platform.settings.trust_scripts)
            folder = prepare(self._jobs, record.id, record.attempt)
            assignment = Assignment(
                record.id, record.kind, record.attempt, record.payload, record.resource_arn, str(folder.absolute()),
                str(self._jobs.parent.absolute()), self._handlers[record.kind], *self._opening, self._on_change,
                self._platform.settings.trust_scripts,
            )  # fmt: skip
            self._running.append(JobProcess(record, assignment, self._timing, beaten=beaten))
        except Unavailable as error:
            with self._platform.metadata.writing() as connection:
                self._attempts.fail(
                    connection, record.id, record.attempt, now=self._platform.clock(), reason=str(error), permanent=True
                )
        except OSError:
            with self._platform.metadata.writing() as connection:
                self._attempts.hand_back(connection, record.id, record.attempt, now=self._platform.clock())
            raise

    def _look_at_others(self) -> None:
        own = {each.record.id for each in self._running}
        with self._platform.metadata.reading() as connection:
            due = self._watch.look(connection, own=own)
        if due:
            with self._platform.metadata.writing() as connection:
                self._watch.act(connection, due, now=self._platform.clock())

    def _beat(self) -> None:
        """Extend the leases that are due, and store what the jobs told meanwhile, in one transaction."""
        now = time.monotonic()
        alive = [each for each in self._running if each.status is None and each.ending is not End.LOST]
        due = [each for each in alive if (now - each.beaten) * 1000 >= self._period(each)]
        if not due:
            return
        told = [(each, list(each.lines), each.progress) for each in sorted(due, key=lambda each: each.record.id)]
        with self._platform.metadata.writing() as connection:
            states = [self._store(connection, *each) for each in told]
        for (each, lines, progress), state in zip(told, states, strict=True):
            del each.lines[: len(lines)]
            each.progress = None if each.progress is progress else each.progress
            each.beaten = now
            if state is None and not self._is_done(each):
                each.end(End.LOST)
            elif state == STOPPING:
                each.end(End.STOP)

    def _is_done(self, each: JobProcess) -> bool:
        """Tell whether a job that is no longer held was done by this very attempt, whose process is about to end."""
        with self._platform.metadata.reading() as connection:
            record = get(connection, each.record.id)
        return (record.state, record.attempt) == (DONE, each.record.attempt)

    def _period(self, each: JobProcess) -> int:
        told = each.lines or each.progress is not None
        return min(self._timing.flush, self._timing.beat) if told else self._timing.beat

    def _store(
        self, connection: Connection, each: JobProcess, lines: list[str], progress: dict[str, Any] | None
    ) -> str | None:
        job, attempt = each.record.id, each.record.attempt
        state = self._attempts.beat(connection, job, attempt, progress=progress)
        if lines:
            self._attempts.log(connection, job, attempt, lines, now=self._platform.clock())
        return state

    def _settle(self, each: JobProcess) -> None:
        """Store how an attempt ended, once: whoever lost the lease stores nothing."""
        try:
            with self._platform.metadata.writing() as connection:
                self._store(connection, each, each.lines, each.progress)
                record = self._conclude(connection, each)
        except LeaseLost as error:
            LOGGER.warning("%s", error)
            record = None
        self._running.remove(each)
        if record is not None:
            LOGGER.info(
                "job %s (%s), attempt %s: %s %s", record.id, record.kind, record.attempt, record.state, record.reason
            )
            if record.state in ENDED:
                tidy(self._jobs, record.id, done=record.attempt if record.state == DONE else None)

    def _conclude(self, connection: Connection, each: JobProcess) -> JobRecord:
        job, attempt, now = each.record.id, each.record.attempt, self._platform.clock()
        if each.report.get("committed"):
            return get(connection, job)
        if "result" in each.report:
            return self._attempts.complete(connection, job, attempt, now=now, result=each.report["result"])
        if each.ending is End.HAND_BACK and "failure" not in each.report:
            return self._attempts.hand_back(connection, job, attempt, now=now)
        reason = each.report.get("failure") or _exit_sentence(each.status)
        if each.ending in (End.LIMIT, End.LOST):
            reason = each.reason
        permanent = each.ending is End.LIMIT or bool(each.report.get("permanent"))
        return self._attempts.fail(connection, job, attempt, now=now, reason=reason, permanent=permanent)

    def _sweep(self) -> None:
        """Drop what jobs left that ended without a worker: cancelled while they waited, or committed before a kill."""
        found = leftovers(self._jobs)
        for start in range(0, len(found), SWEPT_TOGETHER):
            with self._platform.metadata.reading() as connection:
                over = ended(connection, found[start : start + SWEPT_TOGETHER])
            for job, attempt in over.items():
                tidy(self._jobs, job, done=attempt)

    def _try(self, name: str, step: Callable[[], None], *, every: float = 0.0) -> None:
        """Take a step when it is due; whatever fails (database, disk, a hook), say so and try again later."""
        now = time.monotonic()
        if now < self._due.get(name, 0.0):
            return
        try:
            step()
        except (OperationError, OSError) as error:
            LOGGER.warning("could not %s jobs: %s; trying again", name, error)
            self._due[name] = now + RETRY
        except Exception:
            LOGGER.exception("could not %s jobs; trying again", name)
            self._due[name] = now + RETRY
        else:
            self._due.pop(name, None)
            if every:
                self._due[name] = now + every

    @contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, lambda *_: self.stop()) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _exit_sentence(status: int | None) -> str:
    if status == -signal.SIGKILL:
        return (
            "its process was killed, most likely as the machine ran out of memory; ask for less, or for another machine"
        )
    if status is not None and status < 0:
        known = {number.value: number.name for number in signal.Signals}
        return f"its process ended by {known.get(-status, f'signal {-status}')}; read its log"
    return f"its process ended with exit code {status} and no answer; read its log"
