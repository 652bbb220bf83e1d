"""JSON: bytes to values of a shape and back, strictly."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from headrace.aws.protocols.scalars import (
    UnreadableError,
    decimal,
    epoch,
    from_epoch,
    read_blob,
    read_time,
    within,
    write_blob,
    write_time,
)
from headrace.aws.protocols.trees import Function, TreeFormat, described, same
from headrace.aws.specification import Shape

_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_ARTICLES = {"string": "a String", "integer": "an Integer", "long": "a Long", "float": "a Float", "double": "a Double"}


def loads(body: bytes) -> Any:
    """Return what a JSON text says; raises UnreadableError when it is none, nests too deep or repeats a key."""
    try:
        text = body.decode("utf-8")
        found = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnreadableError:
        raise
    except UnicodeError:
        raise UnreadableError("The body is not valid UTF-8") from None
    except RecursionError:
        raise UnreadableError("The body nests too deep") from None
    except ValueError as error:
        where = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        raise UnreadableError(f"The body is not valid JSON{where}") from None
    return found


def dumps(value: Any) -> bytes:
    """Return a value as JSON."""
    return _ENCODER.encode(value).encode()


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableError("The body repeats a key")
    return found


def _no_constant(name: str) -> Any:
    raise UnreadableError(f"{name} is not valid JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def _cannot(value: Any, kind: str) -> UnreadableError:
    return UnreadableError(f"{described(value)} can not be converted to {_ARTICLES.get(kind, f'a {kind.title()}')}")


def _exactly(wanted: type) -> Callable[[Shape], Function]:
    def make(shape: Shape) -> Function:
        def read(value: Any) -> Any:
            if type(value) is not wanted:
                raise _cannot(value, shape.kind)
            return value

        return read

    return make


def _whole(shape: Shape) -> Function:
    kind = shape.kind

    def read(value: Any) -> int:
        if type(value) is int:
            return within(value, kind)
        if type(value) is float and value.is_integer():
            return within(int(value), kind)
        raise _cannot(value, kind)

    return read


def _number(shape: Shape) -> Function:
    def read(value: Any) -> float:
        if type(value) is str and value in _SPECIAL:
            return _SPECIAL[value]
        try:
            found = float(value) if type(value) in {int, float} else math.nan
        except OverflowError:
            found = math.inf
        if not math.isfinite(found):
            raise _cannot(value, shape.kind)
        return found

    return read


def _time(shape: Shape) -> Function:
    form = str(shape.traits.get("timestampFormat", "unixtimestamp")).lower()

    def read(value: Any) -> Any:
        if type(value) in {int, float}:
            return from_epoch(value)
        if type(value) is str and form != "unixtimestamp":
            return read_time(value, form)
        raise UnreadableError(f"{described(value)} can not be converted to milliseconds since epoch")

    return read


def _blob(shape: Shape) -> Function:
    def read(value: Any) -> bytes:
        if type(value) is not str:
            raise _cannot(value, shape.kind)
        return read_blob(value)

    return read


def _time_writer(shape: Shape) -> Function:
    form = str(shape.traits.get("timestampFormat", "unixtimestamp")).lower()
    return epoch if form == "unixtimestamp" else lambda value: write_time(value, form)


def _write_number(value: float) -> Any:
    return value if math.isfinite(value) else decimal(value)


JSON = TreeFormat(
    readers={
        "string": _exactly(str),
        "character": _exactly(str),
        "boolean": _exactly(bool),
        "integer": _whole,
        "long": _whole,
        "float": _number,
        "double": _number,
        "timestamp": _time,
        "blob": _blob,
    },
    writers={
        "float": lambda _: _write_number,
        "double": lambda _: _write_number,
        "timestamp": _time_writer,
        "blob": lambda _: write_blob,
        "string": lambda _: same,
    },
)
