"""Which backtest windows there are, and what lies in them."""

import numpy as np
import pytest

from headrace.ml.applications.forecasting.options import TrainingOptions
from headrace.ml.applications.forecasting.predictor.windows import Window, choose_windows
from headrace.ml.errors import DataError


def cuts(panel, **options):
    return [window.cut for window in choose_windows(panel, TrainingOptions(**options))]


def test_windows_follow_each_other_from_the_end(make_panel):
    assert cuts(make_panel(), horizon=6, windows=3) == [6, 12, 18]
    assert cuts(make_panel(), horizon=6, windows=2, window_offset=8) == [8, 14]


def test_there_are_fewer_windows_of_short_histories_and_of_many_items(make_panel):
    assert len(cuts(make_panel(length=200), horizon=6)) == 5
    assert len(cuts(make_panel(length=40), horizon=6)) < 5
    assert len(cuts(make_panel(items=400, length=120), horizon=6)) == 2


def test_histories_too_short_are_refused(make_panel):
    with pytest.raises(DataError, match="more than a third of the longest history, which has 20; use --horizon 6"):
        cuts(make_panel(length=20), horizon=7)
    with pytest.raises(DataError, match="the backtest windows take 25 periods and the longest history has 24"):
        cuts(make_panel(length=24), horizon=5, windows=5)


def test_what_came_is_what_the_histories_end_with(make_panel):
    panel = make_panel(lengths={1: 4})
    window = Window(6, 3)
    assert np.array_equal(window.actual(panel)[0], panel.series(0)[-6:-3])
    assert np.isnan(window.actual(panel)[1][:2]).all()
    assert 1 not in window.items(panel)
