"""What was read of one state of the database: kept while nobody writes, forgotten whole with anyone's next commit."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Hashable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection

if TYPE_CHECKING:
    from headrace.server.stores.metadata.database import MetadataStore

Value = TypeVar("Value")
Held = dict[Hashable, Any]

MOST_HELD = 4096
"""Values that are kept at a time."""


class Memory:
    """Values read of the present state of a SQLite file, for all threads of this process.

    SQLite tells a connection (PRAGMA data_version) whether any other one, of whatever process, has committed since it
    last asked: in two microseconds, where a transaction with one query takes a hundred.
    """

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA query_only=ON")
        self._version: tuple[int] | None = None
        self._held: Held = {}

    def of_now(self) -> Held:
        """Return what is held of the present state; what is read from now on may be added to it."""
        with self._lock:
            version = self._connection.execute("PRAGMA data_version").fetchone()
            if version != self._version or len(self._held) > MOST_HELD:
                self._version, self._held = version, {}
            return self._held

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class NotRemembered(Exception):  # noqa: N818 (nothing went wrong)
    """The database is needed."""


class Recollection:
    """Stands for a connection where only what is held of the present state may be used; all else is NotRemembered."""

    def __init__(self, memory: Held) -> None:
        self.memory = memory

    def __getattr__(self, name: str) -> Any:
        raise NotRemembered(name)


class LateConnection:
    """Stands for a connection of readers whose transaction begins with its first use; it may never come.

    `memory` is what was held when it was made, before the transaction: so nothing in it is older than the request.
    """

    def __init__(self, store: MetadataStore, memory: Held | None) -> None:
        self.memory = memory
        self._store = store
        self._opened: Connection | None = None
        self._stack = ExitStack()

    def __getattr__(self, name: str) -> Any:
        if self._opened is None:
            self._opened = self._stack.enter_context(self._store.reading())
        return getattr(self._opened, name)

    def close(self) -> None:
        """End the transaction, if it began."""
        if self._opened is not None:
            self._stack.close()


def remembered(connection: Connection, key: Hashable, read: Callable[[], Value]) -> Value:
    """Return what `read` finds in the database, or found since anything was last committed to it.

    Only readers that begin late remember, and only on SQLite; all else reads. The value must never be changed, and
    depend on the key and the database alone; None is not remembered.
    """
    memory: Held | None = getattr(connection, "memory", None)
    if memory is None:
        return read()
    value: Value | None = memory.get(key)
    if value is None:
        value = read()
        if value is not None:
            memory[key] = value
    return value
