"""Numbers, times and bytes as text: in XML, in forms, in headers and in paths."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from headrace.aws.specification import Shape

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,5})?")
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_BOOLEANS = {"true": True, "false": False}
WHOLE_SECONDS = {"iam": "Z", "sts": "Z", "s3": ".000Z"}
"""How times end of those that tell no fractions of seconds."""
LIMITS = {"integer": 2**31, "long": 2**63}


class UnreadableError(ValueError):
    """A value has not the form that its shape asks for; the message is AWS's."""


def text_reader(shape: Shape, times: str = "iso8601") -> Callable[[str], Any]:
    """Return the function that reads a scalar from text; `times` is the format of times that name none."""
    if shape.kind == "timestamp":
        form = str(shape.traits.get("timestampFormat", times)).lower()
        return lambda text: read_time(text, form)
    return _READERS[shape.kind](shape.kind)


def text_writer(shape: Shape, times: str = "iso8601") -> Callable[[Any], str]:
    """Return the function that writes a scalar as text; `times` is the format of times that name none."""
    if shape.kind == "timestamp":
        form = str(shape.traits.get("timestampFormat", times)).lower()
        if form == "iso8601" and shape.service in WHOLE_SECONDS:
            end = WHOLE_SECONDS[shape.service]
            return lambda value: f"{_utc(value):%Y-%m-%dT%H:%M:%S}{end}"
        return lambda value: write_time(value, form)
    return _WRITERS.get(shape.kind, _string)


def read_time(text: str, form: str) -> datetime:
    """Read a time in the format "iso8601", "rfc822" or "unixtimestamp", and in the others where it is plainly one."""
    stripped = text.strip()
    try:
        if form == "unixtimestamp" or _DECIMAL.fullmatch(stripped):
            return from_epoch(float(stripped))
        found = parsedate_to_datetime(stripped) if stripped[:1].isalpha() else datetime.fromisoformat(stripped)
    except (ValueError, TypeError, OverflowError, IndexError):
        raise UnreadableError(f"'{text[:80]}' is not a valid timestamp") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def from_epoch(seconds: float) -> datetime:
    """Return the time so many seconds after 1970, to the millisecond where it is written so."""
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        raise UnreadableError(f"{seconds!r} is not a valid timestamp") from None


def write_time(value: datetime, form: str) -> str:
    """Write a time in the format "iso8601", "rfc822" or "unixtimestamp"."""
    if form == "unixtimestamp":
        return str(epoch(value))
    if form == "rfc822":
        return format_datetime(_utc(value), usegmt=True)
    return _iso(value, "milliseconds" if value.microsecond >= 1000 else "seconds")


def epoch(value: datetime) -> int | float:
    """Return the seconds since 1970, to the millisecond."""
    milliseconds = (_utc(value) - _EPOCH) // timedelta(milliseconds=1)
    return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000


def decimal(value: float) -> str:
    """Write a number as AWS does: the three that are none by name."""
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def read_blob(text: str) -> bytes:
    """Read base64, which may be wrapped in lines."""
    try:
        return base64.b64decode("".join(text.split()) if "\n" in text or " " in text else text, validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableError("Invalid base64 in a blob") from None


def write_blob(value: bytes | str) -> str:
    """Write bytes as base64."""
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def within(value: int, kind: str) -> int:
    """Return a whole number if it fits its kind ("integer" has 32 bits, "long" 64)."""
    if not -LIMITS[kind] <= value < LIMITS[kind]:
        raise UnreadableError(f"{value if abs(value) < 10**20 else 'NUMBER_VALUE'} is out of range of {kind}")
    return value


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _iso(value: datetime, precision: str) -> str:
    return _utc(value).replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _whole(kind: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        stripped = text.strip()
        if not _WHOLE.fullmatch(stripped):
            raise UnreadableError(f"'{text[:80]}' can not be converted to {kind}")
        return within(int(stripped), kind)

    return read


def _number(_: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        stripped = text.strip()
        if stripped in _SPECIAL:
            return _SPECIAL[stripped]
        if not _DECIMAL.fullmatch(stripped) or not math.isfinite(found := float(stripped)):
            raise UnreadableError(f"'{text[:80]}' can not be converted to a number")
        return found

    return read


def _boolean(_: str) -> Callable[[str], bool]:
    def read(text: str) -> bool:
        found = _BOOLEANS.get(text.strip().lower())
        if found is None:
            raise UnreadableError(f"'{text[:80]}' can not be converted to a boolean")
        return found

    return read


def _plain(_: str) -> Callable[[str], str]:
    return lambda text: text


def _string(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


_READERS: dict[str, Callable[[str], Callable[[str], Any]]] = {
    "string": _plain,
    "character": _plain,
    "integer": _whole,
    "long": _whole,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "blob": lambda _: read_blob,
}
_WRITERS: dict[str, Callable[[Any], str]] = {
    "boolean": lambda value: "true" if value else "false",
    "float": lambda value: decimal(float(value)),
    "double": lambda value: decimal(float(value)),
    "blob": write_blob,
}
