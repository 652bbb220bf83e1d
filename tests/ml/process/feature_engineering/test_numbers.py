"""Number features: centring, clipping, powers and bins."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from headrace.ml.process.feature_engineering.numbers import (
    Bins,
    RawNumbers,
    ScaledNumbers,
    best_exponent,
    moments,
    yeo_johnson_array,
)
from headrace.ml.process.feature_engineering.numpy_execution import NumpyExecution


def run(part, values):
    return part.apply(NumpyExecution(pl.DataFrame({name: values[:, i] for i, name in enumerate(part.sources)})))


def test_only_numbers_that_float32_would_blur_are_centred():
    random = np.random.default_rng(0)
    values = np.column_stack([random.normal(50, 20, 500), 1.6e9 + random.integers(0, 100, 500)])
    part = RawNumbers.fit(["small", "large"], values)
    assert part.centres[0] == 0
    assert len(np.unique(run(part, values)[:, 1].astype(np.float32))) == len(np.unique(values[:, 1]))


def test_scaled_numbers_are_standard_and_bounded():
    values = np.random.default_rng(0).lognormal(8, 2, (2000, 1))
    part = ScaledNumbers.fit(["x"], values, powers=True)
    scaled = run(part, values)
    assert abs(scaled.mean()) < 0.05
    assert scaled.std() == pytest.approx(1, abs=0.05)
    assert abs(stats.skew(scaled[:, 0])) < 0.6 < stats.skew(values[:, 0])
    extreme = run(part, np.array([[1e300], [-1e300], [np.inf], [np.nan]]))
    assert np.abs(extreme[:3]).max() < 10
    assert np.isnan(extreme[3, 0])


def test_columns_keep_their_order_when_some_are_transformed():
    random = np.random.default_rng(0)
    values = np.column_stack([random.lognormal(0, 2, 500), random.normal(size=500), random.lognormal(0, 2, 500)])
    part = ScaledNumbers.fit(["a", "b", "c"], values, powers=True)
    assert part.skewed == (0, 2)
    scaled = run(part, values)
    assert all(stats.spearmanr(scaled[:, i], values[:, i])[0] > 0.99 for i in range(3))


def test_a_rare_flag_survives_the_clipping():
    values = np.zeros((5000, 1))
    values[:2] = 1
    assert len(np.unique(run(ScaledNumbers.fit(["x"], values, powers=False), values))) == 2


@pytest.mark.parametrize("exponent", [-1.0, -0.5, 0.25, 0.5, 1.5, 3.0])
def test_powers_are_those_of_yeo_and_johnson(exponent):
    values = np.linspace(-3, 5, 50)
    expected = stats.yeojohnson(values, lmbda=exponent)
    np.testing.assert_allclose(yeo_johnson_array(values, np.array(exponent)), expected, rtol=1e-9, atol=1e-12)


def test_the_logarithm_is_nearly_reached():
    values = np.linspace(0, 100, 50)
    np.testing.assert_allclose(yeo_johnson_array(values, np.array(1 / 1024)), np.log1p(values), rtol=3e-3)


def test_symmetric_numbers_need_no_power():
    assert best_exponent(np.random.default_rng(0).normal(size=1000)) is None
    assert best_exponent(np.array([0.0, 1.0] * 100)) is None
    assert best_exponent(np.random.default_rng(0).lognormal(size=1000)) is not None


def test_bins_lie_between_values():
    values = np.column_stack([np.arange(800.0), np.repeat([0.0, 1.0], 400)])
    part = Bins.fit(["many", "flag"], values)
    assert part.columns.count(0) == 7
    assert part.columns.count(1) == 1
    steps = run(part, values)
    assert steps.mean(axis=0) == pytest.approx([7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 1 / 2], abs=0.01)


def test_moments_of_huge_values_are_finite():
    values = np.random.default_rng(0).normal(size=(50, 1))
    mean, deviation = moments(np.hstack([values, values * 1e300]))
    np.testing.assert_allclose([mean[1], deviation[1]], [mean[0] * 1e300, deviation[0] * 1e300])
