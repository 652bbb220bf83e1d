"""What is asked for is checked at once."""

import pytest

from headrace.ml.applications.forecasting.options import Filling, PanelOptions, TrainingOptions
from headrace.ml.errors import OptionError


def test_amazons_parameters_become_rules():
    asked = {
        "aggregation": "avg",
        "frontfill": "none",
        "middlefill": "value",
        "middlefill_value": "2",
        "backfill": "nan",
    }
    assert Filling.from_parameters(asked) == Filling("mean", "none", 2.0, "nan")
    assert Filling.from_parameters({"futurefill": "max"}, "price") == Filling(future="max")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"midlefill": "zero"}, "'midlefill' is no way to fill 'price'; did you mean 'middlefill'"),
        ({"middlefill": "value"}, "middlefill_value is not given"),
        ({"backfill": "value", "backfill_value": "two"}, "backfill_value of 'price' is 'two', which is not a number"),
        ({"backfill": "mode"}, "backfill 'mode' is unknown"),
        ({"aggregation": "product"}, "aggregation 'product' is unknown"),
    ],
)
def test_rules_that_are_none(parameters, message):
    with pytest.raises(OptionError, match=message):
        Filling.from_parameters(parameters, "price")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizon": 0}, "out of range; use 1 to 500"),
        ({"horizon": 501}, "out of range; use 1 to 500"),
        ({"quantiles": (0.5, 1.0)}, "between 0 and 1"),
        ({"quantiles": (0.9, 0.1)}, "ascend"),
        ({"windows": 6}, "use 1 to 5"),
        ({"window_offset": 3}, "fewer than the horizon"),
        ({"optimise": "MAE"}, "use one of wQL"),
        ({"budget": 0.0}, "more than 0"),
    ],
)
def test_training_options_out_of_range(changes, message):
    with pytest.raises(OptionError, match=message):
        TrainingOptions(**{"horizon": 7, **changes})


def test_a_panel_of_too_long_a_horizon():
    with pytest.raises(OptionError, match="use 1 to 500"):
        PanelOptions(time="t", target="y", horizon=1000)


def test_a_column_named_twice():
    with pytest.raises(OptionError, match="column 't' is named twice"):
        PanelOptions(time="t", target="y", item="t")
