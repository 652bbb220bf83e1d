"""A fresh metadata store on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.server.stores.metadata import MetadataStore


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
