"""The contract of the metadata store, on SQLite and on PostgreSQL."""

import pytest
from sqlalchemy import insert, select

from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.tables.resources import TAGS


class TestTransactions:
    """What every database behind the metadata store does."""

    def test_a_block_that_fails_leaves_nothing(self, metadata: MetadataStore) -> None:
        with pytest.raises(KeyError), metadata.writing() as connection:
            connection.execute(insert(TAGS).values(arn="a", key="k", value="v"))
            raise KeyError
        with metadata.reading() as connection:
            assert connection.execute(select(TAGS)).all() == []
