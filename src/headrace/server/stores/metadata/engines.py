"""Connections: how SQLite and PostgreSQL are opened for readers and for the one writer of a process."""

from __future__ import annotations

import os
import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from headrace.server.errors import Unavailable

TURN = 0x68656164726163
"""Key of the advisory lock by which writers of a PostgreSQL database take turns."""

MOST_READERS = 64
OLDEST_SQLITE = (3, 35, 0)
PAUSE = 0.002


def read_url(url: str) -> URL:
    """Return the parsed URL of a database that can hold the metadata; raises Unavailable on any other."""
    try:
        parsed = make_url(url)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise Unavailable(
            "the metadata store's URL is not one: write sqlite:////folder/headrace.db or postgresql://user@host/database"
        ) from error
    name = parsed.drivername.partition("+")[0]
    if name in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if name != "sqlite":
        raise Unavailable(f"the metadata store cannot be kept in {name}; write a URL of sqlite or postgresql")
    if parsed.database in (None, "", ":memory:"):
        raise Unavailable("the metadata store cannot be kept in memory; name a file: sqlite:////folder/headrace.db")
    return parsed.set(drivername="sqlite+pysqlite")


def engines(url: URL, patience: float) -> tuple[Engine, Engine]:
    """Return the engine of readers and that of the writer, who has one connection in a process; none is opened yet.

    `patience` is how long to wait for a connection or a turn, in seconds.
    """
    make = _sqlite if url.get_backend_name() == "sqlite" else _postgresql
    return make(url, patience, False), make(url, patience, True)


def _sqlite(url: URL, patience: float, writes: bool) -> Engine:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise Unavailable(f"SQLite {sqlite3.sqlite_version} is too old for the metadata store; use 3.35 or newer")
    most = 1 if writes else MOST_READERS
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=most,
        max_overflow=0,
        pool_timeout=patience,
        pool_use_lifo=True,
        connect_args={"timeout": patience},
    )
    event.listen(engine, "do_connect", _create_private)
    event.listen(engine, "connect", partial(_prepare_sqlite, writes=writes))
    event.listen(engine, "begin", partial(_begin_writing, patience=patience) if writes else _begin_reading)
    return engine


def _create_private(_dialect: Any, _record: Any, arguments: list[Any], _keywords: dict[str, Any]) -> None:
    path = Path(arguments[0])
    if path.parent.is_dir() and not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any, *, writes: bool) -> None:
    connection.isolation_level = None
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise Unavailable(f"the metadata store needs SQLite's WAL mode and got {mode!r}; put it on a local disk")
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "case_sensitive_like=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA busy_timeout=0" if writes else "PRAGMA query_only=ON")


def _begin_reading(connection: Connection) -> None:
    driver: Any = connection.connection.dbapi_connection
    driver.execute("BEGIN")


def _begin_writing(connection: Connection, *, patience: float) -> None:
    """Ask for the turn every few milliseconds: SQLite's own waiting backs off, and starves beside a busy process."""
    driver: Any = connection.connection.dbapi_connection
    deadline = time.monotonic() + patience
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
        time.sleep(PAUSE)


def _postgresql(url: URL, patience: float, writes: bool) -> Engine:
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_size=1 if writes else MOST_READERS // 4,
            max_overflow=0,
            pool_timeout=patience,
            pool_use_lifo=True,
            pool_pre_ping=True,
            connect_args={"connect_timeout": max(2, round(patience)), "application_name": "headrace"},
        )
    except ModuleNotFoundError as error:
        raise Unavailable("a metadata store in PostgreSQL needs psycopg: pip install 'headrace[postgresql]'") from error
    event.listen(engine, "connect", partial(_prepare_postgresql, patience=patience, writes=writes))
    if writes:
        event.listen(engine, "begin", _take_turn)
    return engine


def _prepare_postgresql(connection: Any, _record: Any, *, patience: float, writes: bool) -> None:
    mode = "READ COMMITTED, READ WRITE" if writes else "REPEATABLE READ, READ ONLY"
    for statement in (
        f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {mode}",
        f"SET lock_timeout = {round(patience * 1000)}",
        "SET idle_in_transaction_session_timeout = '5min'",
        "SET TIME ZONE 'UTC'",
    ):
        connection.execute(statement)
    connection.commit()


def _take_turn(connection: Connection) -> None:
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({TURN})")
