"""Association measures against known values."""

import numpy as np
import polars as pl
import pytest

from headrace.ml.contract import Task
from headrace.ml.process.datasets.association import (
    category_codes,
    correlation_ratio,
    correlations,
    cramers_v,
    lump_rare,
    measure_relevance,
    sample_rows,
)


def test_cramers_v_of_independence_and_of_identity():
    independent = np.full((3, 4), 25.0)
    identical = np.diag([40.0, 30.0, 30.0])
    assert cramers_v(independent[None])[0] == 0.0
    assert cramers_v(identical[None])[0] == pytest.approx(1.0)


def test_cramers_v_is_bias_corrected():
    generator = np.random.default_rng(0)
    tables = np.stack([generator.multinomial(50, np.full(100, 0.01)).reshape(10, 10) for _ in range(50)])
    assert cramers_v(tables.astype(float)).mean() < 0.2


def test_pairwise_correlations_leave_out_missing_rows():
    generator = np.random.default_rng(0)
    x = generator.normal(size=(100, 2))
    x[:, 1] += x[:, 0]
    x[:20, 0], x[90:, 1] = np.nan, np.nan
    expected = np.corrcoef(x[20:90].T)[0, 1]
    assert correlations(x, x)[0, 1] == pytest.approx(expected)


def test_correlations_of_huge_and_of_constant_numbers_are_finite():
    x = np.column_stack([np.linspace(0, 1e200, 50), np.ones(50), np.arange(50.0)])
    found = correlations(x, x)
    assert found[0, 2] == pytest.approx(1.0)
    assert found[1, 2] == 0.0


def test_the_correlation_ratio_of_groups():
    values = np.array([1.0, 1.0, 5.0, 5.0, 9.0, 9.0])
    assert correlation_ratio(np.array([[0], [0], [1], [1], [2], [2]]), values)[0] == pytest.approx(1.0)
    assert correlation_ratio(np.array([[0], [1], [1], [0], [0], [1]]), values)[0] < 0.5


def test_missing_values_carry_signal():
    y = np.arange(400) % 2
    x = pl.Series("x", np.random.default_rng(0).normal(size=400)).set(pl.Series(y == 1), None)
    assert measure_relevance(x.to_frame(), y, Task.BINARY)["x"].value > 0.9


def test_a_curve_counts_though_no_order_goes_with_it():
    x = np.linspace(-1, 1, 500)
    found = measure_relevance(pl.DataFrame({"x": x}), x**2, Task.REGRESSION)["x"]
    assert found.measure == "correlation ratio"
    assert found.value > 0.95


def test_an_identifier_has_no_relevance():
    names = pl.DataFrame({"key": [f"k{i}" for i in range(500)]})
    assert measure_relevance(names, np.arange(500) % 3, Task.MULTICLASS)["key"].value < 0.1


def test_codes_and_lumping():
    assert category_codes(pl.Series(["b", "a", "b"])).tolist() == [1, 0, 1]
    assert category_codes(pl.Series(["b", None, "", "a"])).tolist() == [2, 0, 0, 1]
    assert category_codes(pl.Series([2.0, None, 1.0])).tolist() == [2, 0, 1]
    assert lump_rare(np.array([0, 1, 1, 2, 2, 2]), 1).tolist() == [1, 1, 1, 0, 0, 0]


def test_samples_repeat_and_shrink_with_the_columns():
    assert sample_rows(20_000, 10, seed=0) is None
    assert len(sample_rows(100_000, 10, seed=0)) == 20_000
    assert len(sample_rows(100_000, 10_000, seed=0)) == 1_000
    assert np.array_equal(sample_rows(100_000, 10, seed=5), sample_rows(100_000, 10, seed=5))


def test_groups_of_single_rows_say_nothing_of_values():
    values = np.random.default_rng(0).normal(size=200)
    singles = np.arange(200)
    assert correlation_ratio(singles[:, None], values)[0] == 0
    frame = pl.DataFrame({"key": [f"H{i}" for i in singles]})
    assert measure_relevance(frame, values, Task.REGRESSION)["key"].value == 0


def test_the_correlation_ratio_does_not_depend_on_the_unit():
    values = np.array([1.0, 1.5, 5.0, 5.5, 9.0, 9.5])
    groups = np.array([[0], [0], [1], [1], [2], [2]])
    assert correlation_ratio(groups, values * 1e300)[0] == pytest.approx(correlation_ratio(groups, values)[0])
