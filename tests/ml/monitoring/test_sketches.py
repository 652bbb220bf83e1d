"""Drift: columns measured, sketches and distances."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import ks_2samp

from headrace.ml.monitoring.sketches import (
    MOST_CATEGORIES,
    SKETCH_SIZE,
    Sketch,
    ValueType,
    category_distance,
    category_probability,
    is_domain,
    measure,
    number_distance,
    outside,
)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-2", None], ValueType.INTEGRAL),
        (["1", "2.5", " 3e-4 "], ValueType.FRACTIONAL),
        (["1", "n/a"], ValueType.STRING),
        (["true", "false"], ValueType.STRING),
        ([None, None], ValueType.UNKNOWN),
    ],
)
def test_a_column_has_the_narrowest_type_of_all_its_values(values: list[str | None], expected: ValueType) -> None:
    assert measure(pl.Series("x", values, dtype=pl.String)).type is expected


def test_a_column_is_measured() -> None:
    found = measure(pl.Series("x", ["1", "2", "2", "4.5", None, "many"]))
    assert (found.present, found.missing, found.distinct) == (5, 1, 4)
    assert found.completeness == pytest.approx(5 / 6)
    assert (found.share_of(ValueType.INTEGRAL), found.share_of(ValueType.FRACTIONAL)) == (0.6, 0.8)
    assert found.share_of(ValueType.STRING) == 1
    assert found.numbers is not None
    assert (found.numbers.sum, found.numbers.min, found.numbers.max) == (9.5, 1, 4.5)
    assert found.categories == {"2": 2, "1": 1, "4.5": 1, "many": 1}


def test_values_beyond_what_a_double_holds_are_no_numbers() -> None:
    found = measure(pl.Series("x", ["1e999", "1e308", "-1e308"]))
    assert found.numbers is not None
    assert (found.numbers.sketch.count, found.numbers.max) == (2, 1e308)
    assert [count for _, _, count in found.numbers.sketch.buckets()] == [1, *[0] * 8, 1]


def test_many_values_are_not_counted_apart() -> None:
    assert measure(pl.Series("x", [f"v{number}" for number in range(MOST_CATEGORIES + 1)])).categories == {}


@pytest.mark.parametrize("count", [SKETCH_SIZE, SKETCH_SIZE + 1, 50_000])
def test_a_sketch_keeps_the_distribution(count: int) -> None:
    values = np.random.default_rng(1).normal(size=count)
    sketch = Sketch.of(values)
    assert sketch == Sketch.of(values[::-1])
    assert sketch.count == pytest.approx(count, rel=0.001)
    assert sum(map(len, sketch.levels)) <= SKETCH_SIZE + 20
    exact = Sketch((tuple(values.tolist()),))
    assert number_distance(sketch, exact, robust=False) < 0.002
    assert sum(number for _, _, number in sketch.buckets()) == sketch.count


def test_the_distance_of_numbers_is_kolmogorovs_and_smirnovs() -> None:
    draw = np.random.default_rng(2)
    one, other = draw.normal(size=700), draw.normal(0.5, 2, size=300)
    simple = number_distance(Sketch.of(one), Sketch.of(other), robust=False)
    assert simple == pytest.approx(ks_2samp(one, other).statistic)
    assert number_distance(Sketch.of(one), Sketch.of(other)) == pytest.approx(simple - 1.8 * np.sqrt(1 / 700 + 1 / 300))
    assert number_distance(Sketch.of(one), Sketch.of(one)) == 0


def test_the_distance_of_categories_is_the_largest_difference_of_shares() -> None:
    one, other = {"a": 60, "b": 40}, {"a": 20, "c": 80}
    assert category_distance(one, other, robust=False) == pytest.approx(0.8)
    assert category_distance(one, other) == pytest.approx(0.8 - 1.8 * np.sqrt(0.02))


def test_shares_that_are_not_those_expected_are_improbable() -> None:
    expected = {"a": 50, "b": 50}
    assert category_probability(expected, {"a": 26, "b": 24}) > 0.5
    assert category_probability(expected, {"a": 90, "b": 10}) < 1e-6
    assert category_probability(expected, {"a": 50, "c": 1}) == 0


def test_few_values_that_come_back_are_a_domain() -> None:
    assert is_domain({"a": 5, "b": 2})
    assert not is_domain({"a": 5, "b": 1})
    assert not is_domain({})
    assert outside({"a": 3, "z": 1}, ["a", "b"]) == 0.25
