"""Passwords of users: hashed with scrypt, held to the account's password policy."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any

from headrace.server.clock import moment
from headrace.server.context import Context
from headrace.server.errors import AlreadyExists, Denied, InvalidInput, NotFound
from headrace.server.operations.identity.entities import USER, change, get
from headrace.server.operations.identity.password_policy import remembered, violations
from headrace.server.operations.identity.users import own_name
from headrace.server.resources import Stored

_COST = {"n": 2**14, "r": 8, "p": 1}


def create_login_profile(
    context: Context,
    *,
    password: str | None = None,
    user_name: str | None = None,
    password_reset_required: bool = False,
) -> dict[str, Any]:
    """Give a user a password; raises AlreadyExists when it has one. AWS page: CreateLoginProfile."""
    if password is None:
        raise InvalidInput("The password is missing; send the one that the user shall have", code="ValidationError")
    stored = get(context, USER, user_name or own_name(context))
    if stored.record.get("password"):
        raise AlreadyExists(f"Login Profile for user {stored.name} already exists.")
    changed = _set(context, stored, password, password_reset_required)
    return {"login_profile": _answer(changed)}


def get_login_profile(context: Context, *, user_name: str | None = None) -> dict[str, Any]:
    """Tell since when a user has a password. AWS page: GetLoginProfile."""
    return {"login_profile": _answer(_with_password(context, user_name or own_name(context)))}


def update_login_profile(
    context: Context, *, user_name: str, password: str | None = None, password_reset_required: bool | None = None
) -> None:
    """Replace a user's password, or whether it must be changed. AWS page: UpdateLoginProfile."""
    stored = _with_password(context, user_name)
    required = (
        stored.record["password"]["reset_required"] if password_reset_required is None else password_reset_required
    )
    if password is not None:
        _set(context, stored, password, required)
    else:
        change(context, USER, stored, password=stored.record["password"] | {"reset_required": required})


def delete_login_profile(context: Context, *, user_name: str | None = None) -> None:
    """Take a user's password away. AWS page: DeleteLoginProfile."""
    stored = _with_password(context, user_name or own_name(context))
    change(context, USER, stored, password=None)


def change_password(context: Context, *, old_password: str, new_password: str) -> None:
    """Let the calling user replace its own password. AWS page: ChangePassword."""
    if context.caller.kind != "IAMUser":
        raise InvalidInput("Only IAM users can change their own password.", code="InvalidUserType")
    stored = _with_password(context, context.caller.name)
    if not matches(stored, old_password):
        raise Denied("The old password was incorrect.", code="AccessDenied")
    _set(context, stored, new_password, False)


def matches(stored: Stored, password: str) -> bool:
    """Tell whether this is the password of a user."""
    held = stored.record.get("password")
    return held is not None and _same(password, held["hash"])


def _set(context: Context, stored: Stored, password: str, reset_required: bool) -> Stored:
    held = stored.record.get("password") or {}
    broken = violations(context, password)
    if broken:
        raise InvalidInput(
            f"Password does not conform to the account password policy: {broken}", code="PasswordPolicyViolation"
        )
    earlier = [held["hash"], *held["earlier"]] if held else []
    most = remembered(context)
    if any(_same(password, each) for each in earlier[:most]):
        raise InvalidInput(
            f"Password is one of the last {most}, which the account password policy forbids; choose another",
            code="PasswordPolicyViolation",
        )
    value = {
        "hash": _hash(password),
        "created": held.get("created", context.now),
        "changed": context.now,
        "reset_required": reset_required,
        "earlier": earlier[:most],
    }
    return change(context, USER, stored, password=value)


def _with_password(context: Context, user_name: str) -> Stored:
    stored = get(context, USER, user_name)
    if not stored.record.get("password"):
        raise NotFound(f"Login Profile for User {stored.name} cannot be found.")
    return stored


def _reset_required(stored: Stored) -> bool:
    return bool(stored.record["password"]["reset_required"])


def _hash(password: str) -> str:
    salt = os.urandom(16)
    return f"{salt.hex()}${hashlib.scrypt(password.encode(), salt=salt, dklen=32, **_COST).hex()}"


def _same(password: str, hashed: str) -> bool:
    salt, _, expected = hashed.partition("$")
    found = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), dklen=32, **_COST)
    return hmac.compare_digest(found.hex(), expected)


def _answer(stored: Stored) -> dict[str, Any]:
    return {
        "user_name": stored.name,
        "create_date": moment(stored.record["password"]["created"]),
        "password_reset_required": _reset_required(stored),
    }
