"""Users: names, paths, unique ids, boundaries, and what keeps them from being deleted."""

import re
from threading import Barrier, Thread
from typing import Any

import pytest

from headrace.server.errors import AlreadyExists, InUse, InvalidInput, LimitExceeded, NotFound
from headrace.server.operations.identity import entities

READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def test_a_user_is_made_and_described(world_of_each: Any) -> None:
    world = world_of_each
    made = world(
        "create_user", user_name="Ann", path="/staff/", permissions_boundary=READ, tags=[{"key": "team", "value": "a"}]
    )["user"]
    assert made["arn"] == "arn:aws:iam::111122223333:user/staff/Ann"
    assert re.fullmatch("AIDA[A-Z2-7]{17}", made["user_id"])
    assert made["permissions_boundary"] == {
        "permissions_boundary_type": "Policy", "permissions_boundary_arn": READ,
    }  # fmt: skip
    assert world("get_user", user_name="Ann")["user"] == made
    [listed] = world("list_users")["users"]
    assert listed == {name: value for name, value in made.items() if name not in ("tags", "permissions_boundary")}


def test_get_user_without_a_name_describes_the_caller(world: Any) -> None:
    assert world("get_user")["user"]["arn"] == "arn:aws:iam::111122223333:root"
    world.caller = world.user("ann")
    assert world("get_user")["user"]["user_name"] == "ann"


def test_get_user_without_a_name_needs_a_user(world: Any) -> None:
    from headrace.server.security.credentials import Caller

    arn = "arn:aws:sts::111122223333:assumed-role/r/s"
    world.caller = Caller("AssumedRole", "111122223333", arn, "AROAX:s", "arn:aws:iam::111122223333:role/r")
    with pytest.raises(InvalidInput, match="Must specify userName"):
        world("get_user")


@pytest.mark.parametrize("name", ["ann", "ANN"])
def test_a_name_is_taken_in_any_casing(world_of_each: Any, name: str) -> None:
    world_of_each.user("ann")
    with pytest.raises(AlreadyExists, match=rf"^User with name {name} already exists\.$"):
        world_of_each.user(name)


def test_an_unknown_user_cannot_be_found(world: Any) -> None:
    with pytest.raises(NotFound, match=r"^The user with name bob cannot be found\.$") as caught:
        world("get_user", user_name="bob")
    assert caught.value.status == 404


def test_users_are_listed_by_path_in_pages(world_of_each: Any) -> None:
    world = world_of_each
    for name in ("e", "a", "c", "b", "d"):
        world.user(name, path="/x/")
    world.user("f", path="/y/")
    assert [each["user_name"] for each in world.every("list_users", "users", path_prefix="/x")] == list("abcde")
    assert [each["user_name"] for each in world.every("list_users", "users")] == list("abcdef")
    with pytest.raises(InvalidInput):
        world("list_users", marker="made up")


def test_a_marker_of_another_listing_is_refused(world: Any) -> None:
    for name in "abc":
        world.user(name)
    marker = world("list_users", max_items=1)["marker"]
    with pytest.raises(InvalidInput):
        world("list_roles", marker=marker)


def test_a_renamed_user_keeps_what_it_has(world_of_each: Any) -> None:
    world = world_of_each
    ann = world.user("ann", tags=[{"key": "team", "value": "a"}])
    world("create_group", group_name="g")
    world("add_user_to_group", group_name="g", user_name="ann")
    world("attach_user_policy", user_name="ann", policy_arn=READ)
    key = world("create_access_key", user_name="ann")["access_key"]["access_key_id"]
    world("update_user", user_name="ann", new_user_name="anna", new_path="/p/")
    with pytest.raises(NotFound):
        world("get_user", user_name="ann")
    moved = world("get_user", user_name="anna")["user"]
    assert (moved["arn"], moved["user_id"]) == ("arn:aws:iam::111122223333:user/p/anna", ann.user_id)
    assert moved["tags"] == [{"key": "team", "value": "a"}]
    assert world("list_groups_for_user", user_name="anna")["groups"][0]["group_name"] == "g"
    assert world("list_attached_user_policies", user_name="anna")["attached_policies"][0]["policy_arn"] == READ
    assert world("get_access_key_last_used", access_key_id=key)["user_name"] == "anna"
    world("update_user", user_name="anna", new_user_name="Anna")
    assert world("get_user", user_name="Anna")["user"]["user_id"] == ann.user_id


def test_a_user_is_not_renamed_onto_another(world: Any) -> None:
    world.user("ann")
    world.user("bob")
    with pytest.raises(AlreadyExists):
        world("update_user", user_name="ann", new_user_name="BOB")


def test_what_a_user_has_must_go_first(world: Any) -> None:
    document = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
    world.user("ann")
    key = world("create_access_key", user_name="ann")["access_key"]["access_key_id"]
    world("create_login_profile", user_name="ann", password="Correct-horse1")
    world("attach_user_policy", user_name="ann", policy_arn=READ)
    world("put_user_policy", user_name="ann", policy_name="p", policy_document=document)
    world("create_group", group_name="g")
    world("add_user_to_group", group_name="g", user_name="ann")
    undo = [
        ("must delete access keys first", "delete_access_key", {"access_key_id": key}),
        ("must delete login profile first", "delete_login_profile", {}),
        ("must detach all policies first", "detach_user_policy", {"policy_arn": READ}),
        ("must delete policies first", "delete_user_policy", {"policy_name": "p"}),
        ("must remove users from group first", "remove_user_from_group", {"group_name": "g"}),
    ]
    for reason, function, parameters in undo:
        with pytest.raises(InUse, match=reason):
            world("delete_user", user_name="ann")
        world(function, user_name="ann", **parameters)
    world("delete_user", user_name="ann")
    with pytest.raises(NotFound):
        world("delete_user", user_name="ann")


def test_boundaries_are_set_and_taken_away(world: Any) -> None:
    world.user("ann")
    with pytest.raises(NotFound, match="does not exist or is not attachable"):
        world("put_user_permissions_boundary", user_name="ann", permissions_boundary="arn:aws:iam::aws:policy/Nothing")
    world("put_user_permissions_boundary", user_name="ann", permissions_boundary=READ)
    world("put_user_permissions_boundary", user_name="ann", permissions_boundary=READ.replace("ReadOnly", "PowerUser"))
    assert "PowerUser" in str(world("get_user", user_name="ann"))
    assert "ReadOnly" not in str(world("get_user", user_name="ann"))
    world("delete_user_permissions_boundary", user_name="ann")
    assert "permissions_boundary" not in world("get_user", user_name="ann")["user"]


def test_an_account_has_room_for_so_many(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(entities.QUOTAS, entities.USER.kind, ("Users", 2))
    world.user("a")
    world.user("b")
    with pytest.raises(LimitExceeded, match="Cannot exceed quota for UsersPerAccount: 2") as caught:
        world.user("c")
    assert caught.value.status == 409


def test_of_two_who_want_a_name_one_gets_it(world_of_each: Any) -> None:
    start = Barrier(8)
    outcomes: list[str] = []

    def make() -> None:
        start.wait(10)
        try:
            world_of_each("create_user", user_name="wanted")
            outcomes.append("made")
        except AlreadyExists:
            outcomes.append("taken")

    threads = [Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["made"] + ["taken"] * 7
    assert len(world_of_each("list_users")["users"]) == 1
