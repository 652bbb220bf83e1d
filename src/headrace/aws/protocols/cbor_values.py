"""CBOR: bytes to values of a shape and back, with no tag but that of a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

import cbor2

from headrace.aws.protocols.scalars import UnreadableError, epoch, from_epoch, within
from headrace.aws.protocols.trees import Function, TreeFormat, described, same
from headrace.aws.specification import Shape

_DEPTH = 128
_TIME_TAG = 1
_KNOWN_TAGS = (0, 2, 3, 4, 5, 21, 22, 23, 24, 25, 28, 29, 30, 32, 33, 34, 35, 36, 37, 43, 52, 54, 100, 256, 258, 260)
_MORE_TAGS = (261, 1004, 43000, 55799)


def loads(body: bytes) -> Any:
    """Return what a CBOR item says; raises UnreadableError when it is none, nests too deep or repeats a key."""
    try:
        return cbor2.loads(
            body,
            tag_hook=_refuse,
            semantic_decoders=_TAGS,
            max_depth=_DEPTH,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
    except (cbor2.CBORError, ValueError, OverflowError, RecursionError, MemoryError):
        raise UnreadableError("The body is not valid CBOR") from None


def dumps(value: Any) -> bytes:
    """Return a value as CBOR."""
    return cbor2.dumps(value)


def _refuse(*_: Any) -> Any:
    raise cbor2.CBORDecodeError("only times may be tagged")


def _read_time(value: Any, *_: Any) -> datetime:
    if type(value) not in {int, float}:
        raise cbor2.CBORDecodeError("a time must be a number")
    return from_epoch(value)


_TAGS = {**dict.fromkeys(_KNOWN_TAGS + _MORE_TAGS, _refuse), _TIME_TAG: _read_time}


def _exactly(wanted: type) -> Callable[[Shape], Function]:
    def make(shape: Shape) -> Function:
        def read(value: Any) -> Any:
            if type(value) is not wanted:
                raise UnreadableError(f"{described(value)} can not be converted to {shape.kind}")
            return value

        return read

    return make


def _whole(shape: Shape) -> Function:
    kind = shape.kind

    def read(value: Any) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            raise UnreadableError(f"{described(value)} can not be converted to {kind}")
        return within(value, kind)

    return read


def _number(shape: Shape) -> Function:
    def read(value: Any) -> float:
        if type(value) not in {int, float}:
            raise UnreadableError(f"{described(value)} can not be converted to {shape.kind}")
        return float(value)

    return read


def _time(_: Shape) -> Function:
    def read(value: Any) -> datetime:
        if type(value) in {int, float}:
            return from_epoch(value)
        if not isinstance(value, datetime):
            raise UnreadableError(f"{described(value)} can not be converted to a timestamp")
        return value

    return read


def _write_number(value: float) -> float:
    return float(value) if math.isfinite(value) else value


CBOR = TreeFormat(
    readers={
        "string": _exactly(str),
        "character": _exactly(str),
        "boolean": _exactly(bool),
        "integer": _whole,
        "long": _whole,
        "float": _number,
        "double": _number,
        "timestamp": _time,
        "blob": _exactly(bytes),
    },
    writers={
        "float": lambda _: _write_number,
        "double": lambda _: _write_number,
        "timestamp": lambda _: lambda value: cbor2.CBORTag(_TIME_TAG, epoch(value)),
        "blob": lambda _: lambda value: value.encode() if isinstance(value, str) else bytes(value),
        "string": lambda _: same,
    },
)
