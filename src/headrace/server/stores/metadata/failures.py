"""What a database can fail at, as one sentence each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import exc

from headrace.server.errors import InvalidInput, OperationError, Unavailable

SQLITE = {
    "SQLITE_BUSY": "is busy: another process has been writing to it for too long; try again",
    "SQLITE_LOCKED": "is busy: another process has been writing to it for too long; try again",
    "SQLITE_FULL": "cannot grow: the disk is full; free some space and try again",
    "SQLITE_READONLY": "cannot be written: the file, its folder or the file system is read-only; make it writable",
    "SQLITE_PERM": "cannot be opened: permission denied; run as the user who owns it",
    "SQLITE_CANTOPEN": "cannot be opened: its folder is absent or not writable; create the folder or name another",
    "SQLITE_NOTADB": "is damaged or no SQLite database; put a backup in its place or name another file",
    "SQLITE_CORRUPT": "is damaged; stop the server and put a backup in its place",
    "SQLITE_IOERR": "cannot be read or written: the disk failed; look into the system log",
    "SQLITE_NOMEM": "is out of memory; free some and try again",
}
"""Sentences by SQLite's primary result code."""

POSTGRESQL = {
    "40": "had to give up on a conflict with another request; try again",
    "55P03": "is busy: another process has been writing to it for too long; try again",
    "57014": "took too long to answer; try again",
    "57P": "is shutting down or starting; try again",
    "08": "cannot be reached; check that PostgreSQL runs and that the URL is right",
    "25006": "cannot be written: the database is read-only (a standby?); name its primary",
    "25P03": "ended a transaction that had stood idle for too long; try again",
    "28": "refused the user or password; correct the URL",
    "3D000": "does not exist; create the database or correct the URL",
    "42501": "does not allow this user to create or change its tables; grant it the schema",
    "53100": "cannot grow: the disk is full; free some space and try again",
    "53200": "is out of memory; free some and try again",
    "53300": "has no connection left; raise max_connections or run fewer servers",
    "XX00": "is damaged; stop the server and restore a backup",
}
"""Sentences by the beginning of PostgreSQL's SQLSTATE."""

NOT_KEPT = "a value holds a character or a number that the metadata store cannot keep; change it"


@contextmanager
def told_in_one_sentence() -> Iterator[None]:
    """Turn failures of the database into Unavailable, and values that it cannot hold into InvalidInput.

    Callers read the sentence, so it does not say where the database is. Broken constraints (IntegrityError) and
    mistakes in statements pass through.
    """
    try:
        yield
    except (exc.DBAPIError, sqlite3.Error) as failure:
        told = _sentence(failure)
        if told is None:
            raise
        raise told from failure
    except (UnicodeEncodeError, OverflowError) as failure:
        raise InvalidInput(NOT_KEPT) from failure
    except exc.TimeoutError as failure:
        raise Unavailable("the metadata store is busy: all its connections are in use; try again") from failure


def _sentence(failure: exc.DBAPIError | sqlite3.Error) -> OperationError | None:
    orig: Any = failure.orig if isinstance(failure, exc.DBAPIError) else failure
    if isinstance(failure, exc.DataError):
        return InvalidInput(NOT_KEPT)
    if isinstance(orig, sqlite3.Error):
        code = getattr(orig, "sqlite_errorname", "")
        said = next((said for start, said in SQLITE.items() if code.startswith(start)), None)
    else:
        state = getattr(orig, "sqlstate", None) or ""
        said = next((said for start, said in POSTGRESQL.items() if state.startswith(start)), None)
        if said is None and (not state or (isinstance(failure, exc.DBAPIError) and failure.connection_invalidated)):
            said = _unreached(failure, orig)
    return None if said is None else Unavailable(f"the metadata store {said}")


def _unreached(failure: exc.DBAPIError | sqlite3.Error, orig: Any) -> str | None:
    if not isinstance(failure, exc.OperationalError | exc.InterfaceError):
        return None
    text = str(orig).strip()
    for words, state in (("password", "28"), ("does not exist", "3D000"), ("too many clients", "53300")):
        if words in text:
            return POSTGRESQL[state]
    return POSTGRESQL["57P"] if "the database system is" in text else POSTGRESQL["08"]
