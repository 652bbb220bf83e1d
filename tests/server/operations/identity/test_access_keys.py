"""Access keys: two each, told once, made inactive, deleted."""

from dataclasses import replace
from typing import Any

import pytest

from headrace.server.errors import LimitExceeded, NotFound
from headrace.server.operations.identity import last_use
from headrace.server.security.credentials import find_key


def opened(world: Any, key: Any) -> Any:
    with world.metadata.reading() as connection:
        return find_key(connection, world.keyring, key["access_key_id"])


def test_a_key_works_until_it_is_inactive_or_deleted(world_of_each: Any) -> None:
    world = world_of_each
    ann = world.user("ann", path="/p/")
    key = world("create_access_key", user_name="ann")["access_key"]
    assert len(key["secret_access_key"]) == 40
    found = opened(world, key)
    assert (found.secret, found.active) == (key["secret_access_key"], True)
    assert (found.caller.arn, found.caller.user_id, found.caller.kind) == (ann.arn, ann.user_id, "IAMUser")
    world("update_access_key", user_name="ann", access_key_id=key["access_key_id"], status="Inactive")
    assert not opened(world, key).active
    [listed] = world("list_access_keys", user_name="ann")["access_key_metadata"]
    assert listed["status"] == "Inactive"
    assert "secret_access_key" not in listed
    world("delete_access_key", user_name="ann", access_key_id=key["access_key_id"])
    assert opened(world, key) is None


def test_a_user_has_two_keys_at_most(world: Any) -> None:
    world.user("ann")
    for _ in range(2):
        world("create_access_key", user_name="ann")
    with pytest.raises(LimitExceeded, match="Cannot exceed quota for AccessKeysPerUser: 2"):
        world("create_access_key", user_name="ann")
    assert len(world.every("list_access_keys", "access_key_metadata", page=1, user_name="ann")) == 2


def test_a_key_of_someone_else_cannot_be_found(world: Any) -> None:
    world.user("bob")
    world.caller = world.user("ann")
    key = world("create_access_key")["access_key"]
    assert key["user_name"] == "ann"
    for function, parameters in (("update_access_key", {"status": "Inactive"}), ("delete_access_key", {})):
        with pytest.raises(NotFound, match=rf"The Access Key with id {key['access_key_id']} cannot be found\."):
            world(function, user_name="bob", access_key_id=key["access_key_id"], **parameters)
    world("update_access_key", access_key_id=key["access_key_id"], status="Inactive")


def test_root_has_keys_too(world: Any) -> None:
    key = world("create_access_key")["access_key"]
    assert opened(world, key).caller.kind == "Root"
    assert len(world("list_access_keys")["access_key_metadata"]) == 1
    world("delete_access_key", access_key_id=key["access_key_id"])


def test_the_last_use_is_told(world: Any) -> None:
    world.user("ann")
    key = world("create_access_key", user_name="ann")["access_key"]["access_key_id"]
    never = world("get_access_key_last_used", access_key_id=key)
    assert never == {"user_name": "ann", "access_key_last_used": {"service_name": "N/A", "region": "N/A"}}
    last_use.note(world.metadata, replace(world.caller, access_key_id=key), "s3", "us-east-1", world.now)
    used = world("get_access_key_last_used", access_key_id=key)["access_key_last_used"]
    assert (used["service_name"], used["region"]) == ("s3", "us-east-1")
    assert used["last_used_date"].timestamp() * 1000 == world.now
    with pytest.raises(NotFound):
        world("get_access_key_last_used", access_key_id="AKIAUNKNOWN000000000")
