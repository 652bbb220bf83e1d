"""Finds the key that a request names, and refuses it where it may not be used."""

from __future__ import annotations

from collections.abc import Callable

from headrace.aws.signature.refusals import S3, Dialect, Fault
from headrace.server.security.credentials import AccessKey

FindKey = Callable[[str, str | None], AccessKey | None]
"""Returns the key of an access key id and session token; None when there is none, or the token is not its own."""


def known_key(access_key_id: str, token: str | None, dialect: Dialect, find_key: FindKey, now: int) -> AccessKey:
    """Return the key of an id and session token; raises Unauthenticated when it is unknown, inactive or expired."""
    key = find_key(access_key_id, token)
    if key is None and token is not None:
        raise dialect.refusal(
            Fault.BAD_TOKEN,
            "The provided token is malformed or otherwise invalid."
            if dialect is S3
            else "The security token included in the request is invalid.",
        )
    if key is None or not key.active:
        raise dialect.refusal(
            Fault.UNKNOWN_KEY,
            "The AWS Access Key Id you provided does not exist in our records."
            if dialect is S3
            else "The security token included in the request is invalid.",
        )
    if 0 < key.caller.session_expires <= now:
        raise dialect.refusal(
            Fault.EXPIRED_TOKEN,
            "The provided token has expired."
            if dialect is S3
            else "The security token included in the request is expired",
        )
    return key
