from typing import Any

import pytest

from headrace.server.errors import Conflict, InvalidInput, NotFound
from headrace.server.jobs.attempts import Attempts
from headrace.server.jobs.queue import JobQueue, get, listing, log_of
from headrace.server.stores.metadata import MetadataStore

NOW = 1_700_000_000_000
QUEUE, ATTEMPTS = JobQueue(), Attempts()


def test_a_job_exists_when_its_callers_transaction_commits(metadata: MetadataStore) -> None:
    with pytest.raises(RuntimeError), metadata.writing() as connection:
        QUEUE.enqueue(connection, "train", {}, now=NOW)
        raise RuntimeError
    with metadata.writing() as connection:
        assert listing(connection) == ([], None)
        job = QUEUE.enqueue(
            connection, "train", {"depth": 3}, now=NOW, priority=2, timeout=5_000, attempts=7, memory=1 << 40,
            resource_arn="arn:aws:x", user_code=True,
        )  # fmt: skip
    with metadata.reading() as connection:
        record = get(connection, job)
    assert (record.kind, record.payload, record.state, record.created) == ("train", {"depth": 3}, "queued", NOW)
    assert (record.priority, record.timeout, record.most_attempts, record.memory) == (2, 5_000, 7, 1 << 40)
    assert (record.resource_arn, record.user_code, record.attempt, record.progress) == ("arn:aws:x", True, 0, {})
    assert "depth" not in repr(record)


def test_a_token_makes_one_job(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        first = QUEUE.enqueue(connection, "train", {"a": 1, "b": 2}, now=NOW, token="t")
        assert QUEUE.enqueue(connection, "train", {"b": 2, "a": 1}, now=NOW + 1, token="t") == first
        assert QUEUE.enqueue(connection, "tune", {"a": 1}, now=NOW, token="t") != first
        assert QUEUE.enqueue(connection, "train", {}, now=NOW) != QUEUE.enqueue(connection, "train", {}, now=NOW)
        with pytest.raises(Conflict, match="the token 't' was used for another train job already; choose a new token"):
            QUEUE.enqueue(connection, "train", {"a": 2}, now=NOW, token="t")
    with metadata.reading() as connection:
        assert len(listing(connection)[0]) == 4


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"attempts": 0}, {"memory": -1}])
def test_a_limit_below_one_is_refused(metadata: MetadataStore, wrong: dict[str, int]) -> None:
    with (
        metadata.writing() as connection,
        pytest.raises(InvalidInput, match=r"of a train job is less than 1; give more"),
    ):
        QUEUE.enqueue(connection, "train", {}, now=NOW, **wrong)  # type: ignore[arg-type]


def test_a_payload_that_is_no_plain_data_is_refused(metadata: MetadataStore) -> None:
    for wrong in ({"x": object()}, {"x": float("nan")}):
        with metadata.writing() as connection, pytest.raises((TypeError, ValueError)):
            QUEUE.enqueue(connection, "train", wrong, now=NOW)


def test_listing_filters_and_pages(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        ids = [
            QUEUE.enqueue(connection, "train" if n % 2 else "tune", {}, now=NOW, resource_arn=f"a{n}") for n in range(5)
        ]
        ATTEMPTS.claim(connection, ["tune"], owner="w", now=NOW)
        page, position = listing(connection, limit=2)
        rest, end = listing(connection, limit=3, position=position)
        assert [job.id for job in [*page, *rest]] == ids[::-1]
        assert end is None
        assert [job.id for job in listing(connection, kind="train")[0]] == [ids[3], ids[1]]
        assert [job.id for job in listing(connection, state="running")[0]] == [ids[0]]
        assert [job.id for job in listing(connection, resource_arn="a2")[0]] == [ids[2]]


def test_cancelling(metadata: MetadataStore) -> None:
    told: list[tuple[int, str]] = []
    queue = JobQueue(lambda _, record: told.append((record.id, record.state)))
    with metadata.writing() as connection:
        running, queued = (queue.enqueue(connection, "train", {}, now=NOW) for _ in range(2))
        claimed = ATTEMPTS.claim(connection, ["train"], owner="w", now=NOW)
        assert claimed and claimed.id == running
        cancelled = queue.cancel(connection, queued, now=NOW + 5, reason="not wanted")
        assert (cancelled.state, cancelled.ended, cancelled.reason) == ("cancelled", NOW + 5, "not wanted")
        assert queue.cancel(connection, running, now=NOW).state == "stopping"
        assert queue.cancel(connection, running, now=NOW).state == "stopping"
        ATTEMPTS.complete(connection, running, 1, now=NOW)
        assert queue.cancel(connection, running, now=NOW).state == "done", "what has ended stays as it is"
        assert queue.cancel(connection, queued, now=NOW).ended == NOW + 5
        with pytest.raises(NotFound, match="the job 99 does not exist"):
            queue.cancel(connection, 99, now=NOW)
    assert told == [(running, "queued"), (queued, "queued"), (queued, "cancelled"), (running, "stopping")]


def test_the_log_is_read_in_parts(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        job = QUEUE.enqueue(connection, "train", {}, now=NOW)
        ATTEMPTS.claim(connection, ["train"], owner="w", now=NOW)
        ATTEMPTS.log(connection, job, 1, ["a", "b"], now=NOW)
        ATTEMPTS.log(connection, job, 1, ["c"], now=NOW + 1)
        ATTEMPTS.log(connection, job, 2, ["a zombie's"], now=NOW + 1)
    with metadata.reading() as connection:
        lines: list[Any] = log_of(connection, job, start=1)
        assert [(line.line, line.attempt, line.time, line.text) for line in lines] == [
            (1, 1, NOW, "b"),
            (2, 1, NOW + 1, "c"),
        ]
        assert [line.text for line in log_of(connection, job, limit=1)] == ["a"]
