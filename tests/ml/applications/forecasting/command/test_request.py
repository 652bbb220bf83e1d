"""What is asked for, and the quantile that costs ask for."""

import pytest

from headrace.ml.applications.forecasting.command import Costs, Request, parse_quantiles
from headrace.ml.applications.forecasting.command.request import parse_fills
from headrace.ml.applications.forecasting.options import Filling
from headrace.ml.errors import OptionError


@pytest.mark.parametrize(("over", "under", "level"), [(1, 4, 0.8), (1, 1, 0.5), (1, 1e9, 0.99), (0, 0, None)])
def test_the_quantile_to_stock_follows_from_the_costs(over, under, level):
    assert Costs(over, under).level == level


def test_costs_that_decide_nothing_are_refused():
    with pytest.raises(OptionError, match="--cost-under is given and --cost-over is not"):
        Costs(0, 2)
    with pytest.raises(OptionError, match="--cost-over -1 is no cost"):
        Costs(-1, 2)


def test_the_quantile_to_stock_is_trained_for():
    request = Request.of(time="t", target="y", horizon=3, costs=Costs(1, 3))
    assert request.training.quantiles == (0.1, 0.5, 0.75, 0.9)


def test_quantiles_and_fills_are_read():
    assert parse_quantiles("0.9, .1,p50,.1") == (0.1, 0.5, 0.9)
    assert parse_fills(("middle=zero", "back=2.5", "price:future=interpolate"), "units") == {
        "units": Filling(middle="zero", back=2.5),
        "price": Filling(future="interpolate"),
    }
    with pytest.raises(OptionError, match="--fill 'middle' is not a rule"):
        parse_fills(("middle",), "units")
