"""Access key ids and account ids, as AWS forms them: a key's id tells its account."""

from __future__ import annotations

import base64
import binascii
import secrets

LONG_LIVED = "AKIA"
TEMPORARY = "ASIA"
_RANDOM_BITS = 39


def new_account_id() -> str:
    """Return twelve random digits, the first one not 0."""
    return str(secrets.randbelow(9 * 10**11) + 10**11)


def new_access_key_id(account: str, prefix: str = LONG_LIVED) -> str:
    """Return `prefix` and 16 characters of base32: one bit set, the account in 40 bits, 39 random ones.

    >>> account_of(new_access_key_id("123456789012"))
    '123456789012'
    """
    number = (1 << 40 | int(account)) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return prefix + base64.b32encode(number.to_bytes(10, "big")).decode()


def new_secret() -> str:
    """Return a new secret access key: 40 characters."""
    return base64.b64encode(secrets.token_bytes(30)).decode()


def account_of(access_key_id: str) -> str | None:
    """Return the account that an access key id was made for, or None when it is no such id."""
    try:
        number = int.from_bytes(base64.b32decode(access_key_id[4:]), "big")
    except (binascii.Error, ValueError):
        return None
    account = number >> _RANDOM_BITS & ((1 << 40) - 1)
    well_formed = len(access_key_id) == 20 and access_key_id[:4] in (LONG_LIVED, TEMPORARY) and account < 10**12
    return f"{account:012d}" if well_formed else None
