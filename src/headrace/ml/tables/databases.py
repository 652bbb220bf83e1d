"""Tables in databases: SQLite files, and any database that SQLAlchemy can reach by a URL."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import polars as pl

from headrace.ml.errors import MissingExtraError, SourceError
from headrace.ml.tables.delimited.headers import check_names
from headrace.ml.tables.frames import series_from_values
from headrace.ml.tables.names import suggest
from headrace.ml.tables.table import Table

SCHEMES = frozenset({"sqlite", "postgresql", "postgres", "mysql", "mariadb", "mssql", "oracle", "duckdb", "snowflake"})
"""Database URLs begin with one of these, alone or with a driver: `mysql+pymysql`."""


def read_sqlite(database: Path | bytes, source: str, table: str | None = None) -> Table:
    """Read a table or view of a SQLite database, the only one unless `table` names it; opened read-only."""
    try:
        if isinstance(database, bytes):
            connection = sqlite3.connect(":memory:")
            connection.deserialize(database)
        else:
            connection = sqlite3.connect(f"file:{quote(str(database.resolve()))}?mode=ro", uri=True)
        try:
            listing = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
            chosen = choose_table([name for (name,) in connection.execute(listing)], table, source)
            quoted = chosen.replace('"', '""')
            cursor = connection.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - an identifier of the database's own list
            return _table([part[0] for part in cursor.description], cursor.fetchall(), source, "sqlite", chosen)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise SourceError(f"'{source}' is a SQLite database that cannot be read: {error}") from None


def read_database(url: str, table: str | None = None) -> Table:
    """Read a table through SQLAlchemy: `postgresql://user@host/database#table`, or with `table`.

    A schema may stand before the table's name: `#sales.orders`. Raises `SourceError`, and `MissingExtraError` where the
    database's driver is not installed.
    """
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError

    address, _, fragment = url.partition("#")
    scheme, _, rest = address.partition("://")
    scheme = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}.get(scheme, scheme)
    source = address
    try:
        parsed = sqlalchemy.make_url(f"{scheme}://{rest}")
        source = parsed.render_as_string(hide_password=True)
        if parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:"):
            from headrace.ml.tables.opening import check_path

            check_path(Path(str(parsed.database)))  # connecting would create it
        engine = sqlalchemy.create_engine(parsed)
        try:
            schema, _, name = (table or fragment).rpartition(".")
            inspector = sqlalchemy.inspect(engine)
            known = inspector.get_table_names(schema or None) + inspector.get_view_names(schema or None)
            chosen = choose_table(known, name or None, source)
            selected = sqlalchemy.table(chosen, schema=schema or None)
            with engine.connect() as connection:
                result = connection.execute(sqlalchemy.select(sqlalchemy.text("*")).select_from(selected))
                names, rows = list(result.keys()), [tuple(row) for row in result]
            return _table(names, rows, source, "sql", chosen)
        finally:
            engine.dispose()
    except ImportError as error:
        raise MissingExtraError(
            f"'{source}' needs the database driver '{error.name}'; install it (for PostgreSQL: pip install "
            "'headrace[postgresql]')"
        ) from None
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise SourceError(f"'{source}' cannot be read: {reason}") from None


def choose_table(known: Sequence[str], wanted: str | None, source: str) -> str:
    """Return the wanted table, or the only one; raises `SourceError` with the names there are."""
    listed = ", ".join(f"'{name}'" for name in known[:10]) + (" …" if len(known) > 10 else "")
    if wanted is not None:
        if wanted not in known:
            raise SourceError(
                f"'{source}' has no table '{wanted}'{suggest(wanted, known) or '; it has ' + (listed or 'none')}"
            )
        return wanted
    if len(known) != 1:
        advice = f"name one of {listed}" if known else "give a database with a table"
        raise SourceError(f"'{source}' has {len(known)} tables; {advice} (as '{source}#TABLE')")
    return known[0]


def _table(names: list[str], rows: Sequence[Sequence[Any]], source: str, kind: str, table: str) -> Table:
    check_names(names, source)
    if not rows:
        raise SourceError(f"table '{table}' of '{source}' has no rows; give at least one")
    columns = zip(*rows, strict=True)
    frame = pl.DataFrame([series_from_values(name, list(column)) for name, column in zip(names, columns, strict=True)])
    return Table(frame, np.arange(1, frame.height + 1), f"{source}#{table}", kind)
