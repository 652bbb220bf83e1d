"""The functions of metric math."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from headrace.server.operations.metrics.expressions.values import Series, Value, is_number, wrong

Reduce = Callable[[Sequence[float]], float]


def _reduced(name: str, reduce: Reduce) -> Callable[..., Value]:
    def function(*values: Value) -> Value:
        if len(values) == 1 and isinstance(values[0], Series):
            return reduce(list(values[0].points.values())) if values[0].points else math.nan
        series = [each for value in values for each in (value if isinstance(value, list) else [value])]
        if not all(isinstance(each, Series) for each in series):
            raise wrong(f"{name} takes a series or a list of them")
        found = [each for each in series if isinstance(each, Series)]
        times = sorted({time for each in found for time in each.points})
        points = {time: reduce([each.points[time] for each in found if time in each.points]) for time in times}
        return Series(points, max((each.period for each in found), default=60), name)

    return function


def _pointwise(name: str, change: Callable[[float], float | None]) -> Callable[[Value], Value]:
    def safe(value: float) -> float | None:
        try:
            return change(value)
        except (ValueError, OverflowError):
            return None

    def function(value: Value) -> Value:
        if isinstance(value, float):
            changed = safe(value)
            return math.nan if changed is None else changed
        return [each.each(safe) for each in value] if isinstance(value, list) else value.each(safe)

    return function


def _along(name: str, walk: Callable[[Series], Mapping[int, float]]) -> Callable[[Value], Value]:
    def one(series: Series) -> Series:
        return Series(
            {time: value for time, value in walk(series).items() if is_number(value)}, series.period, series.label
        )

    def function(value: Value) -> Value:
        if isinstance(value, float):
            raise wrong(f"{name} takes a series")
        return [one(each) for each in value] if isinstance(value, list) else one(value)

    return function


def _differences(series: Series) -> dict[int, float]:
    times = sorted(series.points)
    return {later: series.points[later] - series.points[time] for time, later in pairwise(times)}


def _rates(series: Series) -> dict[int, float]:
    times = sorted(series.points)
    pairs = pairwise(times)
    return {later: (series.points[later] - series.points[time]) / ((later - time) / 1000) for time, later in pairs}


def _running(series: Series) -> dict[int, float]:
    total = 0.0
    sums = {}
    for time in sorted(series.points):
        total += series.points[time]
        sums[time] = total
    return sums


def _count(value: Value) -> Value:
    return float(len(value)) if isinstance(value, list) else 1.0


def _period(value: Value) -> Value:
    if not isinstance(value, Series):
        raise wrong("PERIOD takes a series")
    return float(value.period)


def _choose(condition: Value, yes: Value, no: Value | None = None) -> Value:
    if isinstance(condition, list) or isinstance(yes, list) or isinstance(no, list):
        raise wrong("IF takes series and numbers, no lists")
    if isinstance(condition, float):
        chosen = yes if condition else no
        return math.nan if chosen is None else chosen
    points = {}
    for time, value in condition.points.items():
        branch = yes if value else no
        found = branch.points.get(time) if isinstance(branch, Series) else branch
        if found is not None:
            points[time] = found
    return Series(points, condition.period)


FUNCTIONS: Mapping[str, tuple[int, int, Callable[..., Value]]] = {
    "SUM": (1, 100, _reduced("SUM", math.fsum)),
    "AVG": (1, 100, _reduced("AVG", statistics.fmean)),
    "MIN": (1, 100, _reduced("MIN", min)),
    "MAX": (1, 100, _reduced("MAX", max)),
    "STDDEV": (1, 100, _reduced("STDDEV", statistics.pstdev)),
    "ABS": (1, 1, _pointwise("ABS", abs)),
    "CEIL": (1, 1, _pointwise("CEIL", lambda value: float(math.ceil(value)))),
    "FLOOR": (1, 1, _pointwise("FLOOR", lambda value: float(math.floor(value)))),
    "LOG": (1, 1, _pointwise("LOG", math.log)),
    "LOG10": (1, 1, _pointwise("LOG10", math.log10)),
    "DIFF": (1, 1, _along("DIFF", _differences)),
    "RATE": (1, 1, _along("RATE", _rates)),
    "RUNNING_SUM": (1, 1, _along("RUNNING_SUM", _running)),
    "METRIC_COUNT": (1, 1, _count),
    "PERIOD": (1, 1, _period),
    "IF": (2, 3, _choose),
}
"""Name → (fewest, most arguments, function); METRICS, FILL and TIME_SERIES need the request: grammar reads them."""
