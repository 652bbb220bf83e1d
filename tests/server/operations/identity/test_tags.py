"""Tags of every kind of entity that has them."""

import json
from typing import Any

import pytest

from headrace.server.errors import InvalidInput, LimitExceeded, NotFound

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
)
DOCUMENT = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'

MADE = {
    "user": ("create_user", {}, "user_name"),
    "role": ("create_role", {"assume_role_policy_document": TRUST}, "role_name"),
    "policy": ("create_policy", {"policy_document": DOCUMENT}, "policy_arn"),
    "instance_profile": ("create_instance_profile", {}, "instance_profile_name"),
    "mfa_device": ("create_virtual_mfa_device", {}, "serial_number"),
}


def make(world: Any, noun: str) -> dict[str, str]:
    function, parameters, key = MADE[noun]
    name = "virtual_mfa_device_name" if noun == "mfa_device" else f"{noun}_name"
    [made] = world(function, **{name: "x"}, **parameters).values()
    return {key: made.get("arn" if key == "policy_arn" else key)}


@pytest.mark.parametrize("noun", MADE)
def test_tags_are_added_replaced_and_removed(world: Any, noun: str) -> None:
    owner = make(world, noun)
    world(f"tag_{noun}", tags=[{"key": key, "value": "1"} for key in "cab"], **owner)
    world(f"tag_{noun}", tags=[{"key": "A", "value": "2"}], **owner)
    assert world.every(f"list_{noun}_tags", "tags", **owner) == [
        {"key": "A", "value": "2"}, {"key": "b", "value": "1"}, {"key": "c", "value": "1"},
    ]  # fmt: skip
    world(f"untag_{noun}", tag_keys=["B", "none"], **owner)
    assert [each["key"] for each in world(f"list_{noun}_tags", **owner)["tags"]] == ["A", "c"]


def test_bad_tags_are_refused(world: Any) -> None:
    world.user("ann")
    with pytest.raises(InvalidInput, match="Duplicate tag keys found"):
        world("tag_user", user_name="ann", tags=[{"key": "a", "value": "1"}, {"key": "A", "value": "1"}])
    with pytest.raises(InvalidInput, match="aws:"):
        world("tag_user", user_name="ann", tags=[{"key": "aws:x", "value": "1"}])
    with pytest.raises(InvalidInput):
        world("create_user", user_name="bob", tags=[{"key": "aws:x", "value": "1"}])
    with pytest.raises(NotFound):
        world("tag_user", user_name="carl", tags=[{"key": "a", "value": "1"}])
    world("tag_user", user_name="ann", tags=[{"key": f"k{number}", "value": ""} for number in range(50)])
    with pytest.raises(LimitExceeded):
        world("tag_user", user_name="ann", tags=[{"key": "one more", "value": ""}])
    world("tag_user", user_name="ann", tags=[{"key": "k1", "value": "new"}])
