"""Imputation: each strategy fills every gap, and those that learn relations use them."""

import numpy as np
import polars as pl
import pytest

from headrace.ml.process.feature_engineering.imputation import REFERENCE_ROWS, NeighbourNumbers, fit_imputation
from headrace.ml.process.feature_engineering.numbers import ScaledNumbers
from headrace.ml.process.feature_engineering.numpy_execution import NumpyExecution

NAMES = ["a", "b", "c"]


def complete(strategy):
    random = np.random.default_rng(0)
    a = random.normal(size=1500)
    full = np.column_stack([a, 2 * a + random.normal(size=1500) * 0.1, random.normal(size=1500)])
    gaps = random.random(full.shape) < 0.1
    holed = np.where(gaps, np.nan, full)
    scaled = ScaledNumbers.fit(NAMES, holed, powers=False)
    execution = NumpyExecution(pl.DataFrame(dict(zip(NAMES, holed.T, strict=True))))
    part = fit_imputation(strategy, scaled, execution.of(scaled), 0)
    filled = execution.of(part) * scaled.scale + scaled.centre
    return part, np.abs(filled - full)[gaps[:, 1], 1].mean(), filled, holed


def test_each_strategy_fills_all_gaps_and_leaves_the_rest():
    for strategy in ("median", "most_frequent", "knn", "iterative"):
        _, _, filled, holed = complete(strategy)
        assert np.isfinite(filled).all()
        inside = ~np.isnan(holed) & (np.abs(filled - holed) > 1e-9)
        assert inside.mean() < 0.01  # only what lies beyond the quantiles is clipped


def test_learnt_relations_fill_better_than_the_median():
    median = complete("median")[1]
    assert complete("iterative")[1] < 0.5 * median
    assert complete("knn")[1] < 0.6 * median


def test_the_reference_is_small():
    part = complete("knn")[0]
    assert isinstance(part, NeighbourNumbers)
    assert part.reference.shape == (REFERENCE_ROWS, 3)


@pytest.mark.parametrize("strategy", ["median", "most_frequent"])
def test_the_fill_is_the_statistic(strategy):
    values = np.array([[1.0], [1.0], [1.0], [4.0], [9.0], [10.0], [11.0], [np.nan]])
    scaled = ScaledNumbers.fit(["a"], values, powers=False)
    execution = NumpyExecution(pl.DataFrame({"a": values[:, 0]}))
    part = fit_imputation(strategy, scaled, execution.of(scaled), 0)
    filled = execution.of(part) * scaled.scale + scaled.centre
    assert filled[-1, 0] == pytest.approx({"median": 4.0, "most_frequent": 1.0}[strategy])
