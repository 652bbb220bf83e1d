import gzip
import sqlite3
from pathlib import Path

import pytest

from headrace.ml.errors import MissingExtraError, SourceError
from headrace.ml.tables import read_table


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute('CREATE TABLE "odd ""name" (id INTEGER, city TEXT, mixed)')
        connection.execute("INSERT INTO \"odd \"\"name\" VALUES (1, 'Oslo', 1.5), (2, NULL, 'x')")
    connection.close()
    return path


def add_table(path: Path, name: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE {name} (id)")
    connection.close()


@pytest.mark.parametrize("how", ["path", "url", "compressed"])
def test_the_only_table_is_read(database: Path, how: str):
    source: str | Path = database
    if how == "url":
        source = f"sqlite:///{database}"
    if how == "compressed":
        source = database.with_suffix(".gz")
        source.write_bytes(gzip.compress(database.read_bytes()))
    table = read_table(source)
    assert table.frame.to_dict(as_series=False) == {"id": [1, 2], "city": ["Oslo", None], "mixed": ["1.5", "x"]}
    assert table.format == ("sql" if how == "url" else "sqlite")
    assert table.source.endswith('#odd "name')


def test_one_of_several_must_be_named(database: Path):
    add_table(database, "customers")
    for source in (str(database), f"sqlite:///{database}"):
        with pytest.raises(SourceError, match="has 2 tables; name one of "):
            read_table(source)
        assert read_table(source, table='odd "name').frame.height == 2
        with pytest.raises(SourceError, match="no table 'customer'; did you mean 'customers'"):
            read_table(f"{source}#customer")
        with pytest.raises(SourceError, match=r"table 'customers' of .* has no rows"):
            read_table(f"{source}#customers")


def test_reading_does_not_write(database: Path):
    before = database.read_bytes()
    read_table(database)
    with pytest.raises(SourceError, match="there is no file"):
        read_table(f"sqlite:///{database.parent}/other.sqlite")
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == ["shop.sqlite"]


def test_a_damaged_database_is_refused(database: Path):
    database.write_bytes(database.read_bytes()[:3000])
    with pytest.raises(SourceError, match="SQLite database that cannot be read"):
        read_table(database)


def test_an_empty_database_is_refused(tmp_path: Path):
    path = tmp_path / "empty.db"
    add_table(path, "t")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE t")
    connection.close()
    with pytest.raises(SourceError, match="has 0 tables"):
        read_table(path)


def test_passwords_do_not_show():
    with pytest.raises((SourceError, MissingExtraError)) as caught:
        read_table("mysql+nosuchdriver://ann:secret@localhost/shop#t")
    assert "secret" not in str(caught.value)


def test_a_missing_driver_is_named():
    with pytest.raises(MissingExtraError, match="needs the database driver"):
        read_table("oracle://ann:secret@localhost/shop#t")
