"""What the account asks of its users' passwords."""

from __future__ import annotations

import string
from typing import Any

from headrace.server import resources
from headrace.server.context import Context
from headrace.server.errors import NotFound
from headrace.server.resources import Resource, Stored

PASSWORD_POLICY = Resource(
    "iam/password-policy", "password policy", "arn:{partition}:iam::{account}:password-policy/{name}", regional=False
)
SYMBOLS = "!@#$%^&*()_+-=[]{}|'"
_NAME = "account"
_DEFAULT_LENGTH = 8


def update_account_password_policy(
    context: Context,
    *,
    minimum_password_length: int = 6,
    require_symbols: bool = False,
    require_numbers: bool = False,
    require_uppercase_characters: bool = False,
    require_lowercase_characters: bool = False,
    allow_users_to_change_password: bool = False,
    max_password_age: int | None = None,
    password_reuse_prevention: int | None = None,
    hard_expiry: bool | None = None,
) -> None:
    """Set the whole policy; what is not given goes back to its default. AWS page: UpdateAccountPasswordPolicy."""
    record = {
        "minimum_password_length": minimum_password_length,
        "require_symbols": require_symbols,
        "require_numbers": require_numbers,
        "require_uppercase_characters": require_uppercase_characters,
        "require_lowercase_characters": require_lowercase_characters,
        "allow_users_to_change_password": allow_users_to_change_password,
        "expire_passwords": bool(max_password_age),
        "max_password_age": max_password_age,
        "password_reuse_prevention": password_reuse_prevention,
        "hard_expiry": hard_expiry,
    }
    held = _held(context)
    if held is None:
        resources.create(context.connection, PASSWORD_POLICY, context.place, _NAME, record, now=context.now)
    else:
        resources.change(context.connection, PASSWORD_POLICY, held, now=context.now, record=record)


def get_account_password_policy(context: Context) -> dict[str, Any]:
    """Return the policy that was set; raises NotFound when none was. AWS page: GetAccountPasswordPolicy."""
    return {"password_policy": _must(context).record}


def delete_account_password_policy(context: Context) -> None:
    """Go back to AWS's default policy. AWS page: DeleteAccountPasswordPolicy."""
    resources.remove(context.connection, _must(context))


def violations(context: Context, password: str) -> str:
    """Return what a password lacks, in words; "" when it may be used.

    Without a policy AWS asks for eight characters of three of the four kinds (AWS page: Default password policy).
    """
    kinds = {
        "lowercase": any(each in string.ascii_lowercase for each in password),
        "uppercase": any(each in string.ascii_uppercase for each in password),
        "number": any(each in string.digits for each in password),
        "symbol": any(each in SYMBOLS for each in password),
    }
    held = _held(context)
    if held is None:
        if len(password) < _DEFAULT_LENGTH:
            return f"it must have at least {_DEFAULT_LENGTH} characters"
        if sum(kinds.values()) < 3:
            return "it must mix three of lowercase letters, uppercase letters, numbers and symbols"
        return ""
    policy = held.record
    required = {
        "lowercase": policy["require_lowercase_characters"],
        "uppercase": policy["require_uppercase_characters"],
        "number": policy["require_numbers"],
        "symbol": policy["require_symbols"],
    }
    if len(password) < policy["minimum_password_length"]:
        return f"it must have at least {policy['minimum_password_length']} characters"
    lacking = [kind for kind, wanted in required.items() if wanted and not kinds[kind]]
    return f"it must have at least one {' and one '.join(lacking)} character" if lacking else ""


def remembered(context: Context) -> int:
    """Return how many earlier passwords a user may not take again."""
    held = _held(context)
    return (held.record["password_reuse_prevention"] or 0) if held else 0


def longest_age(context: Context) -> int:
    """Return after how many days a password must be changed; 0 for never."""
    held = _held(context)
    return (held.record["max_password_age"] or 0) if held else 0


def _held(context: Context) -> Stored | None:
    return resources.find(context.connection, PASSWORD_POLICY, context.place, _NAME)


def _must(context: Context) -> Stored:
    held = _held(context)
    if held is None:
        raise NotFound(f"The Password Policy with domain name {context.place.account} cannot be found.")
    return held
