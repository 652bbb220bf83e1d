"""Models get weight where they forecast well."""

import numpy as np
import pytest

from headrace.ml.applications.forecasting.predictor.trials import Trial, Trials, item_losses
from headrace.ml.applications.forecasting.predictor.weights import blend, weigh
from headrace.ml.applications.forecasting.predictor.windows import Window

LEVELS = (0.1, 0.5, 0.9)


def trials(errors, *, windows=3, horizon=4, seed=0):
    """Return trials of models whose errors of each item, [m, n], are as large as said; infinite is no forecast."""
    draw = np.random.default_rng(seed)
    errors = np.asarray(errors, float)
    m, n = errors.shape
    found = []
    for place in range(windows):
        actual = draw.normal(100, 10, (n, horizon))
        noise = draw.normal(0, 1, (m, n, horizon)) * np.where(np.isinf(errors), np.nan, errors)[..., None]
        means = actual + noise
        values = means[..., None] + np.array([-1.0, 0.0, 1.0])
        found.append(Trial(Window((place + 1) * horizon, horizon), actual, np.ones(n), means, values))
    return Trials(tuple("abcdef"[:m]), LEVELS, tuple(found))


@pytest.mark.parametrize("metric", ["wQL", "WAPE", "RMSE", "MAPE", "MASE"])
def test_the_best_model_of_all_items_counts_most(metric):
    weights, honest = weigh(trials([[1.0] * 30, [20.0] * 30]), np.zeros(30, int), metric, LEVELS)
    assert weights.items[:, 0].min() > 0.8
    assert weights.kinds[0, 0] > 0.8
    assert len(honest) == 3
    assert np.allclose(weights.items.sum(axis=1), 1)


def test_items_with_models_of_their_own_get_them():
    errors = np.array([[1.0] * 15 + [30.0] * 15, [30.0] * 15 + [1.0] * 15])
    weights, _ = weigh(trials(errors, windows=4, horizon=12), np.zeros(30, int), "wQL", LEVELS)
    assert weights.items[:15, 0].mean() > 0.8
    assert weights.items[15:, 1].mean() > 0.8


def test_kinds_of_items_are_weighed_apart():
    errors = np.array([[1.0] * 30 + [30.0] * 30, [30.0] * 30 + [1.0] * 30])
    weights, _ = weigh(trials(errors, windows=1), np.repeat([0, 1], 30), "wQL", LEVELS)
    assert weights.kinds[0, 0] > 0.8
    assert weights.kinds[1, 1] > 0.8


def test_a_model_that_failed_on_an_item_has_no_weight_there():
    errors = np.array([[1.0] * 5 + [np.inf] * 2, [5.0] * 7])
    weights, _ = weigh(trials(errors, windows=2), np.zeros(7, int), "wQL", LEVELS)
    assert (weights.items[5:, 0] == 0).all()
    assert (weights.items[5:, 1] == 1).all()


def test_blending_leaves_out_what_is_missing():
    forecasts = np.array([[[1.0], [2.0]], [[3.0], [np.nan]]])
    assert blend(np.array([[0.5, 0.5], [0.5, 0.5]]), forecasts).tolist() == [[2.0], [2.0]]
    assert np.isnan(blend(np.array([[0.5, 0.5], [0.0, 1.0]]), forecasts)[1, 0])


def test_the_loss_of_an_item_is_nothing_where_nothing_came():
    trial = trials([[1.0, 1.0]], windows=1).windows[0]
    trial.actual[1] = np.nan
    losses = item_losses(trial, trial.means, trial.values, LEVELS, "WAPE")
    assert losses.shape == (1, 2)
    assert np.isnan(losses[0, 1])
    assert losses[0, 0] > 0
