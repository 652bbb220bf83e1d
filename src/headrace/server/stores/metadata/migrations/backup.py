"""A copy of the whole database, made before its tables are migrated."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL

from headrace.server.errors import Unavailable


def back_up(url: URL, revision: str, folder: Path | None) -> Path:
    """Copy the database into `folder` and return the copy's path; SQLite by its online backup, PostgreSQL by pg_dump.

    The copy appears whole (written beside, fsync, renamed). Raises Unavailable when it cannot be made.
    """
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    sqlite = url.get_backend_name() == "sqlite"
    if folder is None:
        if not sqlite:
            raise Unavailable("no folder is given for the backup of the metadata store; name one, or pass --no-backup")
        folder = Path(str(url.database)).absolute().parent / "backups"
    target = folder / f"metadata-{revision}-{moment}.{'db' if sqlite else 'dump'}"
    partial = target.with_suffix(".partial")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
        (_copy_sqlite if sqlite else _dump_postgresql)(url, partial)
        _make_durable(partial)
        partial.replace(target)
        _make_durable(folder)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            partial.unlink()
        raise Unavailable(f"the metadata store could not be backed up to {target}: {error}") from error
    return target


def _copy_sqlite(url: URL, target: Path) -> None:
    source = sqlite3.connect(str(url.database))
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
    finally:
        copy.close()
        source.close()


def _dump_postgresql(url: URL, target: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise OSError(
            "pg_dump is not on the PATH; install PostgreSQL's client, or back up yourself and pass --no-backup"
        )
    libpq = url.set(drivername="postgresql", password=None).render_as_string()
    environment = os.environ | ({"PGPASSWORD": str(url.password)} if url.password else {})
    done = subprocess.run(  # noqa: S603
        [program, "--format=custom", "--no-password", f"--file={target}", f"--dbname={libpq}"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = (done.stderr.strip() or "no message").splitlines()[0]
        raise OSError(f"pg_dump failed ({said}); correct that, or back up yourself and pass --no-backup")


def _make_durable(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
