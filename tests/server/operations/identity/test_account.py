"""The account as a whole: summary, alias, everything that grants, the credential report."""

import csv
import io
import json
from typing import Any
from urllib.parse import unquote

import pytest

from headrace.server.errors import AlreadyExists, NotFound

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"},
    }
)
DOCUMENT = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'


def fill(world: Any) -> None:
    for name in "uvw":
        world.user(name, tags=[{"key": "k", "value": name}])
    world("create_group", group_name="g")
    world("add_user_to_group", group_name="g", user_name="u")
    for name in "rs":
        world("create_role", role_name=name, assume_role_policy_document=TRUST)
    world("create_instance_profile", instance_profile_name="i")
    world("add_role_to_instance_profile", instance_profile_name="i", role_name="r")
    arn = world("create_policy", policy_name="p", policy_document=DOCUMENT)["policy"]["arn"]
    for noun, name in (("user", "u"), ("group", "g"), ("role", "r")):
        world(f"put_{noun}_policy", policy_name="inline", policy_document=DOCUMENT, **{f"{noun}_name": name})
        world(f"attach_{noun}_policy", policy_arn=arn, **{f"{noun}_name": name})
    world("attach_user_policy", user_name="u", policy_arn="arn:aws:iam::aws:policy/IAMFullAccess")


def test_the_summary_counts(world_of_each: Any) -> None:
    fill(world_of_each)
    world_of_each("create_access_key")
    told = world_of_each("get_account_summary")["summary_map"]
    counted = {name: told[name] for name in ("Users", "Groups", "Roles", "Policies", "InstanceProfiles", "MFADevices")}
    assert list(counted.values()) == [3, 1, 2, 1, 1, 0]
    assert (told["AccountAccessKeysPresent"], told["UsersQuota"], told["PolicyVersionsInUse"]) == (1, 5000, 1)


def test_the_alias(world: Any) -> None:
    assert world("list_account_aliases")["account_aliases"] == []
    world("create_account_alias", account_alias="mine")
    with pytest.raises(AlreadyExists):
        world("create_account_alias", account_alias="mine")
    world("create_account_alias", account_alias="ours")
    assert world("list_account_aliases")["account_aliases"] == ["ours"]
    with pytest.raises(NotFound):
        world("delete_account_alias", account_alias="mine")
    world("delete_account_alias", account_alias="ours")
    assert world("list_account_aliases")["account_aliases"] == []


def test_everything_that_grants_is_listed(world_of_each: Any) -> None:
    world = world_of_each
    fill(world)
    whole = world("get_account_authorization_details")
    assert not whole["is_truncated"]
    [first, *others] = whole["user_detail_list"]
    assert (first["user_name"], first["group_list"], len(others)) == ("u", ["g"], 2)
    assert unquote(first["user_policy_list"][0]["policy_document"]) == DOCUMENT
    assert [each["policy_name"] for each in first["attached_managed_policies"]] == ["p", "IAMFullAccess"]
    assert first["tags"] == [{"key": "k", "value": "u"}]
    [group] = whole["group_detail_list"]
    assert [each["policy_name"] for each in group["group_policy_list"]] == ["inline"]
    role = whole["role_detail_list"][0]
    assert [each["instance_profile_name"] for each in role["instance_profile_list"]] == ["i"]
    assert [each["policy_name"] for each in whole["policies"]] == ["p", "IAMFullAccess"]
    assert unquote(whole["policies"][0]["policy_version_list"][0]["document"]) == DOCUMENT
    only = world("get_account_authorization_details", filter=["Role"])
    assert (only["user_detail_list"], len(only["role_detail_list"]), only["policies"]) == ([], 2, [])


@pytest.mark.parametrize("page", [1, 2, 3, 6, 100])
def test_the_listing_is_paged(world: Any, page: int) -> None:
    fill(world)
    names: list[str] = []
    marker: dict[str, str] = {}
    while True:
        answer = world("get_account_authorization_details", max_items=page, **marker)
        for key, name in (("user_detail_list", "user_name"), ("group_detail_list", "group_name"),
                          ("role_detail_list", "role_name"), ("policies", "policy_name")):  # fmt: skip
            names += [each[name] for each in answer[key]]
        if not answer["is_truncated"]:
            break
        marker = {"marker": answer["marker"]}
    assert names == ["u", "v", "w", "g", "r", "s", "p", "IAMFullAccess"]


def test_the_credential_report(world: Any) -> None:
    with pytest.raises(NotFound) as caught:
        world("get_credential_report")
    assert (caught.value.code, caught.value.status) == ("ReportNotPresent", 410)
    world.user("ann")
    world("create_login_profile", user_name="ann", password="Correct-horse-7")
    world("create_access_key", user_name="ann")
    assert world("generate_credential_report")["state"] == "STARTED"
    assert world("generate_credential_report") == {"state": "COMPLETE"}
    report = world("get_credential_report")
    assert report["report_format"] == "text/csv"
    root, ann = csv.DictReader(io.StringIO(report["content"].decode()))
    assert (root["user"], root["access_key_1_active"]) == ("<root_account>", "false")
    assert (ann["user"], ann["password_enabled"], ann["mfa_active"]) == ("ann", "true", "false")
    assert (ann["access_key_1_active"], ann["access_key_2_active"]) == ("true", "false")
    assert ann["access_key_1_last_used_date"] == "N/A"
    world.now += 4 * 3_600_000
    with pytest.raises(NotFound) as caught:
        world("get_credential_report")
    assert caught.value.code == "ReportExpired"
