"""Values of metric math: numbers, series over time, and lists of series."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from headrace.server.errors import InvalidInput


@dataclass(frozen=True)
class Series:
    """A time series: values by the begin of their period (ms); `period` in seconds."""

    points: Mapping[int, float]
    period: int
    label: str = ""

    def each(self, change: Callable[[float], float | None]) -> Series:
        """Return the series with every value changed; a value that becomes None or no number is left out."""
        changed = {time: change(value) for time, value in self.points.items()}
        return Series({time: value for time, value in changed.items() if is_number(value)}, self.period, self.label)  # type: ignore[misc]


Value = float | Series | list[Series]


def is_number(value: float | None) -> bool:
    """Tell whether a value can be a point."""
    return value is not None and math.isfinite(value)


def wrong(message: str) -> InvalidInput:
    """Return the error of an expression."""
    return InvalidInput(message, code="ValidationError")


def _divided(left: float, right: float) -> float:
    return left / right if right else math.nan


def _power(left: float, right: float) -> float:
    try:
        raised = left**right
    except (OverflowError, ZeroDivisionError):
        return math.nan
    return raised if isinstance(raised, float | int) else math.nan


OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "^": _power,
    "<": lambda left, right: float(left < right),
    ">": lambda left, right: float(left > right),
    "<=": lambda left, right: float(left <= right),
    ">=": lambda left, right: float(left >= right),
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "AND": lambda left, right: float(bool(left) and bool(right)),
    "OR": lambda left, right: float(bool(left) or bool(right)),
}


def combined(sign: str, left: Value, right: Value) -> Value:
    """Return the two values under an operator: point by point where both have one, number by number with scalars."""
    compute = OPERATORS[sign]
    if isinstance(left, list) and isinstance(right, list):
        raise wrong(f"{sign} can't join two lists of series; SUM, AVG, MIN or MAX one of them")
    if isinstance(left, list):
        return [_series(combined(sign, each, right)) for each in left]
    if isinstance(right, list):
        return [_series(combined(sign, left, each)) for each in right]
    if isinstance(left, Series) and isinstance(right, Series):
        both = sorted(left.points.keys() & right.points.keys())
        points = {time: compute(left.points[time], right.points[time]) for time in both}
        return Series(
            {time: value for time, value in points.items() if is_number(value)}, max(left.period, right.period)
        )
    if isinstance(left, Series):
        return left.each(lambda value: compute(value, right))  # type: ignore[arg-type]
    if isinstance(right, Series):
        return right.each(lambda value: compute(left, value))
    return float(compute(left, right))


def _series(value: Value) -> Series:
    assert isinstance(value, Series)
    return value
