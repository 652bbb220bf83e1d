"""What is remembered of the database is forgotten with the next commit, of whoever it is."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from headrace.server.errors import Unavailable
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.remembering import MOST_HELD, remembered
from headrace.server.stores.metadata.tables.events import EVENT_READERS

COUNT = text("SELECT count(*) FROM event_readers")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MetadataStore]:
    opened = MetadataStore.open(f"sqlite:///{tmp_path}/metadata.db")
    yield opened
    opened.close()


class Counting:
    """Reads how many readers there are, and counts how often."""

    def __init__(self, store: MetadataStore) -> None:
        self.store = store
        self.reads = 0

    def ask(self) -> int:
        with self.store.reading_late() as connection:

            def read() -> int:
                self.reads += 1
                return int(connection.execute(COUNT).scalar_one()) + 1

            return remembered(connection, "count", read) - 1


def write(store: MetadataStore, name: str) -> None:
    with store.writing() as connection:
        connection.execute(insert(EVENT_READERS).values(name=name, position=0))


def test_a_value_is_read_once_while_nobody_writes(store: MetadataStore) -> None:
    counting = Counting(store)
    assert [counting.ask() for _ in range(5)] == [0] * 5
    assert counting.reads == 1


def test_a_commit_of_this_process_is_seen_by_the_next_request(store: MetadataStore) -> None:
    counting = Counting(store)
    for number in range(5):
        assert counting.ask() == number
        write(store, f"reader-{number}")
    assert counting.ask() == 5


def test_a_commit_of_another_process_is_seen_by_the_next_request(store: MetadataStore) -> None:
    counting = Counting(store)
    assert counting.ask() == 0
    path = store.engine.url.database
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
        "c.execute(\"INSERT INTO event_readers (name, position) VALUES ('x', 0)\"); c.commit()"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
    assert counting.ask() == 1


def test_what_rolls_back_changes_nothing(store: MetadataStore) -> None:
    counting = Counting(store)
    assert counting.ask() == 0
    with pytest.raises(ZeroDivisionError), store.writing() as connection:
        connection.execute(insert(EVENT_READERS).values(name="never", position=0))
        raise ZeroDivisionError
    assert counting.ask() == 0


def test_a_request_that_began_before_a_commit_leaves_nothing_old_behind(store: MetadataStore) -> None:
    counting = Counting(store)
    with store.reading_late() as early:
        write(store, "between")
        assert remembered(early, "count", lambda: early.execute(COUNT).scalar_one()) == 1
        write(store, "after")
    assert counting.ask() == 2


def test_no_transaction_begins_before_it_is_used(store: MetadataStore) -> None:
    with store.reading_late() as connection:
        assert store.readers.pool.checkedout() == 0
        connection.execute(COUNT)
        assert store.readers.pool.checkedout() == 1
    assert store.readers.pool.checkedout() == 0


def test_a_late_reader_cannot_write_and_tells_failures_as_others_do(store: MetadataStore) -> None:
    with pytest.raises(Unavailable), store.reading_late() as connection:
        connection.execute(insert(EVENT_READERS).values(name="no", position=0))


def test_nothing_is_remembered_of_none_nor_without_bounds(store: MetadataStore) -> None:
    with store.reading_late() as connection:
        assert remembered(connection, "absent", lambda: None) is None
        assert remembered(connection, "absent", lambda: 7) == 7
        for number in range(MOST_HELD + 1):
            remembered(connection, number, lambda: "value")
    with store.reading_late() as connection:
        assert remembered(connection, 0, lambda: "read anew") == "read anew"


def test_other_connections_remember_nothing(store: MetadataStore) -> None:
    with store.reading() as connection:
        assert remembered(connection, "x", lambda: "a") == "a"
        assert remembered(connection, "x", lambda: "b") == "b"
