"""Groups, their members, and what keeps them from being deleted."""

from typing import Any

import pytest

from headrace.server.errors import AlreadyExists, InUse, LimitExceeded, NotFound


def test_members_join_and_leave(world_of_each: Any) -> None:
    world = world_of_each
    made = world("create_group", group_name="g", path="/p/")["group"]
    assert made["group_id"].startswith("AGPA")
    assert made["arn"] == "arn:aws:iam::111122223333:group/p/g"
    for name in "cab":
        world.user(name)
        world("add_user_to_group", group_name="g", user_name=name)
    world("add_user_to_group", group_name="g", user_name="a")
    assert [each["user_name"] for each in world.every("get_group", "users", group_name="g")] == list("abc")
    world("remove_user_from_group", group_name="g", user_name="b")
    with pytest.raises(NotFound):
        world("remove_user_from_group", group_name="g", user_name="b")
    assert [each["user_name"] for each in world("get_group", group_name="g")["users"]] == ["a", "c"]
    assert world("get_group", group_name="g")["group"] == made


def test_groups_are_listed(world: Any) -> None:
    for name in "bca":
        world("create_group", group_name=name)
    assert [each["group_name"] for each in world.every("list_groups", "groups")] == list("abc")
    world.user("u")
    for name in "ca":
        world("add_user_to_group", group_name=name, user_name="u")
    mine = world.every("list_groups_for_user", "groups", page=1, user_name="u")
    assert [each["group_name"] for each in mine] == ["a", "c"]


def test_a_group_is_renamed_with_its_members(world: Any) -> None:
    world("create_group", group_name="g")
    world.user("u")
    world("add_user_to_group", group_name="g", user_name="u")
    world("update_group", group_name="g", new_group_name="h", new_path="/x/")
    assert [each["user_name"] for each in world("get_group", group_name="h")["users"]] == ["u"]
    with pytest.raises(NotFound, match=r"The group with name g cannot be found\."):
        world("get_group", group_name="g")


def test_a_group_in_use_is_not_deleted(world: Any) -> None:
    world("create_group", group_name="g")
    with pytest.raises(AlreadyExists, match=r"Group with name G already exists\."):
        world("create_group", group_name="G")
    world.user("u")
    world("add_user_to_group", group_name="g", user_name="u")
    with pytest.raises(InUse, match="must remove users from group first"):
        world("delete_group", group_name="g")
    world("remove_user_from_group", group_name="g", user_name="u")
    world("delete_group", group_name="g")


def test_a_user_is_in_ten_groups_at_most(world: Any) -> None:
    world.user("u")
    for number in range(11):
        world("create_group", group_name=f"g{number}")
    for number in range(10):
        world("add_user_to_group", group_name=f"g{number}", user_name="u")
    with pytest.raises(LimitExceeded, match="Cannot exceed quota for GroupsPerUser: 10"):
        world("add_user_to_group", group_name="g10", user_name="u")
    assert len(world("list_groups_for_user", user_name="u")["groups"]) == 10
