"""The loop that deploys: what the endpoints' records ask for is made to run, and kept running."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from sqlalchemy import select

from headrace.server.context import Platform
from headrace.server.model_server import ModelFailed, ModelServer
from headrace.server.operations.endpoints.artifacts import forget_old
from headrace.server.operations.endpoints.instance_logs import InstanceLogs
from headrace.server.operations.endpoints.reconciling import Reconciler
from headrace.server.operations.endpoints.starting import Starter
from headrace.server.operations.endpoints.states import CHANGING, ENDPOINT, IN_SERVICE
from headrace.server.stores.metadata.tables.resources import RESOURCES

LOG = logging.getLogger("headrace.endpoints")

TICK_SECONDS = 0.5
"""How often the processes are looked at, and their lines written; the database is asked when something has changed."""

LOOK_SECONDS = 10.0
"""How often the database is asked in any case, for what other processes have written."""

FORGET_SECONDS = 86_400.0
"""How often model data that nobody uses any longer are looked for."""

LONGEST_PAUSE = 60.0
QUICK_SECONDS = 10.0
"""An endpoint that needs attention again so soon is in trouble, and waits longer each time."""

_COLUMNS = RESOURCES.c
_ENDPOINTS = select(_COLUMNS.arn, _COLUMNS.state).where(_COLUMNS.kind == ENDPOINT.kind)


@dataclass
class Attention:
    """When an endpoint was last worked on, and until when to let it be where its instances keep failing."""

    last: float = 0.0
    pause: float = 0.0
    until: float = 0.0
    again: bool = False
    failed: bool = False
    thread: threading.Thread | None = None
    expected: dict[str, int] = field(default_factory=dict)


class Deployments:
    """Deploys endpoints in a thread of the server, each that changes in another one of its own.

    A context manager: entering brings back every endpoint that is in service, or on its way; leaving ends all
    instances, whose endpoints come back with the next start.
    """

    def __init__(self, platform: Platform) -> None:
        models = platform.models
        if models is None:
            raise ValueError("only the server's own process, which has a ModelServer, deploys endpoints")
        self.platform = platform
        self.models: ModelServer = models
        self.logs = InstanceLogs(platform)
        self.starter = Starter(platform, self.logs)
        self.reconciler = Reconciler(platform, models, self.starter)
        self._known: dict[str, Attention] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._loop, name="endpoints", daemon=True)

    def __enter__(self) -> Deployments:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.starter.close()
        self.models.changed.set()
        self._thread.join()
        for thread in [each.thread for each in self._known.values() if each.thread is not None]:
            thread.join(10)
        self.models.close()
        self._attempt(self.logs.flush)

    def _loop(self) -> None:
        forgot = looked = float("-inf")
        while not self.starter.stopping.is_set():
            if time.monotonic() - forgot > FORGET_SECONDS:
                forgot = time.monotonic()
                self._attempt(self._forget_old)
            if self.models.changed.is_set() or time.monotonic() - looked > LOOK_SECONDS:
                self.models.changed.clear()
                looked = time.monotonic()
                self._attempt(self._look)
            self._attempt(self._watch)
            self._attempt(self.logs.flush)
            self.models.changed.wait(TICK_SECONDS)

    def _look(self) -> None:
        """Work on the endpoints that are changing, and those in service that were never worked on."""
        with self.platform.metadata.reading() as connection:
            rows = connection.execute(_ENDPOINTS).all()
        for arn, state in rows:
            if state in CHANGING or (state == IN_SERVICE and arn not in self._known):
                self._work_on(arn)

    def _watch(self) -> None:
        """Work on the endpoints whose instances do not all run."""
        with self._lock:
            now = time.monotonic()
            idle = [(arn, each) for arn, each in self._known.items() if each.thread is None and each.until <= now]
        for arn, each in idle:
            lacking = each.failed or any(
                len(self.starter.usable(self.models.instances(target))) < count
                for target, count in each.expected.items()
            )
            if lacking:
                self._work_on(arn)

    def _work_on(self, arn: str) -> None:
        with self._lock:
            attention = self._known.setdefault(arn, Attention())
            if attention.thread is not None:
                attention.again = True
                return
            attention.again = False
            attention.thread = threading.Thread(target=self._run, args=(arn, attention), name="endpoint", daemon=True)
        attention.thread.start()

    def _run(self, arn: str, attention: Attention) -> None:
        began, attention.failed = time.monotonic(), True
        try:
            attention.expected = self.reconciler.reconcile(arn)
            attention.failed = False
        except ModelFailed as error:
            LOG.warning("an instance of %s can't be replaced: %s", arn, error)
        except Exception:
            LOG.exception("work on %s failed; it is tried again", arn)
        with self._lock:
            attention.thread = None
            quick = began - attention.last < QUICK_SECONDS
            attention.pause = min(LONGEST_PAUSE, max(1.0, 2 * attention.pause)) if quick or attention.failed else 0.0
            attention.last = time.monotonic()
            attention.until = attention.last + attention.pause
            if not attention.failed and not attention.expected:
                self._known.pop(arn, None)
            again = attention.again
        if again:
            self.models.changed.set()

    def _forget_old(self) -> None:
        with self.platform.metadata.reading() as connection:
            records = connection.execute(select(_COLUMNS.record).where(_COLUMNS.kind == ENDPOINT.kind)).scalars().all()
        forget_old(self.platform.settings.data, records)

    def _attempt(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Exception:
            LOG.exception("deploying endpoints: a step failed; it is tried again")
