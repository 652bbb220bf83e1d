"""Metric math by itself: precedence, functions, gaps, and what is refused."""

import math

import pytest

from headrace.server.errors import InvalidInput
from headrace.server.operations.metrics.expressions import Series, parse
from headrace.server.operations.metrics.expressions.grammar import Scope
from headrace.server.operations.metrics.expressions.values import Value

MINUTE = 60_000
SERIES = {
    "m1": Series({0: 1.0, MINUTE: 2.0, 2 * MINUTE: 4.0}, 60, "one"),
    "m2": Series({0: 10.0, 2 * MINUTE: 20.0}, 60, "two"),
    "zero": Series({0: 0.0, MINUTE: 0.0}, 60, "zero"),
}


def value(name: str) -> Value:
    return SERIES[name]


SCOPE = Scope(value, list(SERIES.items()), range(0, 4 * MINUTE, MINUTE), 60)


def computed(text: str) -> list[float] | float | list[list[float]]:
    found = parse(text).compute(SCOPE)
    if isinstance(found, Series):
        return [found.points[time] for time in sorted(found.points)]
    if isinstance(found, list):
        return [list(each.points.values()) for each in found]
    return found


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("2 ^ 3 ^ 2", 512.0),
        ("-2 ^ 2", -4.0),
        ("10 - 4 - 3", 3.0),
        ("1e3 / 4", 250.0),
        ("m1 * 2", [2.0, 4.0, 8.0]),
        ("1 - m1", [0.0, -1.0, -3.0]),
        ("m1 + m2", [11.0, 24.0]),
        ("m1 / zero", []),
        ("m1 > 1", [0.0, 1.0, 1.0]),
        ("m1 > 1 AND m1 < 4", [0.0, 1.0, 0.0]),
        ("m1 == 1 || m1 == 4", [1.0, 0.0, 1.0]),
        ("SUM(m1)", 7.0),
        ("AVG([m1, m2])", [5.5, 2.0, 12.0]),
        ("MAX(METRICS('m'))", [10.0, 2.0, 20.0]),
        ('MIN(METRICS("m1")) + 1', [2.0, 3.0, 5.0]),
        ("METRIC_COUNT(METRICS())", 3.0),
        ("m1 - AVG(m2)", [-14.0, -13.0, -11.0]),
        ("FILL(m2, 0)", [10.0, 0.0, 20.0, 0.0]),
        ("FILL(m2, REPEAT)", [10.0, 10.0, 20.0, 20.0]),
        ("FILL(m2, LINEAR)", [10.0, 15.0, 20.0]),
        ("RUNNING_SUM(m1)", [1.0, 3.0, 7.0]),
        ("DIFF(m1)", [1.0, 2.0]),
        ("RATE(m1) * 60", [1.0, 2.0]),
        ("IF(m1 > 1, m1, 9)", [9.0, 2.0, 4.0]),
        ("IF(m1 > 1, m1)", [2.0, 4.0]),
        ("ABS(1 - m1)", [0.0, 1.0, 3.0]),
        ("CEIL(m1 / 3)", [1.0, 1.0, 2.0]),
        ("LOG10(zero)", []),
        ("LOG(m1 * 0 + 1)", [0.0, 0.0, 0.0]),
        ("STDDEV(m2)", 5.0),
        ("m1 * PERIOD(m1)", [60.0, 120.0, 240.0]),
        ("TIME_SERIES(3)", [3.0] * 4),
        ("m1 ^ 100000", [1.0]),
    ],
)  # fmt: skip
def test_what_expressions_come_to(text: str, result: object) -> None:
    assert computed(text) == pytest.approx(result)


@pytest.mark.parametrize(
    "text",
    [
        "", "1 +", "(1", "1)", "m1 m2", "NONE(m1)", "SUM()", "FILL(m1)", "FILL(1, 2)", "[1, m1]", "ABS(m1, m2)", "m1 $ 2",
        "m1; m2", "METRICS(m1)", "IF(m1)", "SUM(m1", "PERIOD(1)", "DIFF(1)", "METRICS() + METRICS()", "'text'",
        "(" * 200 + "1" + ")" * 200, "-" * 500 + "1", "SELECT AVG(x) FROM y",
    ],
)  # fmt: skip
def test_expressions_that_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse(text).compute(SCOPE)


def test_a_list_is_computed_series_by_series() -> None:
    assert computed("METRICS() * 2") == [[2.0, 4.0, 8.0], [20.0, 40.0], [0.0, 0.0]]


def test_an_empty_series_has_no_sum() -> None:
    empty = Scope(lambda _: Series({}, 60), [], [], 60)
    found = parse("SUM(m1)").compute(empty)
    assert isinstance(found, float)
    assert math.isnan(found)
