"""Predictors from training to files and back."""

from dataclasses import replace

import numpy as np
import pytest

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.options import TrainingOptions
from headrace.ml.applications.forecasting.panel import Related
from headrace.ml.applications.forecasting.predictor import ENSEMBLE, load_predictor, save_predictor, train
from headrace.ml.errors import DataError, ModelError, OptionError, OutputError

SIMPLE = ("naive", "seasonal_naive", "npts")
OPTIONS = TrainingOptions(horizon=6, windows=2, algorithms=SIMPLE)


@pytest.fixture
def trained(make_panel):
    panel = make_panel(cold=True, lengths={1: 5})
    return panel, train(panel, OPTIONS, workers=0)


def test_forecasts_ascend_are_calibrated_and_not_negative(trained):
    panel, predictor = trained
    found = predictor.forecast(panel, (0.01, 0.2, 0.5, 0.99), workers=0)
    assert found.values.shape == (7, 6, 4)
    assert np.isfinite(found.values).all()
    assert (np.diff(found.values, axis=-1) >= 0).all()
    assert (found.values >= 0).all()
    season = panel.series(0)[-12:-6]
    assert np.abs(found.mean[0] - season).mean() < 40


def test_the_accuracy_is_told_by_model_window_and_item(trained):
    _, predictor = trained
    assert set(predictor.accuracy) == {ENSEMBLE, *SIMPLE}
    assert [len(found) for found in predictor.accuracy.values()] == [2] * 4
    own, naive = predictor.average(), predictor.average("naive")
    assert own.metric("wQL") < naive.metric("wQL")
    assert set(own.errors) == {"mean", "0.1", "0.5", "0.9"}
    assert set(own.errors["0.5"]) == {"WAPE", "RMSE", "MAPE", "MASE"}
    assert 0 <= own.coverage <= 1
    assert own.start < own.end
    assert np.isnan(predictor.item_losses[ENSEMBLE][-1])


def test_an_item_without_history_is_forecast_like_those_of_its_kind(trained):
    panel, predictor = trained
    found = predictor.forecast(panel, workers=0)
    alike = [i for i in range(6) if panel.metadata["kind"][i] == "b"]
    least, most = found.mean[alike].min(axis=0), found.mean[alike].max(axis=0)
    assert ((found.mean[-1] >= least) & (found.mean[-1] <= most)).all()
    assert (found.values[-1, :, 0] < found.values[-1, :, -1]).all()


def test_what_is_saved_forecasts_the_same_and_damage_is_told(trained, tmp_path):
    panel, predictor = trained
    folder = tmp_path / "model"
    save_predictor(predictor, folder)
    again = load_predictor(folder)
    assert np.array_equal(again.forecast(panel, workers=0).values, predictor.forecast(panel, workers=0).values)
    assert again.average().to_json() == predictor.average().to_json()
    with pytest.raises(OutputError, match="cannot be written"):
        save_predictor(predictor, folder)
    (folder / "arrays.npz").write_bytes(b"no archive")
    with pytest.raises(ModelError, match="is damaged"):
        load_predictor(folder)
    with pytest.raises(ModelError, match="cannot be read"):
        load_predictor(tmp_path)


def test_new_values_and_new_items_need_no_training(trained, make_panel):
    _, predictor = trained
    newer = make_panel(items=8, length=80)
    found = predictor.forecast(newer, workers=0)
    assert found.mean.shape == (8, 6)
    assert np.isfinite(found.values).all()


def test_constant_and_zero_series_are_forecast_as_they_are(make_panel):
    panel = make_panel()
    values = panel.values.copy()
    values[: panel.offsets[1]] = 7.0
    values[panel.offsets[1] : panel.offsets[2]] = 0.0
    panel = replace(panel, values=values)
    found = train(panel, OPTIONS, workers=0).forecast(panel, workers=0)
    assert np.allclose(found.values[0], 7.0, atol=1e-6)
    assert np.allclose(found.values[1], 0.0, atol=1e-6)


def test_other_data_and_unknown_algorithms_are_refused(trained):
    panel, predictor = trained
    with pytest.raises(DataError, match="the frequency W, and the predictor of M"):
        predictor.forecast(replace(panel, frequency=Frequency("W")))
    with pytest.raises(DataError, match="told apart by shop, and the predictor"):
        predictor.forecast(replace(panel, dimensions=("shop",)))
    with pytest.raises(DataError, match="'price' is missing"):
        replace(predictor, related=("price",)).forecast(panel)
    with pytest.raises(OptionError, match="there is no algorithm 'arma'; did you mean 'arima'"):
        train(panel, replace(OPTIONS, algorithms=("arma",)))


def test_a_model_across_items_is_kept_and_tells_what_drives_it(make_panel, tmp_path):
    panel = make_panel(items=8)
    promotion = (np.random.default_rng(5).random(panel.values.size + 8 * 6) < 0.3) * 1.0
    history = np.concatenate([promotion[i * 78 : i * 78 + 72] for i in range(8)])
    panel = replace(
        panel,
        values=panel.values + 150 * history,
        related={"promotion": Related(promotion)},
        horizon_known=6,
        metadata={},
    )
    predictor = train(panel, replace(OPTIONS, windows=1, algorithms=("gradient_boosting",)), workers=0)
    assert predictor.weights.models == ("gradient_boosting",)
    assert {impact.name: impact.size for impact in predictor.impacts}["promotion"] > 0.02
    save_predictor(predictor, tmp_path / "model")
    found = load_predictor(tmp_path / "model").forecast(panel, workers=0)
    assert np.array_equal(found.mean, predictor.forecast(panel, workers=0).mean)
