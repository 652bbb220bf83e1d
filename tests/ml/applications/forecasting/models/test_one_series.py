"""The models that look at one series at a time: every kind of series, and what they find in those that are known."""

import subprocess
import sys

import numpy as np
import pytest

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.models import MODELS
from headrace.ml.applications.forecasting.models.loops.smoothing import run_ets
from headrace.ml.applications.forecasting.models.seasonality import find_seasons, is_seasonal
from headrace.ml.applications.forecasting.panel import Panel, Related

LOCAL = ("naive", "seasonal_naive", "ets", "arima", "theta", "ces", "additive", "npts")
LEVELS = (0.05, 0.5, 0.95)
MONTHS = np.arange(120)


def panel_of(series, frequency="M", related=None, horizon=0):
    lengths = [len(values) for values in series]
    return Panel(
        frequency=Frequency.parse(frequency),
        items=tuple((str(i),) for i in range(len(series))),
        dimensions=("item",),
        start=np.zeros(len(series), np.int64),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        values=np.concatenate([np.asarray(values, float) for values in series]),
        related=related or {},
        horizon_known=horizon,
    )


def forecast(name, panel, horizon=12, levels=LEVELS, seconds=None):
    return MODELS[name]().fit(panel, horizon, seed=0, seconds=seconds).forecast(panel, levels)


def odd_series():
    random = np.random.default_rng(0)
    noise = random.normal(size=60)
    return {
        "one value": [5.0],
        "two": [3.0, 4.0],
        "three": [1.0, 5.0, 2.0],
        "ten": noise[:10],
        "constant": [7.0] * 40,
        "all zero": [0.0] * 40,
        "gaps": np.where(random.random(40) < 0.3, np.nan, noise[:40]),
        "late start": np.concatenate([[np.nan] * 10, noise[:20]]),
        "unknown end": np.concatenate([noise[:20], [np.nan] * 5]),
        "one and a half seasons": noise[:18] + 5,
        "two seasons": noise[:24] + 5,
        "negative": -np.abs(noise),
        "mostly zero": (random.random(60) < 0.1) * 5.0,
        "large": 1e12 + noise,
        "near the largest number": 1e200 * random.random(60),
        "tiny": 1e-9 * random.random(60),
        "step": np.repeat([0.0, 1.0], 30),
        "line": np.arange(60.0),
        "exactly seasonal": np.tile(np.arange(12.0), 6),
        "infinite": np.concatenate([np.arange(20.0), [np.inf], np.arange(9.0)]),
    }


@pytest.mark.parametrize("name", LOCAL)
@pytest.mark.parametrize("seconds", [None, 1e-6])
def test_every_series_has_a_finite_forecast_with_ordered_quantiles(name, seconds):
    series = odd_series()
    found = forecast(name, panel_of(list(series.values())), 14, seconds=seconds)
    assert found.mean.shape == (len(series), 14)
    assert found.values.shape == (len(series), 14, 3)
    for i, kind in enumerate(series):
        assert np.isfinite(found.mean[i]).all(), kind
        assert np.isfinite(found.values[i]).all(), kind
        assert (np.diff(found.values[i], axis=-1) >= 0).all(), kind
    constant, zero = list(series).index("constant"), list(series).index("all zero")
    np.testing.assert_allclose(found.values[constant], 7.0, rtol=1e-6)
    np.testing.assert_allclose(found.values[zero], 0.0, atol=1e-9)


@pytest.mark.parametrize("name", LOCAL)
def test_items_without_values_are_left_to_the_cold_start(name):
    found = forecast(name, panel_of([[], [np.nan] * 5, np.arange(30.0)]))
    assert np.isnan(found.mean[:2]).all()
    assert np.isfinite(found.mean[2]).all()


def seasonal(noise=1.0, trend=0.5, seed=0):
    random = np.random.default_rng(seed)
    months = np.arange(132)
    return 100 + trend * months + 20 * np.sin(2 * np.pi * months / 12) + random.normal(0, noise, 132)


@pytest.mark.parametrize("name", ["ets", "arima", "theta", "ces", "additive"])
@pytest.mark.parametrize("frequency", ["M", "H"])
def test_a_trend_with_a_season_is_found(name, frequency):
    series = [seasonal(seed=seed) for seed in range(4)]
    if frequency == "H":  # a day of twelve double hours
        frequency = "2H"
    found = forecast(name, panel_of([values[:120] for values in series], frequency))
    actual = np.stack([values[120:] for values in series])
    assert np.abs(found.mean - actual).mean() < 2.5
    assert np.abs(forecast("seasonal_naive", panel_of([v[:120] for v in series], frequency)).mean - actual).mean() > 5


