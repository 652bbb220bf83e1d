"""Comparisons of a property's values with the text of a filter; source: AWS, "Filter"."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from headrace.server.errors import InvalidInput
from headrace.server.operations.lineage.search.properties import plain

ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
OF_TEXT = ("Contains", "In")
NUMERIC_TEXT = ("hyperparameters", "parameters")
"""Maps of users whose texts count as numbers where they are some."""

_NUMBERS = ("metrics",)
_TEXTS = ("tags", "customermetadataproperties", "environment")
_TEXT_ENDINGS = ("name", "arn", "status", "uri", "description", "reason")


def check_filter(name: str, wanted: str, text: str | None) -> None:
    """Raise InvalidInput, in a sentence, where an operator doesn't go with a property or a text is no value of it."""
    if wanted in ("Exists", "NotExists"):
        return
    if text is None:
        raise InvalidInput(f"The filter on {name} with the operator {wanted} needs a Value; give one")
    kind = _kind(name)
    if wanted in ORDERED and kind == "text":
        raise InvalidInput(f"The operator {wanted} is not supported for the text property {name}; use Equals or In")
    if wanted in OF_TEXT and kind in ("number", "time"):
        raise InvalidInput(f"The operator {wanted} is only supported for text properties, and {name} is a {kind}")
    if kind == "time":
        read_time(name, text)
    elif kind == "number" or (wanted in ORDERED and plain(name.partition(".")[0]) in NUMERIC_TEXT):
        read_number(name, text)


def compare(name: str, wanted: str, found: Sequence[Any], text: str) -> bool:
    """Tell whether any of the values that a property has satisfies a filter; NotEquals wants all of them to."""
    if wanted == "Exists":
        return bool(found)
    if wanted == "NotExists":
        return not found
    if wanted == "NotEquals":
        return not any(_equal(name, each, text) for each in found)
    if wanted in ORDERED:
        return any(_ordered(name, wanted, each, text) for each in found)
    if wanted == "Equals":
        return any(_equal(name, each, text) for each in found)
    texts = [each for each in found if isinstance(each, str)]
    if found and not texts:
        raise InvalidInput(f"The operator {wanted} is only supported for text properties, and {name} is none")
    if wanted == "Contains":
        return any(text in each for each in texts)
    allowed = {each.strip() for each in text.split(",")}
    return any(each in allowed for each in texts)


def read_number(name: str, text: str) -> float:
    """Return the number of a filter's text; raises InvalidInput."""
    number = finite(text)
    if number is None:
        raise InvalidInput(f"The Value {text!r} of the filter on {name} must be an integer or a decimal number")
    return number


def read_time(name: str, text: str) -> datetime:
    """Return the time of a filter's text, which is UTC unless it says otherwise; raises InvalidInput."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"The Value {text!r} of the filter on {name} must be a time like 2026-01-31T12:00:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def finite(text: str) -> float | None:
    """Return the number that a text is, or None."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _kind(name: str) -> str:
    first, _, rest = name.partition(".")
    if plain(first) in _NUMBERS:
        return "number"
    if plain(first) in _TEXTS:
        return "text"
    if plain(first) in NUMERIC_TEXT:
        return ""
    last = plain(rest.rpartition(".")[2] or first)
    if last.endswith(("time", "timestamp")):
        return "time"
    return "text" if last.endswith(_TEXT_ENDINGS) else ""


def _equal(name: str, value: Any, text: str) -> bool:
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    if isinstance(value, datetime):
        wanted = read_time(name, text)
        return wanted == (value if wanted.microsecond else value.replace(microsecond=0))
    if isinstance(value, int | float):
        return float(value) == read_number(name, text)
    if value == text:
        return True
    numbers = _numbers(name, value, text)
    return numbers is not None and numbers[0] == numbers[1]


def _ordered(name: str, wanted: str, value: Any, text: str) -> bool:
    compared = ORDERED[wanted]
    if isinstance(value, datetime):
        return compared(value, read_time(name, text))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return compared(float(value), read_number(name, text))
    if plain(name.partition(".")[0]) in NUMERIC_TEXT:
        numbers = _numbers(name, value, text)
        return numbers is not None and compared(*numbers)
    raise InvalidInput(f"The operator {wanted} is not supported for the text property {name}; use Equals or In")


def _numbers(name: str, value: str, text: str) -> tuple[float, float] | None:
    """Return two texts as numbers, the first without its decimals where the second has none; None unless both are."""
    if plain(name.partition(".")[0]) not in NUMERIC_TEXT:
        return None
    left, right = finite(value), finite(text)
    if left is None or right is None:
        return None
    return (float(math.trunc(left)), right) if text.strip().lstrip("+-").isdigit() else (left, right)
