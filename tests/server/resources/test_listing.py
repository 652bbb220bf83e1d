"""Listings: order, pages under change, and the filters that AWS's List operations share."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from headrace.server import resources
from headrace.server.clock import moment
from headrace.server.errors import InvalidInput
from headrace.server.resources import Place, Resource
from headrace.server.stores.metadata import MetadataStore

MODEL = Resource(
    "demo/model", "model", "arn:{partition}:demo:{region}:{account}:model/{name}", states={"New": ("Old",), "Old": ()}
)
HERE = Place("111122223333", "eu-central-1")


@pytest.fixture
def connection(metadata: MetadataStore) -> Iterator[Connection]:
    with metadata.writing() as connection:
        yield connection


def make(connection: Connection, name: str, now: int = 1, **record: Any) -> resources.Stored:
    return resources.create(connection, MODEL, HERE, name, record, now=now)


def names(page: resources.Page) -> list[str]:
    return [each.name for each in page.items]


@pytest.mark.parametrize("order", ["name", "created", "modified", "state"])
@pytest.mark.parametrize("descending", [False, True])
def test_pages_hold_everything_once_in_order(connection: Connection, order: str, descending: bool) -> None:
    for number in range(11):
        stored = make(connection, f"m{number * 7 % 11:02}", now=number // 3)
        if number % 2:
            resources.change(connection, MODEL, stored, now=20 - number // 3, state="Old")
    resources.create(connection, MODEL, Place(HERE.account, "us-east-1"), "elsewhere", {}, now=1)
    found: list[resources.Stored] = []
    position = None
    while True:
        page = resources.listing(
            connection, MODEL, HERE, order=order, descending=descending, limit=4, position=position
        )
        found += page.items
        position = page.position
        if position is None:
            break
    assert sorted(each.name for each in found) == [f"m{number:02}" for number in range(11)]
    keys = [getattr(each, order) for each in found]
    assert keys == sorted(keys, reverse=descending)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 99)), max_size=12), st.integers(1, 4))
def test_what_stays_is_listed_once_whatever_comes_and_goes(
    connection: Connection, steps: list[tuple[bool, int]], limit: int
) -> None:
    with connection.begin_nested() as undone:
        staying = {f"{number:02}-stays" for number in range(0, 100, 10)}
        for name in sorted(staying):
            make(connection, name)
        seen: list[str] = []
        position, pending = None, iter(steps)
        while True:
            page = resources.listing(connection, MODEL, HERE, limit=limit, position=position)
            seen += names(page)
            position = page.position
            if position is None:
                break
            added, number = next(pending, (True, None))
            present = resources.find(connection, MODEL, HERE, f"{number:02}-moves") if number is not None else None
            if present is not None and not added:
                resources.remove(connection, present)
            elif present is None and number is not None:
                make(connection, f"{number:02}-moves")
        assert len(seen) == len(set(seen))
        assert staying <= set(seen)
        assert seen == sorted(seen)
        undone.rollback()


def test_a_page_goes_on_when_its_last_resource_is_deleted(connection: Connection) -> None:
    for name in "abcd":
        make(connection, name)
    page = resources.listing(connection, MODEL, HERE, limit=2)
    resources.remove(connection, page.items[-1])
    assert names(resources.listing(connection, MODEL, HERE, limit=2, position=page.position)) == ["c", "d"]


@pytest.mark.parametrize("position", [["created", False, 1, 1], ["name", True, "a", 1], ["a", 1], []])
def test_a_position_of_another_listing_is_refused(connection: Connection, position: list[Any]) -> None:
    with pytest.raises(InvalidInput, match="first page"):
        resources.listing(connection, MODEL, HERE, position=position)


def test_the_shared_parameters_of_list_operations_filter_and_sort(connection: Connection) -> None:
    for number, name in enumerate(["apple_1", "banana", "Apple-2", "50%", "cherry"]):
        make(connection, name, now=1000 * number)
    resources.change(connection, MODEL, resources.get(connection, MODEL, HERE, "banana"), now=9000, state="Old")

    def found(**asked: Any) -> list[str]:
        return names(resources.search(connection, MODEL, HERE, asked))

    assert found() == ["apple_1", "banana", "Apple-2", "50%", "cherry"]
    assert found(name_contains="pple") == ["apple_1", "Apple-2"]
    assert found(name_contains="Apple") == ["Apple-2"]
    assert found(name_contains="%") == ["50%"]
    assert found(name_contains="_") == ["apple_1"]
    assert found(creation_time_after=moment(1000), creation_time_before=moment(4000)) == ["Apple-2", "50%"]
    assert found(last_modified_time_after=moment(4000)) == ["banana"]
    assert found(last_modified_time_before=moment(2000)) == ["apple_1"]
    assert found(status_equals="Old") == ["banana"]
    assert found(sort_by="Name", sort_order="Descending", max_results=2) == ["cherry", "banana"]
    assert found(sort_by="LastModifiedTime", sort_order="Descending")[0] == "banana"
    assert found(sort_by="Status", status_equals=None, next_token="ignored") == [
        "apple_1", "Apple-2", "50%", "cherry", "banana",
    ]  # fmt: skip
    with pytest.raises(InvalidInput, match="SortBy"):
        found(sort_by="Colour")


def test_members_of_the_record_are_conditions(connection: Connection) -> None:
    make(connection, "a", region="us-east-1")
    make(connection, "b", region="eu-central-1", **{"odd \"key'": "x"})
    make(connection, "c")
    where = [resources.member("region") == "us-east-1"]
    assert names(resources.listing(connection, MODEL, HERE, where=where)) == ["a"]
    where = [resources.member("region").is_(None)]
    assert names(resources.listing(connection, MODEL, HERE, where=where)) == ["c"]