@pytest.mark.parametrize("name", LOCAL)
def test_a_forecast_is_the_same_again_and_whatever_lies_beside(name):
    panel = panel_of([seasonal(seed=seed)[:90] for seed in range(3)])
    fitted = MODELS[name]().fit(panel, 6, seed=0, seconds=None)
    restored = MODELS[name].fitted.from_arrays(dict(fitted.to_arrays()))
    first, again = fitted.forecast(panel, LEVELS), restored.forecast(panel, LEVELS)
    np.testing.assert_array_equal(first.values, again.values)
    alone = restored.forecast(panel.select([1]), LEVELS)
    np.testing.assert_allclose(alone.values[0], first.values[1], rtol=1e-9)
    for value in fitted.to_arrays().values():
        assert value.dtype != object


def test_simple_smoothing_by_hand():
    memory, errors = np.zeros(3), np.zeros(3)
    height = run_ets(
        np.array([0, 1, 0, 0, 1]), np.array([0.5, 0, 0, 1, 10.0, 0]), np.array([12.0, 9.0, 11.0]), memory, errors
    )
    np.testing.assert_allclose(errors, [2, -2, 1])  # levels 10, 11, 10
    assert memory[0] == 10.5
    assert height == pytest.approx(3 * np.log(9))


def test_arima_finds_an_autoregression():
    random = np.random.default_rng(3)
    values = np.zeros(600)
    for t in range(1, 600):
        values[t] = 0.8 * values[t - 1] + random.normal()
    found = forecast("arima", panel_of([values + 50], "Y"), 8, (0.1587, 0.8413))
    expected = 50 + values[-1] * 0.8 ** np.arange(1, 9)
    np.testing.assert_allclose(found.mean[0], expected, atol=0.6)
    deviation = np.sqrt(np.cumsum(0.64 ** np.arange(8)))
    np.testing.assert_allclose((found.values[0, :, 1] - found.values[0, :, 0]) / 2, deviation, rtol=0.15)


def test_npts_forecasts_values_of_the_past():
    values = np.where(np.arange(60) % 7 == 3, 5.0, 0.0)
    found = forecast("npts", panel_of([values, values * 2], "D"), 7, (0.1, 0.9))
    assert set(np.unique(found.values)) <= {0.0, 5.0, 10.0}
    expected = np.where((60 + np.arange(7)) % 7 == 3, 5.0, 0.0)
    np.testing.assert_array_equal(found.values[0, :, 0], expected)
    np.testing.assert_array_equal(found.values[0, :, 1], expected)


def test_the_additive_model_uses_a_related_series():
    random = np.random.default_rng(0)
    price = random.normal(size=112)
    series = 50 - 10 * price[:100] + random.normal(0, 0.5, 100)
    related = {"price": Related(price)}
    found = forecast("additive", panel_of([series], "M", related, 12))
    np.testing.assert_allclose(found.mean[0], 50 - 10 * price[100:], atol=3)
    unknown = {"price": Related(np.where(np.arange(112) < 100, price, np.nan), known_ahead=False)}
    without = forecast("additive", panel_of([series]))
    np.testing.assert_allclose(forecast("additive", panel_of([series], "M", unknown, 12)).mean, without.mean)


def test_seasons():
    assert is_seasonal(seasonal(), 12)
    assert not is_seasonal(np.random.default_rng(1).normal(size=120), 12)
    found = find_seasons(seasonal(), (12,))
    np.testing.assert_allclose(found.at(132, 12), 20 * np.sin(2 * np.pi * np.arange(12) / 12), atol=2)
    growing = np.exp(0.02 * MONTHS) * (100 + 30 * np.sin(2 * np.pi * MONTHS / 12))
    assert find_seasons(growing, (12,)).multiplicative
    hours = np.arange(24 * 7 * 5)
    week = 10 * np.sin(2 * np.pi * hours / 24) + np.where(hours // 24 % 7 > 4, 8.0, 0.0)
    noise = np.random.default_rng(0).normal(0, 1, len(hours))
    both = find_seasons(week + noise + 50, (24, 168))
    assert len(both.patterns) == 2
    np.testing.assert_allclose(both.remove(week + noise + 50).std(), 1, atol=0.25)


def test_models_are_imported_when_they_are_asked_for():
    code = (
        "import sys; from headrace.ml.applications.forecasting.models import MODELS; assert 'ets' in MODELS;"
        "assert not {'numba', 'lightgbm', 'scipy'} & set(sys.modules); assert len(MODELS) == 11"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
