"""Resources under the rules of their kind, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, func, select

from headrace.server import resources
from headrace.server.errors import AlreadyExists, Conflict, InUse, NotFound
from headrace.server.resources import Place, Resource, request_digest
from headrace.server.stores.metadata import MetadataStore
from headrace.server.stores.metadata.tables.resources import TAGS

JOB = Resource(
    "demo/job",
    "job",
    "arn:{partition}:demo:{region}:{account}:job/{name}",
    states={"Queued": ("Running", "Stopped"), "Running": ("Done", "Failed"), "Done": (), "Failed": ("Queued",)},
    lasting=frozenset({"Running"}),
    mismatch="IdempotencyParameterMismatchException",
)
GROUP = Resource("demo/group", "group", "arn:{partition}:demo::{account}:group{path}{name}", regional=False)
MEMBER = Resource("demo/member", "member", "arn:{partition}:demo::{account}:member/{group}/{name}", regional=False)
HERE = Place("111122223333", "eu-central-1")


@pytest.fixture
def connection(metadata: MetadataStore) -> Iterator[Connection]:
    with metadata.writing() as connection:
        yield connection


class TestResources:
    def test_one_is_found_by_name_and_arn_as_it_was_created(self, connection: Connection) -> None:
        made = resources.create(
            connection, GROUP, HERE, "ü", {"path": "/a/", "n": [1, {"x": None}]}, now=5, policy="{}", tags={"k": "v"}
        )
        assert made.arn == "arn:aws:demo::111122223333:group/a/ü"
        assert (made.region, made.created, made.modified, made.version, made.policy) == ("", 5, 5, 1, "{}")
        assert resources.get(connection, GROUP, HERE, "ü") == made == resources.by_arn(connection, made.arn)
        assert resources.tags_of(connection, made.arn) == {"k": "v"}

    def test_a_name_is_unique_in_its_account_region_and_kind(self, connection: Connection) -> None:
        resources.create(connection, JOB, HERE, "a", {}, now=1)
        resources.create(connection, JOB, Place(HERE.account, "us-east-1"), "a", {}, now=1)
        resources.create(connection, JOB, Place("999999999999", HERE.region), "a", {}, now=1)
        with pytest.raises(AlreadyExists, match="the job 'a' exists already"):
            resources.create(connection, JOB, HERE, "a", {}, now=1)
        resources.create(connection, GROUP, HERE, "a", {"path": "/"}, now=1)
        with pytest.raises(AlreadyExists):
            resources.create(connection, GROUP, Place(HERE.account, "us-east-1"), "a", {"path": "/b/"}, now=1)
        resources.create(connection, JOB, HERE, "b", {}, now=1)

    def test_a_record_cannot_forge_the_place_in_an_arn(self, connection: Connection) -> None:
        made = resources.create(connection, JOB, HERE, "a", {"account": "999999999999", "name": "b"}, now=1)
        assert made.arn == "arn:aws:demo:eu-central-1:111122223333:job/a"

    def test_what_is_absent_is_named(self, connection: Connection) -> None:
        assert resources.find(connection, JOB, HERE, "a") is None
        assert resources.by_arn(connection, "arn:aws:demo::1:job/a") is None
        with pytest.raises(NotFound, match="the job 'a' does not exist in account 111122223333"):
            resources.get(connection, JOB, HERE, "a")

    def test_states_follow_their_order(self, connection: Connection) -> None:
        job = resources.create(connection, JOB, HERE, "a", {}, now=1)
        assert job.state == "Queued"
        with pytest.raises(InUse, match="is Queued and can't become Done now"):
            resources.change(connection, JOB, job, now=2, state="Done")
        job = resources.change(connection, JOB, job, now=2, state="Running")
        job = resources.change(connection, JOB, job, now=3, state="Running", record={"progress": 1})
        job = resources.change(connection, JOB, job, now=4, state="Failed")
        job = resources.change(connection, JOB, job, now=5, state="Queued", policy="{}")
        assert job == resources.get(connection, JOB, HERE, "a")
        assert (job.version, job.created, job.modified, job.record, job.policy) == (5, 1, 5, {"progress": 1}, "{}")
        assert resources.change(connection, JOB, job, now=6, policy=None).policy is None

    def test_a_change_of_what_changed_meanwhile_is_refused(self, connection: Connection) -> None:
        job = resources.create(connection, JOB, HERE, "a", {}, now=1)
        resources.change(connection, JOB, job, now=2, record={"n": 1})
        with pytest.raises(Conflict, match="changed by another request"):
            resources.change(connection, JOB, job, now=3, record={"n": 2})
        with pytest.raises(Conflict, match="changed by another request"):
            resources.remove(connection, job)
        assert resources.get(connection, JOB, HERE, "a").record == {"n": 1}

    def test_a_parent_stays_while_it_has_children(self, connection: Connection) -> None:
        group = resources.create(connection, GROUP, HERE, "g", {"path": "/"}, now=1)
        other = resources.create(connection, GROUP, HERE, "h", {"path": "/"}, now=1)
        child = resources.create(connection, MEMBER, HERE, "m", {"group": "g"}, now=1, parent=group.arn)
        resources.create(connection, MEMBER, HERE, "m", {"group": "h"}, now=1, parent=other.arn)
        assert resources.find(connection, MEMBER, HERE, "m") is None
        assert resources.get(connection, MEMBER, HERE, "m", parent=group.arn) == child
        page = resources.listing(connection, MEMBER, HERE, parent=group.arn)
        assert [each.arn for each in page.items] == [child.arn]
        with pytest.raises(InUse, match=f"first: {child.arn}"):
            resources.remove(connection, group)
        resources.remove(connection, child)
        resources.remove(connection, group)
        assert resources.find(connection, GROUP, HERE, "g") is None

    def test_deletion_takes_the_tags_and_waits_for_lasting_states(self, connection: Connection) -> None:
        job = resources.create(connection, JOB, HERE, "a", {}, now=1, tags={"k": "v"})
        job = resources.change(connection, JOB, job, now=2, state="Running")
        with pytest.raises(InUse, match="is Running and can't be deleted now"):
            resources.remove(connection, job, JOB)
        resources.remove(connection, resources.change(connection, JOB, job, now=3, state="Done"), JOB)
        assert connection.execute(select(func.count()).select_from(TAGS)).scalar_one() == 0
        assert resources.create(connection, JOB, HERE, "a", {}, now=4).state == "Queued"


class TestIdempotency:
    def test_the_same_request_with_the_same_token_has_the_same_answer(self, connection: Connection) -> None:
        digest = request_digest({"a": 1, "b": [2]})
        first = resources.create(connection, JOB, HERE, "a1", {}, now=1, token="t", token_digest=digest)
        changed = resources.change(connection, JOB, first, now=2, state="Running")
        again = request_digest({"b": [2], "a": 1})
        second = resources.create(connection, JOB, HERE, "a2", {}, now=3, token="t", token_digest=again)
        assert second == changed

    def test_another_request_with_the_same_token_is_refused(self, connection: Connection) -> None:
        resources.create(connection, JOB, HERE, "a", {}, now=1, token="t", token_digest=request_digest({"a": 1}))
        with pytest.raises(Conflict, match="with other parameters") as raised:
            resources.create(connection, JOB, HERE, "b", {}, now=1, token="t", token_digest=request_digest({"a": 2}))
        assert raised.value.code == "IdempotencyParameterMismatchException"

    def test_tokens_are_apart_by_kind_account_and_region(self, connection: Connection) -> None:
        arns = {
            resources.create(connection, kind, place, "a", {"path": "/"}, now=1, token="t", token_digest="x").arn
            for kind, place in [
                (JOB, HERE),
                (GROUP, HERE),
                (JOB, Place(HERE.account, "us-east-1")),
                (JOB, Place("999999999999", HERE.region)),
            ]
        }
        assert len(arns) == 4

    def test_a_new_token_for_a_name_that_is_taken_is_refused(self, connection: Connection) -> None:
        resources.create(connection, JOB, HERE, "a", {}, now=1, token="t", token_digest="x")
        with pytest.raises(AlreadyExists):
            resources.create(connection, JOB, HERE, "a", {}, now=1, token="u", token_digest="x")

    def test_a_token_is_free_again_once_its_resource_is_gone(self, connection: Connection) -> None:
        made = resources.create(connection, JOB, HERE, "a", {}, now=1, token="t", token_digest="x")
        resources.remove(connection, made)
        assert resources.create(connection, JOB, HERE, "b", {}, now=1, token="t", token_digest="y").name == "b"

    def test_repetitions_at_the_same_moment_make_one(self, metadata: MetadataStore) -> None:
        def make(number: int) -> str:
            with metadata.writing() as connection:
                return resources.create(connection, JOB, HERE, f"a{number}", {}, now=1, token="t", token_digest="x").arn

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(make, range(8)))) == 1


def test_changes_of_many_threads_are_each_applied_or_refused(metadata: MetadataStore) -> None:
    with metadata.writing() as connection:
        resources.create(connection, GROUP, HERE, "g", {"path": "/", "n": 0}, now=1)

    def add(_: int) -> int:
        with metadata.reading() as connection:
            stored = resources.get(connection, GROUP, HERE, "g")
        try:
            with metadata.writing() as connection:
                resources.change(
                    connection, GROUP, stored, now=2, record={**stored.record, "n": stored.record["n"] + 1}
                )
        except Conflict:
            return 0
        return 1

    with ThreadPoolExecutor(6) as pool:
        applied = sum(pool.map(add, range(30)))
    with metadata.reading() as connection:
        assert resources.get(connection, GROUP, HERE, "g").record["n"] == applied > 0
