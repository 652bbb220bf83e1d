"""Ranges of tuning jobs as spaces, and values as texts."""

from typing import Any

import pytest

from headrace.ml.contract import Choice, Integer, Real
from headrace.server.errors import InvalidInput
from headrace.server.operations.tuning.ranges import grid_point, grid_size, read_ranges


def read(kind: str, low: str = "", high: str = "", scaling: str | None = None, **more: Any) -> Any:
    ends = {"min_value": low, "max_value": high} if low else {}
    given = {"name": "a", **ends, **more} | ({"scaling_type": scaling} if scaling else {})
    return read_ranges({f"{kind}_parameter_ranges": [given]})[0]


@pytest.mark.parametrize(
    ("found", "space"),
    [
        (read("integer", "1", "9"), Integer(1, 9)),
        (read("integer", "1", "1000"), Integer(1, 1000, log=True)),
        (read("integer", "1", "1000", "Linear"), Integer(1, 1000)),
        (read("integer", "0", "1000"), Integer(0, 1000)),
        (read("continuous", "1e-7", "1"), Real(1e-7, 1.0, log=True)),
        (read("continuous", "0.5", "1", "Logarithmic"), Real(0.5, 1.0, log=True)),
        (read("continuous", "-3", "3"), Real(-3.0, 3.0)),
        (read("continuous", "0", "0.75", "ReverseLogarithmic"), Real(0.25, 1.0, log=True)),
        (read("categorical", values=["x", "y"]), Choice(("x", "y"))),
    ],
)
def test_a_range_becomes_the_space_of_its_scaling(found: Any, space: Any) -> None:
    assert found.space == space
    for text in found.samples:
        assert space.problem(found.value(text)) is None


def test_a_text_stands_for_its_value() -> None:
    reverse = read("continuous", "0.9", "0.999", "ReverseLogarithmic")
    assert reverse.value(reverse.text(0.05)) == pytest.approx(0.05)
    assert reverse.space.problem(reverse.value("0.9")) is None
    assert reverse.space.problem(reverse.value("0.999")) is None
    real = read("continuous", "0", "1")
    assert real.value(real.text(1 / 3)) == 1 / 3
    assert read("integer", "1", "9").text(3) == "3"


def test_a_grid_has_each_combination_once() -> None:
    ranges = read_ranges(
        {
            "categorical_parameter_ranges": [
                {"name": "a", "values": ["1", "2"]},
                {"name": "b", "values": ["x", "y", "z"]},
            ]
        }
    )
    points = [grid_point(ranges, number) for number in range(grid_size(ranges))]
    assert points[:2] == [{"a": "1", "b": "x"}, {"a": "1", "b": "y"}]
    assert len({tuple(point.items()) for point in points}) == 6


def test_thirty_ranges_are_the_most() -> None:
    many = [{"name": str(number), "min_value": "0", "max_value": "1"} for number in range(31)]
    with pytest.raises(InvalidInput, match="31 ranges"):
        read_ranges({"continuous_parameter_ranges": many})
