"""Trend, season and rest add up, and are told apart."""

import numpy as np
import pytest

from headrace.ml.applications.forecasting.command.decomposition import decompose


@pytest.mark.parametrize("season", [7, 12])
def test_the_parts_add_up_and_are_those_put_in(season):
    steps = np.arange(12 * season)
    wave = 10 * np.sin(2 * np.pi * steps / season)
    found = decompose(100 + steps + wave, season)
    known = ~np.isnan(found.trend)
    assert known.sum() >= len(steps) - season - 1
    assert np.allclose((found.trend + found.season + found.rest)[known], (100 + steps + wave)[known])
    assert np.allclose(found.trend[known], (100 + steps)[known], atol=1e-6)
    assert np.allclose(found.season, wave, atol=1e-6)
    assert found.trend_strength == pytest.approx(1)
    assert found.season_strength == pytest.approx(1)


def test_noise_is_neither_and_short_series_are_left_alone():
    found = decompose(np.random.default_rng(0).normal(size=400), 12)
    assert found.season_strength < 0.2
    assert decompose(np.arange(20.0), 12) is None
    assert decompose(np.arange(20.0), 1) is None
