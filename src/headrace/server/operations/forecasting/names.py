"""Identifiers in the ARNs of Amazon Forecast's newer resources: a name, and what makes it unique for ever."""

from __future__ import annotations

import secrets

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIME, _RANDOM = 10, 16


def unique_identifier(name: str, now: int) -> str:
    """Return a name with a ULID, as ARNs of auto predictors have it: 26 digits of time (ms) and chance."""
    time = "".join(_DIGITS[now >> 5 * place & 31] for place in reversed(range(_TIME)))
    return f"{name}_{time}{''.join(secrets.choice(_DIGITS) for _ in range(_RANDOM))}"


def plain_identifier(identifier: str) -> str:
    """Return an identifier without its ULID, if it has one: exports of "sales_01H…" are "sales/NAME"."""
    name, _, last = identifier.rpartition("_")
    return name if name and len(last) == _TIME + _RANDOM and set(last) <= set(_DIGITS) else identifier
