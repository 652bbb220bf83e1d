"""A series is recognised, and its season is found."""

from __future__ import annotations

import numpy as np
import polars as pl

from headrace.ml.prediction.windows import with_lags
from headrace.ml.process.datasets.windows import find_time, season
from headrace.ml.tables import table_from_frame


def test_a_date_beside_numbers_is_a_series():
    days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 3, 1), eager=True).cast(pl.String)
    values = pl.Series(range(len(days))).cast(pl.Float64) / 7
    series = table_from_frame(pl.DataFrame({"day": days, "value": values}))
    assert find_time(series, None, None) == "day"
    assert find_time(table_from_frame(pl.DataFrame({"a": values, "b": values + 1})), None, None) is None


def test_the_season_is_the_window():
    moments = np.arange(600)
    noise = np.random.default_rng(0).normal(0, 0.1, 600)
    assert season(np.sin(2 * np.pi * moments / 24) + noise) == 24
    assert season(noise) == 8
    assert season(np.ones(600)) == 8


def test_lags_are_the_values_before():
    frame = with_lags(pl.DataFrame({"v": [1, 2, 3]}), ["v"], 3)
    assert frame.columns == ["v", "v (1 before)", "v (2 before)"]
    assert frame.row(2) == (3, 2, 1)
    assert frame.row(0) == (1, None, None)
