"""The contract of the metadata store, on SQLite and on PostgreSQL."""

import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from headrace.server.errors import InvalidInput
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.tables.resources import TAGS


def write(connection: Connection, key: str, value: str = "0") -> None:
    connection.execute(insert(TAGS).values(arn="a", key=key, value=value))


def values(metadata: MetadataStore) -> dict[str, str]:
    with metadata.reading() as connection:
        return {row.key: row.value for row in connection.execute(select(TAGS).order_by(TAGS.c.key))}


def add_one(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        present = connection.execute(select(TAGS.c.value).where(TAGS.c.key == "n")).scalar_one()
        connection.execute(update(TAGS).where(TAGS.c.key == "n").values(value=str(int(present) + 1)))


def together(number: int, work: Callable[[int], Any]) -> list[Any]:
    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(work, range(number)))


class TestTransactions:
    """What every database behind the metadata store does: a new one only adds its fixture."""

    def test_a_block_that_fails_leaves_nothing(self, metadata: MetadataStore) -> None:
        with pytest.raises(KeyError), metadata.writing() as connection:
            write(connection, "k")
            raise KeyError
        assert values(metadata) == {}

    def test_what_a_block_wrote_is_there_for_the_next(self, metadata: MetadataStore) -> None:
        with metadata.writing() as connection:
            write(connection, "k")
        assert values(metadata) == {"k": "0"}

    def test_a_reader_sees_one_state_and_never_waits(self, metadata: MetadataStore) -> None:
        with metadata.reading() as reader:
            assert reader.execute(select(func.count()).select_from(TAGS)).scalar_one() == 0
            with metadata.writing() as writer:
                write(writer, "k")
                with metadata.reading() as another:
                    assert another.execute(select(func.count()).select_from(TAGS)).scalar_one() == 0
            assert reader.execute(select(func.count()).select_from(TAGS)).scalar_one() == 0
        assert values(metadata) == {"k": "0"}

    def test_a_reader_cannot_write(self, metadata: MetadataStore) -> None:
        with pytest.raises(Exception, match="read-only"), metadata.reading() as connection:
            write(connection, "k")
        assert values(metadata) == {}

    def test_no_update_is_lost_among_threads(self, metadata: MetadataStore) -> None:
        with metadata.writing() as connection:
            write(connection, "n")
        together(8, lambda _: [add_one(metadata) for _ in range(5)])
        assert values(metadata) == {"n": "40"}

    def test_no_update_is_lost_among_processes(self, metadata: MetadataStore) -> None:
        with metadata.writing() as connection:
            write(connection, "n")
        fork = multiprocessing.get_context("fork")
        children = [fork.Process(target=lambda: [add_one(metadata) for _ in range(10)]) for _ in range(3)]
        for child in children:
            child.start()
        for _ in range(10):
            add_one(metadata)
        for child in children:
            child.join(30)
            assert child.exitcode == 0
        assert values(metadata) == {"n": "40"}

    def test_a_writing_block_in_another_one_is_refused_instead_of_waiting_forever(
        self, metadata: MetadataStore
    ) -> None:
        with metadata.writing() as connection:
            write(connection, "k")
            with pytest.raises(RuntimeError, match="pass the connection on"), metadata.writing():
                pass
        assert values(metadata) == {"k": "0"}

    def test_a_broken_constraint_is_the_callers_to_handle(self, metadata: MetadataStore) -> None:
        with metadata.writing() as connection:
            write(connection, "k")
            with pytest.raises(IntegrityError), connection.begin_nested():
                write(connection, "k")
            write(connection, "l")
        assert values(metadata) == {"k": "0", "l": "0"}

    def test_a_mistake_in_a_statement_is_no_failure_of_the_database(self, metadata: MetadataStore) -> None:
        with pytest.raises(DBAPIError), metadata.reading() as connection:
            connection.execute(text("SELECT nothing FROM nowhere"))

    def test_a_character_that_cannot_be_kept_is_bad_input(self, metadata: MetadataStore) -> None:
        with pytest.raises(InvalidInput, match="cannot keep"), metadata.writing() as connection:
            write(connection, "lone \ud800 surrogate")
        assert values(metadata) == {}

    def test_text_is_ordered_and_matched_by_code_point(self, metadata: MetadataStore) -> None:
        keys = ["B", "Z", "_", "a", "b-1", "b1", "ä", "中", "\U0001f600"]
        with metadata.writing() as connection:
            for key in reversed(keys):
                write(connection, key)
        assert list(values(metadata)) == keys
        with metadata.reading() as connection:
            found = connection.execute(select(TAGS.c.key).where(TAGS.c.key.contains("b", autoescape=True)))
            assert sorted(found.scalars()) == ["b-1", "b1"]
            found = connection.execute(select(TAGS.c.key).where(TAGS.c.key.contains("_", autoescape=True)))
            assert sorted(found.scalars()) == ["_"]

    def test_numbers_are_given_out_in_the_order_of_commits(self, metadata: MetadataStore) -> None:
        seen: list[int] = []

        def one(_: int) -> None:
            with metadata.writing() as connection:
                write(connection, str(len(seen)))
                seen.append(len(seen))

        together(16, one)
        assert seen == list(range(16))


class TestSharedWrites:
    """Small writes of many threads that wait for one commit together."""

    def test_all_are_written_and_answered(self, metadata: MetadataStore) -> None:
        def one(number: int) -> int:
            def work(connection: Connection) -> int:
                write(connection, f"{number:02}")
                return number

            return metadata.write_shared(work)

        assert together(24, one) == list(range(24))
        assert list(values(metadata)) == [f"{number:02}" for number in range(24)]

    def test_one_that_fails_fails_alone(self, metadata: MetadataStore) -> None:
        waiting = threading.Barrier(6)

        def one(number: int) -> str:
            waiting.wait()
            try:
                metadata.write_shared(lambda connection: write(connection, "same" if number % 2 else str(number)))
            except IntegrityError:
                return "refused"
            return "written"

        with metadata.writing() as connection:
            write(connection, "same")
        assert together(6, one) == ["written", "refused"] * 3
        assert list(values(metadata)) == ["0", "2", "4", "same"]

    def test_it_is_durable_when_it_returns(self, metadata: MetadataStore) -> None:
        metadata.write_shared(lambda connection: write(connection, "k"))
        assert values(metadata) == {"k": "0"}


def test_a_forked_child_neither_uses_nor_closes_its_parents_connections(metadata: MetadataStore) -> None:
    with metadata.reading() as reader:
        before = reader.execute(select(func.count()).select_from(TAGS)).scalar_one()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                with metadata.writing() as connection:
                    write(connection, "child")
                metadata.close()
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert reader.execute(select(func.count()).select_from(TAGS)).scalar_one() == before
    with metadata.writing() as connection:
        write(connection, "parent")
    assert list(values(metadata)) == ["child", "parent"]
