"""Accuracy metrics against values worked out by hand."""

import numpy as np
import pytest

from headrace.ml.applications.forecasting import accuracy

ACTUAL = np.array([[10.0, 20.0], [0.0, np.nan]])
FORECAST = np.array([[8.0, 25.0], [1.0, 7.0]])
QUANTILES = (0.1, 0.9)
VALUES = np.stack([FORECAST - 2.0, FORECAST + 2.0], axis=-1)  # 6 10, 23 27, -1 3; the last is not known


def test_weighted_quantile_losses():
    # 0.1: 4·0.1, 3·0.9, 1·0.1 = 3.2; 0.9: 0 · 0.9, 7·0.1, 3·0.1 = 1.0; twice that over 30
    found = accuracy.weighted_quantile_losses(ACTUAL, VALUES, QUANTILES)
    np.testing.assert_allclose(found, [6.4 / 30, 2.0 / 30])
    assert accuracy.weighted_quantile_loss(ACTUAL, VALUES, QUANTILES) == pytest.approx(4.2 / 30)


def test_at_the_median_weighted_quantile_loss_is_wape():
    found = accuracy.weighted_quantile_losses(ACTUAL, FORECAST[..., None], (0.5,))
    assert found[0] == pytest.approx(accuracy.wape(ACTUAL, FORECAST)) == pytest.approx(8 / 30)


def test_without_any_demand_the_losses_are_not_weighted():
    zero = np.zeros((1, 2))
    assert accuracy.wape(zero, np.array([[1.0, 2.0]])) == 3.0
    np.testing.assert_allclose(accuracy.weighted_quantile_losses(zero, np.array([[[1.0], [2.0]]]), (0.9,)), [0.6])


def test_rmse_and_mape():
    assert accuracy.rmse(ACTUAL, FORECAST) == pytest.approx(np.sqrt((4 + 25 + 1) / 3))
    assert accuracy.mape(ACTUAL, FORECAST) == pytest.approx((0.2 + 0.25) / 2)


def test_mase_is_scaled_by_the_seasonal_error():
    history = np.array([1.0, 5.0, 2.0, 8.0])
    assert accuracy.seasonal_error(history, 2) == pytest.approx((1 + 3) / 2)
    assert accuracy.seasonal_error(history, 12) == pytest.approx((4 + 3 + 6) / 3)
    assert np.isnan(accuracy.seasonal_error(history[:1], 1))
    scales = np.array([2.0, 0.0])
    assert accuracy.mase(ACTUAL, FORECAST, scales) == pytest.approx(3.5 / 2)
    assert np.isnan(accuracy.mase_of_items(ACTUAL, FORECAST, scales)[1])


def test_smape_is_that_of_m4():
    expected = [(2 * 2 / 18 + 2 * 5 / 45) / 2 * 100, 200.0]
    np.testing.assert_allclose(accuracy.smape_of_items(ACTUAL, FORECAST), expected)
    assert accuracy.smape(ACTUAL, FORECAST) == pytest.approx(np.mean(expected))
    assert accuracy.smape(np.zeros((1, 1)), np.zeros((1, 1))) == 0.0


def test_owa_averages_both_relative_errors():
    assert accuracy.owa(10.0, 1.0, 20.0, 2.0) == 0.5
    assert accuracy.owa(13.0, 2.0, 13.0, 2.0) == 1.0


def test_coverage_counts_known_values_alone():
    assert accuracy.coverage(ACTUAL, FORECAST - 2.0, FORECAST + 2.0) == pytest.approx(2 / 3)
    assert np.isnan(accuracy.coverage(np.full((1, 1), np.nan), np.zeros((1, 1)), np.ones((1, 1))))
