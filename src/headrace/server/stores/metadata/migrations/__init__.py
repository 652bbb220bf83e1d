"""Brings the tables of a database to the version of this program; one revision a file in versions/."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select

from headrace.server.errors import OperationError, Unavailable
from headrace.server.stores.metadata.failures import told_in_one_sentence
from headrace.server.stores.metadata.migrations.backup import back_up
from headrace.server.stores.metadata.tables import METADATA

if TYPE_CHECKING:
    from headrace.server.stores.metadata.database import MetadataStore

VERSIONS = Path(__file__).parent / "versions"
REVISION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def revisions() -> list[str]:
    """Return the numbers of all revisions ("0001"), oldest first; the last is what this program works with."""
    return sorted(path.stem.split("_")[1] for path in VERSIONS.glob("revision_*.py"))


def bring_up_to_date(store: MetadataStore, backups: Path | None, *, backup: bool) -> None:
    """Create the tables of an empty database, or migrate those of an earlier version after a backup.

    Either is one transaction: it happens whole or not at all. Raises Unavailable on a database of a newer version or of
    another program, and when a backup fails.
    """
    known = revisions()
    with store.reading() as connection:
        if _found(connection, store.place, known) == known[-1]:
            return
    with _migrating(store) as connection:
        found = _found(connection, store.place, known)
        if found is None:
            METADATA.create_all(connection, checkfirst=False)
            REVISION.create(connection)
            connection.execute(insert(REVISION).values(version_num=known[-1]))
        elif found != known[-1]:
            copy = back_up(store.engine.url, found, backups) if backup else None
            try:
                run_revisions(connection)
            except Exception as error:
                kept = f" (a backup is at {copy})" if copy else ""
                raise Unavailable(
                    f"the metadata store {store.place} could not be migrated from revision {found} to {known[-1]} and "
                    f"stays as it was{kept}: {str(error).splitlines()[0]}"
                ) from error


def run_revisions(connection: Connection, target: str = "head") -> None:
    """Run Alembic's revisions up to `target` in the connection's transaction."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(VERSIONS.parent), version_locations=[str(VERSIONS)])
    context = MigrationContext.configure(
        connection, opts={"fn": lambda revision, _: script._upgrade_revs(target, revision)}
    )
    with Operations.context(context):
        context.run_migrations()


def _found(connection: Connection, place: str, known: list[str]) -> str | None:
    tables = inspect(connection)
    if not tables.has_table(REVISION.name):
        strange = tables.get_table_names()
        if strange:
            raise Unavailable(
                f"the metadata store {place} holds tables of another program (first: {sorted(strange)[0]!r}); "
                "name an empty database"
            )
        return None
    found: str | None = connection.execute(select(REVISION.c.version_num)).scalar_one_or_none()
    if found not in known:
        raise Unavailable(
            f"the metadata store {place} is of revision {found!r}, which this version of Headrace does not know (its "
            f"last is {known[-1]!r}): a newer Headrace or another program wrote it; upgrade or name another database"
        )
    return found


@contextmanager
def _migrating(store: MetadataStore) -> Iterator[Connection]:
    """Open a writing transaction in which SQLite lets tables be rebuilt while others refer to them."""
    if store.dialect != "sqlite":
        with store.writing() as connection:
            yield connection
        return
    with told_in_one_sentence(), store.engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                if broken is not None:
                    raise OperationError(f"a row of table {broken[0]!r} would refer to nothing in {broken[2]!r}")
        finally:
            driver.execute("PRAGMA foreign_keys=ON")
