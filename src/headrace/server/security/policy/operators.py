"""Condition operators: what each compares, and how the values of policies and requests are read."""

from __future__ import annotations

import base64
import binascii
import operator
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from headrace.server.security.policy.patterns import Context, Patterns

Test = Callable[[str, Context], bool]
"""Tells whether one value of the request equals (or is near to, as the operator says) one of the policy's."""

_NUMBER = re.compile(r"[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,3})?")
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[Tt](\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|z|[+-]\d\d(?::?\d\d)?)?)?)?)?"
)


def number(text: str) -> int | float | None:
    """Return the number that a text is, or None."""
    if not _NUMBER.fullmatch(text):
        return None
    return int(text) if text.lstrip("+-").isdigit() else float(text)


@lru_cache(1024)
def date(text: str) -> float | None:
    """Return the seconds since 1970 of a text that is such seconds, or a date in ISO 8601 (W3C; UTC without a zone)."""
    match = _DATE.fullmatch(text)
    if match is None or (text.isdigit() and len(text) > 4):
        seconds = number(text)
        return float(seconds) if seconds is not None and abs(seconds) < 2**63 else None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0))
        if zone and zone not in "Zz":
            moment = datetime.fromisoformat(moment.isoformat() + zone)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() + float(f"0.{fraction or 0}")
    except (ValueError, OverflowError):
        return None


def binary(text: str) -> bytes | None:
    """Return the bytes that a Base64 text stands for, or None."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


@lru_cache(1024)
def network(text: str) -> IPv4Network | IPv6Network | None:
    """Return the network of an address or CIDR range, or None."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


@lru_cache(4096)
def _inside(value: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        address = ip_address(value)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return any(mapped in each for each in networks)


def _texts(values: Sequence[str], variables: bool, **how: bool) -> Test:
    return Patterns(values, variables=variables, **how).match


def _ordered(
    read: Callable[[str], Any], compare: Callable[[Any, Any], bool], values: Sequence[str], _variables: bool
) -> Test:
    wanted = [each for each in map(read, values) if each is not None]

    def test(value: str, _context: Context) -> bool:
        given = read(value)
        return given is not None and any(compare(given, each) for each in wanted)

    return test


def _addresses(values: Sequence[str], _variables: bool) -> Test:
    networks = tuple(each for each in map(network, values) if each is not None)
    return lambda value, _context: _inside(value, networks)


def _truths(values: Sequence[str], _variables: bool) -> Test:
    wanted = frozenset(value.lower() for value in values)
    return lambda value, _context: value.lower() in wanted


_COMPARISONS = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_strings = partial(_texts, wildcards=False)
_arns = partial(_texts, segmented=True)

OPERATORS: dict[str, tuple[Callable[[Sequence[str], bool], Test], bool]] = {
    "StringEquals": (_strings, False),
    "StringNotEquals": (_strings, True),
    "StringEqualsIgnoreCase": (partial(_strings, fold=True), False),
    "StringNotEqualsIgnoreCase": (partial(_strings, fold=True), True),
    "StringLike": (_texts, False),
    "StringNotLike": (_texts, True),
    **{f"Numeric{name}": (partial(_ordered, number, compare), False) for name, compare in _COMPARISONS.items()},
    "NumericNotEquals": (partial(_ordered, number, operator.eq), True),
    **{f"Date{name}": (partial(_ordered, date, compare), False) for name, compare in _COMPARISONS.items()},
    "DateNotEquals": (partial(_ordered, date, operator.eq), True),
    "Bool": (_truths, False),
    "BinaryEquals": (partial(_ordered, binary, operator.eq), False),
    "IpAddress": (_addresses, False),
    "NotIpAddress": (_addresses, True),
    "ArnEquals": (_arns, False),
    "ArnLike": (_arns, False),
    "ArnNotEquals": (_arns, True),
    "ArnNotLike": (_arns, True),
}
"""By name: what makes the test of the policy's values (and whether these may hold variables), and if it is negated."""
