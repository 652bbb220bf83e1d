"""Opens the database and hands out transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url

from headrace.server.stores.metadata.tables import METADATA


class MetadataStore:
    """One database; `reading()` and `writing()` give transactions on it.

    Attributes: `engine`, and `dialect` ("sqlite" or "postgresql").
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.dialect = engine.dialect.name

    @classmethod
    def open(cls, url: str) -> MetadataStore:
        """Connect to `url` ("sqlite:////path/headrace.db", "postgresql+psycopg://…") and bring its tables up to date."""
        engine = create_engine(make_url(url), pool_pre_ping=not url.startswith("sqlite"))
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        METADATA.create_all(engine)
        return cls(engine)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads one consistent state."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that may write; it commits at the end and rolls back on any error.

        On SQLite writers take turns from the start of the block, so nothing read in it can be stale.
        """
        with self.engine.connect().execution_options(headrace_writes=True) as connection, connection.begin():
            yield connection


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("headrace_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
