"""Opens the database and hands out transactions."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine

from headrace.ml.errors import HeadraceError
from headrace.server.errors import Unavailable
from headrace.server.stores.metadata.engines import engines, read_url
from headrace.server.stores.metadata.failures import told_in_one_sentence
from headrace.server.stores.metadata.remembering import LateConnection, Memory, Recollection
from headrace.server.stores.metadata.turns import Turns

Result = TypeVar("Result")
MOST_SHARED = 256
_ABANDONED: list[Any] = []
"""Pools of the process that this one was forked from: neither used nor closed here."""


class MetadataError(HeadraceError):
    """The metadata store cannot be opened: wrong URL, no access, damaged, or of a newer version."""


@dataclass
class _Shared:
    work: Callable[[Connection], Any]
    done: bool = False
    result: Any = None
    error: BaseException | None = None


class MetadataStore:
    """One database; `reading()` and `writing()` give transactions on it, to many threads and forked processes.

    Readers never wait and see one consistent state. Writers of all processes take turns, from the start of their block
    to its commit: on SQLite by BEGIN IMMEDIATE, on PostgreSQL by an advisory lock that is taken first, under READ
    COMMITTED. So nothing read in a writing block is stale when it commits, no update is lost, nothing deadlocks,
    no transaction need be repeated, and the ids that a table gives out commit in order. A commit is durable (fsync).

    Failures of the database are raised as errors.Unavailable. Attributes: `dialect` ("sqlite" or "postgresql"), `place`
    (the URL without its password), `engine` (of the writer) and `readers`.
    """

    def __init__(self, readers: Engine, writer: Engine, *, patience: float = 30.0) -> None:
        self.readers = readers
        self.engine = writer
        self.dialect = writer.dialect.name
        self.place = writer.url.render_as_string(hide_password=True)
        self.patience = patience
        self._memory: Memory | None = None
        self._start_locks()
        reference = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _start_anew(reference))

    @classmethod
    def open(
        cls, url: str, *, patience: float = 30.0, backups: Path | None = None, backup: bool = True
    ) -> MetadataStore:
        """Connect to `url` ("sqlite:////path/headrace.db", "postgresql://…") and bring its tables up to date.

        `patience` is how long a transaction waits for its turn, in seconds. Before tables of an earlier version are
        migrated, the database is copied into the folder `backups` (by default beside a SQLite file), unless `backup` is
        False. Raises MetadataError when the database cannot be used, or was written by a newer version.
        """
        from headrace.server.stores.metadata.migrations import bring_up_to_date

        store = cls.join(url, patience=patience)
        try:
            bring_up_to_date(store, backups, backup=backup)
        except BaseException as error:
            store.close()
            if isinstance(error, Unavailable):
                raise MetadataError(f"{store.place}: {error.message}") from error
            raise
        return store

    @classmethod
    def join(cls, url: str, *, patience: float = 30.0) -> MetadataStore:
        """Connect to a database that the server has opened already, as the processes of its jobs do."""
        try:
            return cls(*engines(read_url(url), patience), patience=patience)
        except Unavailable as error:
            raise MetadataError(error.message) from error

    def close(self) -> None:
        """Close every connection."""
        self.readers.dispose()
        self.engine.dispose()
        if self._memory is not None:
            self._memory.close()
            self._memory = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that reads one consistent state; a statement that writes is refused."""
        with told_in_one_sentence(), self.readers.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def reading_late(self) -> Iterator[Connection]:
        """Open, at its first use, a transaction that reads; `remembering.remembered` may spare it altogether."""
        with told_in_one_sentence():
            late = LateConnection(self, self._remembers())
            try:
                yield cast(Connection, late)
            finally:
                late.close()

    def recollection(self) -> Connection | None:
        """Return what stands for a connection without the database, None where nothing is ever remembered."""
        memory = self._remembers()
        return None if memory is None else cast(Connection, Recollection(memory))

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that may write; it commits at the end and rolls back on any error.

        It waits for its turn, so a block is to be short; one inside another of the same thread is a RuntimeError.
        """
        if getattr(self._mine, "taken", False):
            raise RuntimeError("a writing block inside another one would wait for itself; pass the connection on")
        if not self._turns.take(self.patience):
            raise Unavailable("the metadata store is busy: no turn came in time; try again")
        self._mine.taken = True
        try:
            with told_in_one_sentence(), self.engine.connect() as connection, connection.begin():
                yield connection
        finally:
            self._mine.taken = False
            self._turns.give()

    def write_shared(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in a writing transaction that it may share with that of other threads; return once it is durable.

        Small writes of many threads then wait for one fsync together. When any of them fails, each runs again alone: so
        `work` must do nothing but use the connection.
        """
        mine = _Shared(work)
        self._queue.append(mine)
        with self._sharing:
            if not mine.done:
                self._write_queue()
        if mine.error is not None:
            raise mine.error
        result: Result = mine.result
        return result

    def _write_queue(self) -> None:
        batch: list[_Shared] = []
        try:
            with self.writing() as connection:
                while self._queue and len(batch) < MOST_SHARED:
                    batch.append(self._queue.popleft())
                for each in batch:
                    each.result = each.work(connection)
        except Exception as error:
            if not batch:
                batch = [self._queue.popleft() for _ in range(len(self._queue))]
            for each in batch:
                each.error = error
        for each in batch:
            if each.error is not None and len(batch) > 1:
                self._write_alone(each)
            each.done = True

    def _write_alone(self, each: _Shared) -> None:
        each.error = None
        try:
            with self.writing() as connection:
                each.result = each.work(connection)
        except Exception as error:
            each.error = error

    def _remembers(self) -> dict[Any, Any] | None:
        if self.dialect != "sqlite":
            return None
        memory = self._memory
        if memory is None:
            with self._sharing:
                memory = self._memory = self._memory or Memory(str(self.engine.url.database))
        return memory.of_now()

    def _start_locks(self) -> None:
        self._turns = Turns()
        self._mine = threading.local()
        self._sharing = threading.Lock()
        self._queue: deque[_Shared] = deque()


def _start_anew(reference: weakref.ref[MetadataStore]) -> None:
    store = reference()
    if store is not None:
        for engine in (store.readers, store.engine):
            _ABANDONED.append(engine.pool)
            engine.dispose(close=False)
        _ABANDONED.append(store._memory)
        store._memory = None
        store._start_locks()
