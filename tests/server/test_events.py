"""The outbox of events, on SQLite and on PostgreSQL."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, func, select

from headrace.server import events
from headrace.server.errors import NotFound
from headrace.server.events import Event
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.tables.events import EVENTS


@pytest.fixture
def connection(metadata: MetadataStore) -> Iterator[Connection]:
    with metadata.writing() as connection:
        yield connection


def event(number: int) -> Event:
    arn = f"arn:aws:demo:eu-central-1:111122223333:job/{number}"
    return Event("Job Change", "aws.demo", "111122223333", "eu-central-1", arn, number, {"state": ["Done", number]})


def append(connection: Connection, *numbers: int) -> None:
    for number in numbers:
        events.append(connection, event(number))


def times(found: list[Event]) -> list[int]:
    return [each.time for each in found]


class TestEvents:
    def test_each_reader_reads_at_its_own_pace(self, connection: Connection) -> None:
        events.subscribe(connection, "metrics")
        events.subscribe(connection, "alarms")
        append(connection, 1, 2, 3)
        found = events.read(connection, "metrics", 2)
        assert times(found) == [1, 2]
        assert found[0].detail == {"state": ["Done", 1]}
        assert found[0] == Event(**{**vars(event(1)), "id": found[0].id})
        assert times(events.read(connection, "metrics", 2)) == [1, 2]
        events.advance(connection, "metrics", found[1])
        events.advance(connection, "metrics", found[0])
        assert times(events.read(connection, "metrics")) == [3]
        assert times(events.read(connection, "alarms")) == [1, 2, 3]
        assert events.backlog(connection) == {"alarms": 3, "metrics": 1}

    def test_a_reader_sees_what_follows_or_all_that_is_there(self, connection: Connection) -> None:
        append(connection, 1)
        events.subscribe(connection, "late")
        events.subscribe(connection, "all", from_start=True)
        append(connection, 2)
        events.subscribe(connection, "late")
        assert times(events.read(connection, "late")) == [2]
        assert times(events.read(connection, "all")) == [1, 2]
        events.unsubscribe(connection, "late")
        with pytest.raises(NotFound, match="'late'"):
            events.read(connection, "late")

    def test_an_event_is_there_only_with_its_change(self, metadata: MetadataStore) -> None:
        with pytest.raises(KeyError), metadata.writing() as connection:
            events.subscribe(connection, "reader")
            append(connection, 1)
            raise KeyError
        with metadata.writing() as connection:
            assert connection.execute(select(func.count()).select_from(EVENTS)).scalar_one() == 0

    def test_what_all_have_passed_is_trimmed_and_numbers_never_return(self, connection: Connection) -> None:
        for reader in ("fast", "slow"):
            events.subscribe(connection, reader)
        append(connection, 1, 2, 3)
        found = events.read(connection, "fast")
        events.advance(connection, "fast", found[2])
        events.advance(connection, "slow", found[0])
        assert events.trim(connection, before=0) == 1
        assert times(events.read(connection, "slow")) == [2, 3]
        assert events.trim(connection, before=3) == 1
        assert times(events.read(connection, "slow")) == [3]
        events.advance(connection, "slow", found[2])
        assert events.trim(connection, before=0) == 1
        append(connection, 4)
        assert times(events.read(connection, "fast")) == times(events.read(connection, "slow")) == [4]
        assert events.read(connection, "fast")[0].id > found[2].id

    def test_what_nobody_waits_for_is_trimmed(self, connection: Connection) -> None:
        append(connection, 1, 2)
        assert events.trim(connection, before=0) == 2
        events.subscribe(connection, "new")
        append(connection, 3)
        assert times(events.read(connection, "new")) == [3]

    def test_no_event_is_skipped_while_many_write(self, metadata: MetadataStore) -> None:
        with metadata.writing() as connection:
            events.subscribe(connection, "reader")
        done = threading.Event()
        seen: list[int] = []

        def follow() -> None:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                last = done.is_set()
                with metadata.writing() as connection:
                    found = events.read(connection, "reader", 7)
                    if found:
                        events.advance(connection, "reader", found[-1])
                        events.trim(connection, before=0)
                seen.extend(times(found))
                if last and not found:
                    return

        def act(number: int) -> None:
            with metadata.writing() as connection:
                append(connection, 2 * number)
                append(connection, 2 * number + 1)

        reader = threading.Thread(target=follow)
        reader.start()
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(act, range(60)))
        done.set()
        reader.join()
        assert sorted(seen) == list(range(120))
        assert len(seen) == 120
