"""What ways to stock would have cost."""

from types import SimpleNamespace

import numpy as np
import pytest

from headrace.ml.applications.forecasting.command import Costs
from headrace.ml.applications.forecasting.command.stocking import choose_stock
from headrace.ml.applications.forecasting.options import TrainingOptions
from headrace.ml.applications.forecasting.predictor import Backtested


def predictor(actual, mean, values):
    options = TrainingOptions(horizon=2, quantiles=(0.5, 0.8))
    return SimpleNamespace(options=options, backtests=(Backtested("2024-01-01", actual, mean, values),))


def test_surplus_and_shortage_are_charged_a_period():
    actual = np.array([[10.0, 20.0], [np.nan, 4.0]])
    values = np.stack([np.full((2, 2), 10.0), np.full((2, 2), 12.0)], axis=-1)
    found = choose_stock(None, predictor(actual, np.full((2, 2), 11.0), values), Costs(1, 4, "EUR"))
    assert found.level == 0.8
    assert [policy.name for policy in found.policies] == [
        "the 80 % quantile",
        "the mean forecast",
        "the median forecast",
    ]
    assert (found.policies[0].over, found.policies[0].under) == ((2 + 8) / 2, 4 * 8 / 2)
    assert found.policies[2].cost == pytest.approx((6 + 4 * 10) / 2)
    assert found.saving == pytest.approx(min(found.policies[1].cost, found.policies[2].cost) - found.policies[0].cost)


def test_without_costs_nothing_is_chosen():
    nothing = np.zeros((1, 2))
    assert choose_stock(None, predictor(nothing, nothing, np.zeros((1, 2, 2))), Costs()) is None
