"""Passwords and the account's password policy."""

from typing import Any

import pytest

from headrace.server.errors import AlreadyExists, Denied, InvalidInput, NotFound
from headrace.server.operations.identity.passwords import matches
from headrace.server.resources import by_arn

GOOD = "Correct-horse-7"


def stored(world: Any, arn: str) -> Any:
    with world.metadata.reading() as connection:
        return by_arn(connection, arn)


def test_a_password_is_set_changed_and_deleted(world: Any) -> None:
    ann = world.user("ann")
    made = world("create_login_profile", user_name="ann", password=GOOD, password_reset_required=True)
    assert made["login_profile"]["password_reset_required"] is True
    with pytest.raises(AlreadyExists, match=r"Login Profile for user ann already exists\."):
        world("create_login_profile", user_name="ann", password=GOOD)
    assert matches(stored(world, ann.arn), GOOD)
    assert not matches(stored(world, ann.arn), GOOD + "x")
    assert GOOD not in str(stored(world, ann.arn).record)
    world("update_login_profile", user_name="ann", password=GOOD + "8", password_reset_required=False)
    assert matches(stored(world, ann.arn), GOOD + "8")
    assert world("get_login_profile", user_name="ann")["login_profile"]["password_reset_required"] is False
    world("delete_login_profile", user_name="ann")
    for function in ("get_login_profile", "delete_login_profile"):
        with pytest.raises(NotFound, match=r"Login Profile for User ann cannot be found\."):
            world(function, user_name="ann")


def test_a_user_changes_its_own_password(world: Any) -> None:
    ann = world.user("ann")
    world("create_login_profile", user_name="ann", password=GOOD)
    with pytest.raises(InvalidInput) as caught:
        world("change_password", old_password=GOOD, new_password=GOOD + "8")
    assert caught.value.code == "InvalidUserType"
    world.caller = ann
    with pytest.raises(Denied, match=r"The old password was incorrect\."):
        world("change_password", old_password="wrong", new_password=GOOD + "8")
    world("change_password", old_password=GOOD, new_password=GOOD + "8")
    assert matches(stored(world, ann.arn), GOOD + "8")


@pytest.mark.parametrize("password", ["Sh0rt!", "onlylowercase", "lower7and8digits"])
def test_without_a_policy_passwords_mix_three_kinds(world: Any, password: str) -> None:
    world.user("ann")
    with pytest.raises(InvalidInput) as caught:
        world("create_login_profile", user_name="ann", password=password)
    assert caught.value.code == "PasswordPolicyViolation"
    assert password not in str(caught.value)


def test_the_policy_is_kept_and_applied(world: Any) -> None:
    with pytest.raises(NotFound, match=r"The Password Policy with domain name 111122223333 cannot be found\."):
        world("get_account_password_policy")
    world(
        "update_account_password_policy", minimum_password_length=10, require_symbols=True, require_numbers=True,
        require_uppercase_characters=True, require_lowercase_characters=True, max_password_age=90,
        password_reuse_prevention=2,
    )  # fmt: skip
    told = world("get_account_password_policy")["password_policy"]
    assert (told["minimum_password_length"], told["expire_passwords"], told["max_password_age"]) == (10, True, 90)
    world.user("ann")
    for wrong in ("Sh0rt-pass"[:-1], "no-uppercase-7", "NO-LOWERCASE-7", "No-number-here", "No7symbol7here"):
        with pytest.raises(InvalidInput, match="Password does not conform to the account password policy"):
            world("create_login_profile", user_name="ann", password=wrong)
    world("create_login_profile", user_name="ann", password=GOOD)
    world("update_login_profile", user_name="ann", password=GOOD + "a")
    for used in (GOOD, GOOD + "a"):
        with pytest.raises(InvalidInput, match="one of the last 2"):
            world("update_login_profile", user_name="ann", password=used)
    world("update_login_profile", user_name="ann", password=GOOD + "b")
    world("update_login_profile", user_name="ann", password=GOOD)
    world("update_account_password_policy")
    assert world("get_account_password_policy")["password_policy"]["minimum_password_length"] == 6
    world("delete_account_password_policy")
    with pytest.raises(NotFound):
        world("delete_account_password_policy")
