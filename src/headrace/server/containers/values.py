"""Readers of hyperparameter texts: each turns a text into a value, or says what is allowed."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any


def whole(low: int | None = None, high: int | None = None) -> Callable[[str], int]:
    """Return a reader of whole numbers, both ends allowed."""

    def read(text: str) -> int:
        number = _number(text, f"must be a whole number{_span(low, high)}")
        if not number.is_integer() or _outside(number, low, high):
            raise ValueError(f"must be a whole number{_span(low, high)}")
        return int(number)

    return read


def real(
    low: float | None = None, high: float | None = None, *, above: float | None = None, below: float | None = None
) -> Callable[[str], float]:
    """Return a reader of finite numbers; `low` and `high` are allowed, `above` and `below` are not."""
    allowed = f"must be a number{_span(low, high)}"
    allowed += f" above {above:g}" if above is not None else ""
    allowed += f" below {below:g}" if below is not None else ""

    def read(text: str) -> float:
        number = _number(text, allowed)
        excluded = (above is not None and number <= above) or (below is not None and number >= below)
        if excluded or _outside(number, low, high):
            raise ValueError(allowed)
        return number

    return read


def choice(*options: str) -> Callable[[str], str]:
    """Return a reader of one of a few words, whatever their case."""
    words = {option.lower(): option for option in options}

    def read(text: str) -> str:
        word = words.get(text.strip().lower())
        if word is None:
            raise ValueError(f"must be one of {', '.join(options)}")
        return word

    return read


def boolean(text: str) -> bool:
    """Read true or false, as words of any case or as 1 and 0."""
    word = text.strip().lower()
    if word not in ("true", "1", "false", "0"):
        raise ValueError("must be true or false")
    return word in ("true", "1")


def words(*options: str) -> Callable[[str], tuple[str, ...]]:
    """Return a reader of words separated by commas, or in a JSON list; any word where no options are given."""
    one = choice(*options) if options else str.strip

    def read(text: str) -> tuple[str, ...]:
        found = _listed(text) if text.strip().startswith("[") else text.split(",")
        if not found or not all(isinstance(word, str) and word.strip() for word in found):
            raise ValueError("must be words separated by commas")
        return tuple(one(word) for word in found)

    return read


def listed(read_item: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """Return a reader of values in round or square brackets, separated by commas."""

    def read(text: str) -> tuple[Any, ...]:
        found = _listed("[" + text.strip().strip("()[]").rstrip(", ") + "]")
        return tuple(read_item(str(item)) for item in found)

    return read


def groups(text: str) -> tuple[tuple[int, ...], ...]:
    """Read lists of whole numbers within a list, such as "[[0, 1], [2, 3]]"."""
    found = _listed(text)
    if not all(isinstance(group, list) and all(type(item) is int and item >= 0 for item in group) for group in found):
        raise ValueError("must be lists of column numbers within a list, such as [[0, 1], [2, 3]]")
    return tuple(tuple(group) for group in found)


def automatic(read_given: Callable[[str], Any], word: str = "auto") -> Callable[[str], Any]:
    """Return a reader that takes `word` for None, which leaves the choice to the algorithm."""

    def read(text: str) -> Any:
        if text.strip().lower() == word:
            return None
        try:
            return read_given(text)
        except ValueError as error:
            raise ValueError(f"{error}, or {word}") from None

    return read


def _listed(text: str) -> list[Any]:
    try:
        found = json.loads(text.replace("'", '"'))
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise ValueError("must be a list in square brackets")
    return found


def _number(text: str, allowed: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(allowed)
    return number


def _outside(number: float, low: float | None, high: float | None) -> bool:
    return (low is not None and number < low) or (high is not None and number > high)


def _span(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    if low is not None:
        return f" of at least {low:,}"
    return f" of at most {high:,}" if high is not None else ""
