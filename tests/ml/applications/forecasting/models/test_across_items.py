"""The models that learn from all items together: gradient boosting, DeepAR and CNN-QR."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.models.cnn_qr import CnnQr
from headrace.ml.applications.forecasting.models.deepar import DeepAr
from headrace.ml.applications.forecasting.models.gradient_boosting import GradientBoosting
from headrace.ml.applications.forecasting.panel import Panel, Related
from headrace.ml.errors import DataError, ModelError

HORIZON = 7
QUANTILES = (0.1, 0.5, 0.9)
EVERY = pytest.mark.parametrize(
    "make",
    [
        lambda: GradientBoosting(rounds=40),
        lambda: DeepAr(cells=20, layers=1, epochs=5),
        lambda: CnnQr(batches=250),
    ],
    ids=["gradient_boosting", "deepar", "cnn_qr"],
)


def sales(items: int = 8, length: int = 150, seed: int = 0) -> Panel:
    """Weekly waves of very different sizes; a promotion, known ahead, doubles a day's value."""
    random = np.random.default_rng(seed)
    lengths = np.full(items, length) - np.arange(items) * 3
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values, promoted = [], []
    for item, periods in enumerate(lengths):
        day = np.arange(periods + HORIZON) + 3 * item
        promotion = (random.random(len(day)) < 0.2).astype(float)
        level = 10.0 ** (item % 4) * (2 + np.sin(2 * np.pi * day / 7))
        values.append((level * (1 + promotion) * random.normal(1, 0.05, len(day)))[:periods])
        promoted.append(promotion)
    return Panel(
        frequency=Frequency("D"),
        items=tuple((f"item_{number}",) for number in range(items)),
        dimensions=("item",),
        start=19000 + 3 * np.arange(items),
        offsets=offsets,
        values=np.concatenate(values),
        related={"promotion": Related(np.concatenate(promoted), known_ahead=True)},
        metadata={"kind": tuple("ab"[number % 2] for number in range(items)), "price": np.arange(items) * 1.5},
        horizon_known=HORIZON,
    )


@pytest.fixture(scope="module")
def fitted_on_the_past():
    """Return what fits a model on all but the last periods, once."""
    known = {}

    def fit(make):
        model = make()
        if model.name not in known:
            known[model.name] = model.fit(sales().cut(HORIZON), HORIZON, seed=1, seconds=None)
        return known[model.name]

    return fit


def relative_error(forecast, actual):
    """Return the mean over items of the error by the item's size."""
    return float(np.mean(np.abs(forecast - actual).sum(axis=1) / actual.sum(axis=1)))


@EVERY
def test_it_beats_the_seasonal_naive_and_is_the_same_again(make, fitted_on_the_past):
    panel = sales()
    past, actual = panel.cut(HORIZON), panel.last(HORIZON)
    fitted = fitted_on_the_past(make)
    forecast = fitted.forecast(past, QUANTILES)
    assert forecast.mean.shape == (8, HORIZON)
    assert forecast.values.shape == (8, HORIZON, 3)
    assert (np.diff(forecast.values, axis=2) >= 0).all()
    assert relative_error(forecast.values[..., 1], actual) < 0.8 * relative_error(past.last(7), actual)
    inside = (actual >= forecast.values[..., 0]) & (actual <= forecast.values[..., 2])
    assert 0.4 < inside.mean() <= 1
    restored = type(fitted).from_arrays(fitted.to_arrays())
    np.testing.assert_array_equal(restored.forecast(past, QUANTILES).values, forecast.values)
    assert all(array.dtype != object for array in fitted.to_arrays().values())
    newer = restored.forecast(panel, (0.3,))
    assert newer.values.shape == (8, HORIZON, 1)
    part = restored.forecast(past.select([2, 5]), QUANTILES)
    if make().name != "deepar":
        np.testing.assert_allclose(part.mean, forecast.mean[[2, 5]], rtol=1e-4)


@EVERY
def test_it_follows_a_promotion_that_is_known_ahead(make, fitted_on_the_past):
    panel, fitted = sales(), fitted_on_the_past(make)
    means = []
    for promoted in (0.0, 1.0):
        values = panel.related["promotion"].values.copy()
        for item in range(len(panel)):
            end = panel.offsets[item + 1] + (item + 1) * HORIZON
            values[end - HORIZON : end] = promoted
        changed = Panel(**vars(panel) | {"related": {"promotion": Related(values, known_ahead=True)}})
        means.append(fitted.forecast(changed, QUANTILES).values[..., 1].sum(axis=1))
    assert (means[1] > 1.2 * means[0]).mean() > 0.8


@EVERY
def test_what_has_no_size_stays_nothing(make):
    panel = sales(3, 40)
    values = panel.values.copy()
    values[panel.offsets[1] : panel.offsets[2]] = 0
    quiet = Panel(**vars(panel) | {"values": values})
    forecast = make().fit(quiet, HORIZON, seed=0, seconds=1).forecast(quiet, QUANTILES)
    assert not forecast.values[1].any()
    assert not forecast.mean[1].any()
    assert np.isfinite(forecast.values).all()
    bare = quiet.tail(0)
    assert np.isfinite(make().fit(quiet, HORIZON, seed=0, seconds=1).forecast(bare, QUANTILES).values).all()
    with pytest.raises(DataError, match="two values"):
        make().fit(bare, HORIZON, seed=0, seconds=None)


@EVERY
def test_gaps_short_histories_and_years_can_be_learnt(make):
    panel = sales(4, 14)
    values = panel.values.copy()
    values[3:5] = np.nan
    for frequency in ("Y", "M", "15min"):
        short = Panel(**vars(panel) | {"values": values, "frequency": Frequency.parse(frequency)})
        forecast = make().fit(short, HORIZON, seed=0, seconds=1).forecast(short, (0.05, 0.5, 0.99))
        assert np.isfinite(forecast.values).all()
        assert np.isfinite(forecast.mean).all()


@EVERY
def test_damaged_arrays_are_refused(make):
    panel = sales(2, 30)
    fitted = make().fit(panel, HORIZON, seed=0, seconds=1)
    arrays = fitted.to_arrays()
    with pytest.raises(ModelError):
        type(fitted).from_arrays({})
    for name in arrays:
        if not name.startswith(("seed", "repeats", "cardinality")):
            with pytest.raises(ModelError):
                type(fitted).from_arrays(arrays | {name: np.array(["{"])})


def test_contributions_tell_what_a_promotion_adds(fitted_on_the_past):
    panel, fitted = sales(), fitted_on_the_past(lambda: GradientBoosting(rounds=40))
    found = fitted.contributions(panel)
    assert set(found) == {"promotion", "kind", "price"}
    assert all(each.shape == (8, HORIZON) for each in found.values())
    ahead = np.stack([panel.related_series("promotion", item)[-HORIZON:] for item in range(8)])
    assert (found["promotion"][ahead == 1] > 0).mean() > 0.9
    assert np.abs(found["promotion"]).sum() > 5 * np.abs(found["kind"]).sum()
