"""Tags of a resource: their limits and their order."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from headrace.server import resources
from headrace.server.errors import InvalidInput, LimitExceeded
from headrace.server.stores.metadata import MetadataStore

ARN = "arn:aws:demo::111122223333:thing/a"


@pytest.fixture
def connection(metadata: MetadataStore) -> Iterator[Connection]:
    with metadata.writing() as connection:
        yield connection


def test_tags_are_added_replaced_and_removed(connection: Connection) -> None:
    resources.tag(connection, ARN, {"b": "1", "B": "2", "a": ""})
    resources.tag(connection, ARN, {"b": "3"})
    resources.tag(connection, ARN, {})
    assert list(resources.tags_of(connection, ARN).items()) == [("B", "2"), ("a", ""), ("b", "3")]
    resources.untag(connection, ARN, ["a", "absent"])
    resources.untag(connection, ARN, [])
    assert resources.tags_of(connection, ARN) == {"B": "2", "b": "3"}


def test_fifty_are_the_most(connection: Connection) -> None:
    resources.tag(connection, ARN, {f"k{number}": "v" for number in range(49)})
    with pytest.raises(LimitExceeded, match="more than 50 tags"):
        resources.tag(connection, ARN, {"one": "v", "two": "v"})
    resources.tag(connection, ARN, {"one": "v", "k1": "w"})
    assert len(resources.tags_of(connection, ARN)) == 50


@pytest.mark.parametrize("key", ["aws:owner", "AWS:owner", "aWs:"])
def test_keys_that_aws_reserves_are_refused(connection: Connection, key: str) -> None:
    with pytest.raises(InvalidInput, match="is reserved"):
        resources.tag(connection, ARN, {"fine": "v", key: "v"})
    assert resources.tags_of(connection, ARN) == {}


def test_tags_of_several_are_read_at_once(connection: Connection) -> None:
    resources.tag(connection, ARN, {"b": "1", "a": "2"})
    assert resources.tags_of_each(connection, [ARN, "none"]) == {ARN: {"a": "2", "b": "1"}, "none": {}}
