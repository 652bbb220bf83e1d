"""What a database can fail at, on the real ones, each told in one sentence."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, make_url, select, text
from sqlalchemy.exc import IntegrityError

from headrace.server.errors import Unavailable
from headrace.server.stores.metadata import MetadataError, MetadataStore
from headrace.server.stores.metadata.engines import TURN
from headrace.server.stores.metadata.tables.resources import TAGS


def write(metadata: MetadataStore, key: str, value: str = "v") -> None:
    with metadata.writing() as connection:
        connection.execute(insert(TAGS).values(arn="a", key=key, value=value))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    MetadataStore.open(f"sqlite:///{tmp_path}/headrace.db").close()
    return tmp_path / "headrace.db"


class TestSQLite:
    def test_a_disk_that_is_full(self, file: Path) -> None:
        metadata = MetadataStore.open(f"sqlite:///{file}")
        with metadata.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
        with pytest.raises(Unavailable, match="disk is full") as raised:
            for number in range(100):
                write(metadata, f"{number}", "v" * 400)
        assert str(file) not in raised.value.message
        metadata.close()

    def test_another_process_that_writes_for_too_long(self, file: Path) -> None:
        metadata = MetadataStore.open(f"sqlite:///{file}", patience=0.1)
        other = sqlite3.connect(file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="is busy"):
            write(metadata, "k")
        with metadata.reading() as connection:
            assert connection.execute(select(TAGS)).all() == []
        other.execute("ROLLBACK")
        other.close()
        write(metadata, "k")
        metadata.close()

    def test_a_file_that_became_read_only(self, file: Path) -> None:
        metadata = MetadataStore.open(f"sqlite:///{file}")
        with metadata.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")
        with pytest.raises(Unavailable, match="read-only"):
            write(metadata, "k")
        metadata.close()

    def test_a_file_that_is_damaged_while_the_server_runs(self, file: Path) -> None:
        size = file.stat().st_size
        with file.open("r+b") as handle:
            handle.seek(4096)
            handle.write(b"\xff" * (size - 4096))
        metadata = MetadataStore(*_engines(file))
        with pytest.raises(Unavailable, match="damaged"):
            write(metadata, "k")
        metadata.close()

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        (tmp_path / "headrace.db").write_bytes(b"this is a text file, not a database" * 200)
        with pytest.raises(MetadataError, match="no SQLite database"):
            MetadataStore.open(f"sqlite:///{tmp_path}/headrace.db")

    def test_a_folder_that_is_absent(self, tmp_path: Path) -> None:
        with pytest.raises(MetadataError, match="its folder is absent"):
            MetadataStore.open(f"sqlite:///{tmp_path}/absent/headrace.db")

    def test_a_file_is_its_owners_only(self, file: Path) -> None:
        metadata = MetadataStore.open(f"sqlite:///{file}")
        write(metadata, "k")
        modes = {each.name: each.stat().st_mode & 0o777 for each in file.parent.glob("headrace.db*")}
        assert set(modes.values()) == {0o600}
        assert len(modes) == 3
        metadata.close()

    def test_more_threads_than_turns_in_time(self, file: Path) -> None:
        metadata = MetadataStore.open(f"sqlite:///{file}", patience=0.1)
        begun, over = threading.Event(), threading.Event()

        def hold() -> None:
            with metadata.writing():
                begun.set()
                over.wait(10)

        thread = threading.Thread(target=hold)
        thread.start()
        begun.wait(10)
        with pytest.raises(Unavailable, match="no turn came in time"):
            write(metadata, "k")
        over.set()
        thread.join()
        metadata.close()


class TestPostgreSQL:
    def test_connections_that_the_server_ended(self, postgresql: Any) -> None:
        url = postgresql.create()
        metadata = MetadataStore.open(url)
        write(metadata, "k")
        with pytest.raises(Unavailable, match=r"cannot be reached|shutting down"), metadata.writing() as connection:
            _end_sessions(postgresql.url, metadata)
            connection.execute(select(TAGS))
        write(metadata, "l")
        with metadata.reading() as connection:
            assert connection.execute(select(TAGS.c.key).order_by(TAGS.c.key)).scalars().all() == ["k", "l"]
        metadata.close()

    def test_another_server_that_writes_for_too_long(self, postgresql: Any) -> None:
        url = postgresql.create()
        metadata = MetadataStore.open(url, patience=0.1)
        engine = create_engine(url)
        with engine.connect() as other:
            other.execute(text(f"SELECT pg_advisory_xact_lock({TURN})"))
            with pytest.raises(Unavailable, match="is busy"):
                write(metadata, "k")
        write(metadata, "k")
        engine.dispose()
        metadata.close()

    def test_a_database_that_does_not_exist(self, postgresql: Any) -> None:
        url = make_url(postgresql.url).set(database="absent", password="secret")
        with pytest.raises(MetadataError, match="does not exist") as raised:
            MetadataStore.open(url.render_as_string(hide_password=False))
        assert "secret" not in str(raised.value)

    def test_a_server_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(MetadataError, match="cannot be reached") as raised:
            MetadataStore.open(f"postgresql://someone:secret@/database?host={tmp_path}")
        assert "secret" not in str(raised.value)
        assert str(raised.value).startswith("postgresql+psycopg://someone:***@/database?")

    def test_a_standby(self, postgresql: Any) -> None:
        url = postgresql.create()
        metadata = MetadataStore.open(url)
        with metadata.engine.connect() as connection:
            connection.exec_driver_sql("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
            connection.commit()
        with pytest.raises(Unavailable, match="read-only"):
            write(metadata, "k")
        metadata.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("headrace.db", "is not one"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("mysql://host/database", "cannot be kept in mysql"),
        ("postgresql://user:secret@host:port/database", "is not one"),
    ],
)
def test_a_url_that_names_no_store(url: str, said: str) -> None:
    with pytest.raises(MetadataError, match=said) as raised:
        MetadataStore.open(url)
    assert "secret" not in str(raised.value)


def _engines(file: Path) -> Any:
    from headrace.server.stores.metadata.engines import engines, read_url

    return engines(read_url(f"sqlite:///{file}"), 1)


def _end_sessions(url: str, metadata: MetadataStore) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": metadata.engine.url.database},
        )
    engine.dispose()


def test_a_failure_does_not_tell_the_values(metadata: MetadataStore) -> None:
    write(metadata, "twice", "confidential")
    with pytest.raises(IntegrityError) as failure:
        write(metadata, "twice", "confidential")
    assert "confidential" not in str(failure.value)
