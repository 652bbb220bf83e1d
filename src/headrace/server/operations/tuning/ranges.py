"""The ranges of a tuning job: checked, as spaces to search, and their values as the texts that algorithms read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from headrace.ml.contract import Choice, Integer, Real
from headrace.server.errors import InvalidInput

LARGEST_INTEGER, LARGEST_NUMBER = 2**53, 1e100
"""What is searched exactly, and without an overflow."""
WIDE = 1_000
"""Ratio of the ends from which on the scaling Auto is logarithmic."""
MOST_RANGES = 30


@dataclass(frozen=True)
class Range:
    """A hyperparameter that is searched; `reverse` says that `space` holds one minus its values."""

    name: str
    space: Integer | Real | Choice
    reverse: bool = False

    def text(self, value: Any) -> str:
        """Return the text of a value of the space."""
        if isinstance(self.space, Real):
            return repr(1.0 - float(value) if self.reverse else float(value))
        return str(value)

    def value(self, text: str) -> Any:
        """Return the value of the space that a text stands for."""
        if isinstance(self.space, Choice):
            return text
        if isinstance(self.space, Integer):
            return int(text)
        number = 1.0 - float(text) if self.reverse else float(text)
        return min(max(number, self.space.low), self.space.high)

    @property
    def samples(self) -> tuple[str, ...]:
        """Texts that an algorithm must be able to read: all choices, or both ends and something between."""
        if isinstance(self.space, Choice):
            return self.space.options
        low, high = self.space.low, self.space.high
        if isinstance(self.space, Integer):
            return (self.text(low), self.text(high))
        return (self.text(low), self.text(high), self.text(low + (high - low) * (math.sqrt(5) - 1) / 2))


def read_ranges(given: Mapping[str, Any]) -> tuple[Range, ...]:
    """Return the ranges of ParameterRanges; raises InvalidInput on one that can't be searched."""
    readers: tuple[tuple[str, Callable[[Mapping[str, Any]], Range]], ...] = (
        ("integer_parameter_ranges", _integer),
        ("continuous_parameter_ranges", _continuous),
        ("categorical_parameter_ranges", _categorical),
    )
    ranges = tuple(read(each) for member, read in readers for each in given.get(member) or ())
    if not ranges:
        raise _invalid("ParameterRanges has no range; name at least one hyperparameter to search")
    if len(ranges) > MOST_RANGES:
        raise _invalid(f"ParameterRanges has {len(ranges)} ranges; at most {MOST_RANGES} can be searched together")
    names = [each.name for each in ranges]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _invalid(f"The hyperparameter {twice} has two ranges in ParameterRanges; give it one")
    return ranges


def completed_ranges(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return ParameterRanges as Describe answers it: every list, every scaling."""
    scaled = ("integer_parameter_ranges", "continuous_parameter_ranges")
    return {
        **{name: [{"scaling_type": "Auto", **each} for each in given.get(name) or ()] for name in scaled},
        "categorical_parameter_ranges": list(given.get("categorical_parameter_ranges") or ()),
    }


def grid_size(ranges: Sequence[Range]) -> int:
    """Return how many combinations a grid has; raises InvalidInput where a range is not categorical."""
    sizes = []
    for each in ranges:
        if not isinstance(each.space, Choice):
            raise _invalid(
                f"The strategy Grid takes categorical ranges only, and {each.name} has another; list its values"
            )
        sizes.append(len(each.space.options))
    return math.prod(sizes)


def grid_point(ranges: Sequence[Range], number: int) -> dict[str, str]:
    """Return combination `number` of a grid, as texts; the last range changes first."""
    options = [each.space.options for each in ranges if isinstance(each.space, Choice)]
    for index, found in enumerate(product(*options)):
        if index == number:
            return {each.name: text for each, text in zip(ranges, found, strict=True)}
    raise IndexError(number)


def _integer(given: Mapping[str, Any]) -> Range:
    low, high = (_number(given, end, int, LARGEST_INTEGER) for end in ("MinValue", "MaxValue"))
    _ordered(given, low, high)
    if given.get("scaling_type") == "ReverseLogarithmic":
        raise _invalid(f"The integer range of {given['name']} can't have ReverseLogarithmic; take Linear")
    return Range(given["name"], Integer(low, high, log=_is_logarithmic(given, low, high)))


def _continuous(given: Mapping[str, Any]) -> Range:
    low, high = (_number(given, end, float, LARGEST_NUMBER) for end in ("MinValue", "MaxValue"))
    _ordered(given, low, high)
    if given.get("scaling_type") != "ReverseLogarithmic":
        return Range(given["name"], Real(low, high, log=_is_logarithmic(given, low, high)))
    if low < 0 or high >= 1:
        raise _invalid(
            f"ReverseLogarithmic scaling works only for ranges within 0 <= x < 1, and that of {given['name']} goes "
            f"from {low:g} to {high:g}"
        )
    return Range(given["name"], Real(1.0 - high, 1.0 - low, log=True), reverse=True)


def _categorical(given: Mapping[str, Any]) -> Range:
    values = tuple(given["values"])
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise _invalid(f"The categorical range of {given['name']} has the value {twice!r} twice; give it once")
    return Range(given["name"], Choice(values))


def _number(given: Mapping[str, Any], end: str, read: Callable[[str], Any], most: float) -> Any:
    text = given["min_value" if end == "MinValue" else "max_value"]
    kind = "a whole number" if read is int else "a number"
    try:
        value = read(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= most:
        raise _invalid(f"The {end} {text!r} of the hyperparameter {given['name']} is not {kind} of at most {most:g}")
    return value


def _ordered(given: Mapping[str, Any], low: float, high: float) -> None:
    if low > high:
        raise _invalid(
            f"The MinValue {given['min_value']} of the hyperparameter {given['name']} is greater than its MaxValue "
            f"{given['max_value']}; exchange them"
        )


def _is_logarithmic(given: Mapping[str, Any], low: float, high: float) -> bool:
    scaling = given.get("scaling_type") or "Auto"
    if scaling == "Logarithmic" and low <= 0:
        raise _invalid(
            "Logarithmic scaling works only for ranges that have only values greater than 0, and that of "
            f"{given['name']} begins at {given['min_value']}"
        )
    return scaling == "Logarithmic" or (scaling == "Auto" and low > 0 and high / low >= WIDE)


def _invalid(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, code="ValidationException")
