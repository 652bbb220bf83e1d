"""Plain JSON data out of records: finite numbers, strings, lists and mappings, nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

LONGEST_LIST = 20_000
LONGEST_TEXT = 2_000
HIDDEN = "(personal: hidden)"


def plain(value: Any) -> Any:
    """Turn `value` into JSON data: NaN and infinities become None, records mappings, long lists are cut.

    NumPy scalars, dates, paths and enumerations are known by what they can do; whatever else there is becomes text.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {_text(_key(k)): plain(v) for k, v in value.items()}
    if hasattr(value, "model_dump"):
        return plain(value.model_dump())
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, AbstractSet):
        return sorted((plain(v) for v in value), key=str)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [plain(v) for v in value[:LONGEST_LIST]]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return _text(str(value))


def _key(key: Any) -> str:
    return str(key.value) if isinstance(key, Enum) else str(key)


def _text(value: str) -> str:
    """Cut very long text and replace lone surrogates, which UTF-8 cannot hold."""
    cut = value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT] + "…"
    return cut.encode("utf-8", "replace").decode("utf-8")


def part(record: Any, name: str, default: Any = None) -> Any:
    """Read a field of a record or a mapping; `default` where it is absent or None."""
    value = record.get(name) if isinstance(record, Mapping) else getattr(record, name, None)
    return default if value is None else value


def rows_of(values: Any, *names: str) -> list[dict[str, Any]]:
    """Keep the fields `names` of each record, plain, with None where one is absent."""
    return [{name: plain(part(value, name)) for name in names} for value in values or ()]


def pairs(values: Any, left: str, right: str) -> list[dict[str, Any]]:
    """Turn a mapping, or a sequence of pairs, into rows of two fields."""
    items: Iterable[Any] = values.items() if isinstance(values, Mapping) else values or ()
    return [{left: plain(a), right: plain(b)} for a, b in items]


def length(values: Any) -> int:
    """How many entries an array or sequence has; 0 for None."""
    return 0 if values is None else len(values)
