"""Who is asking, and whose keys these are."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import Any

from headrace.server.context import Context
from headrace.server.errors import Denied, InvalidInput
from headrace.server.security.credentials import account_of
from headrace.server.security.secrets import Keyring, SealBroken

_PURPOSE = "authorization messages"


def get_caller_identity(context: Context) -> dict[str, Any]:
    """Tell who signed the request; needs no permission. AWS page: GetCallerIdentity."""
    caller = context.caller
    return {"user_id": caller.user_id, "account": caller.account, "arn": caller.arn}


def get_access_key_info(context: Context, *, access_key_id: str) -> dict[str, Any]:
    """Tell the account of an access key, which its id holds. AWS page: GetAccessKeyInfo."""
    account = account_of(access_key_id)
    if account is None:
        raise InvalidInput(f"Invalid access key id {access_key_id}; pass one that AKIA or ASIA begins")
    return {"account": account}


def decode_authorization_message(context: Context, *, encoded_message: str) -> dict[str, Any]:
    """Return what a refusal's encoded message says of its reasons. AWS page: DecodeAuthorizationMessage."""
    try:
        sealed = base64.urlsafe_b64decode(encoded_message + "=" * (-len(encoded_message) % 4))
        plain = context.platform.keyring.unseal(sealed, purpose=_PURPOSE, context=context.place.account.encode())
    except (SealBroken, binascii.Error, ValueError):
        raise InvalidInput("Message is not valid", code="InvalidAuthorizationMessageException") from None
    return {"decoded_message": zlib.decompress(plain).decode()}


def encode_authorization_message(keyring: Keyring, account: str, explanation: Mapping[str, Any]) -> str:
    """Return the text that `decode_authorization_message` reads; `explanation` is that of security/policy."""
    plain = zlib.compress(json.dumps(explanation, separators=(",", ":")).encode())
    sealed = keyring.seal(plain, purpose=_PURPOSE, context=account.encode())
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def assume_root(
    context: Context,
    *,
    target_principal: str,
    task_policy_arn: dict[str, str],
    duration_seconds: int = 900,
    minimum_session_token_size: int | None = None,
) -> dict[str, Any]:
    """Refuse: there is no organization whose management account could become a member's root. AWS page: AssumeRoot."""
    raise Denied(
        f"User: {context.caller.arn} is not authorized to perform: sts:AssumeRoot on resource: {target_principal}; "
        "this server has one account and no organization",
        code="AccessDenied",
    )
