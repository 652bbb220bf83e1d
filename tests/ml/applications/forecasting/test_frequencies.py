"""Periods of all lengths: their spelling, numbers, boundaries and seasons."""

from dataclasses import replace

import numpy as np
import pytest

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.errors import OptionError

TIMES = np.array(["2024-02-29T13:47:11", "1969-12-31T23:59:59", "2024-12-30", "1900-01-01"], "datetime64[s]")


@pytest.mark.parametrize("text", ["min", "15min", "H", "5H", "D", "3D", "W", "2W", "M", "Q", "6M", "Y"])
def test_a_moment_lies_in_its_period(text):
    frequency = Frequency.parse(text).with_phase(TIMES)
    ordinals = frequency.ordinals(TIMES)
    starts = frequency.timestamps(ordinals)
    assert (starts <= TIMES).all()
    assert (frequency.timestamps(ordinals + 1) > TIMES).all()
    np.testing.assert_array_equal(frequency.ordinals(starts), ordinals)
    assert Frequency.parse(str(frequency)) == replace(frequency, phase=0)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1D", "D"),
        ("60min", "H"),
        ("24h", "D"),
        ("7D", "W"),
        ("12M", "Y"),
        ("weekly", "W"),
        ("MS", "M"),
        ("min", "1min"),
    ],
)
def test_spellings(text, written):
    assert str(Frequency.parse(text)) == written


@pytest.mark.parametrize("text", ["", "0D", "fortnight", "1.5H", "D D", "-2W"])
def test_what_is_no_frequency_is_refused(text):
    with pytest.raises(OptionError, match="is none; write a number and min, H, D, W, M, Q or Y"):
        Frequency.parse(text)


@pytest.mark.parametrize("text", ["60min", "24H", "7D", "5W", "12M", "2Y", "Q", "daily"])
def test_amazon_forecast_takes_no_more_than_it_says(text):
    with pytest.raises(OptionError, match="is not valid"):
        Frequency.parse(text, strict=True)


def test_seasons():
    assert Frequency.parse("H").seasons == (24, 168)
    assert Frequency.parse("30min").seasons == (48, 336)
    assert Frequency.parse("D").seasons == (7, 365)
    assert [Frequency.parse(text).seasons for text in ("W", "M", "Y")] == [(52,), (12,), ()]


@pytest.mark.parametrize(
    ("frequency", "starts"),
    [
        (Frequency("D", hour=6), ["2024-02-29T06", "1969-12-31T06", "2024-12-29T06", "1899-12-31T06"]),
        (Frequency("W"), ["2024-02-26", "1969-12-29", "2024-12-30", "1900-01-01"]),
        (Frequency("W", day_of_week=6), ["2024-02-25", "1969-12-28", "2024-12-29", "1899-12-31"]),
        (Frequency("M", day_of_month=15), ["2024-02-15", "1969-12-15", "2024-12-15", "1899-12-15"]),
        (Frequency("Y", month=7, day_of_month=2), ["2023-07-02", "1969-07-02", "2024-07-02", "1899-07-02"]),
    ],
)
def test_time_alignment_boundaries(frequency, starts):
    found = frequency.timestamps(frequency.ordinals(TIMES))
    np.testing.assert_array_equal(found, np.array(starts, "datetime64[s]"))


def test_quarters_begin_where_the_data_do():
    february = np.array(["2023-02-10", "2023-05-10", "2023-08-10"], "datetime64[s]")
    frequency = Frequency.parse("3M").with_phase(february)
    starts = frequency.timestamps(frequency.ordinals(february))
    assert starts.astype("datetime64[D]").astype(str).tolist() == ["2023-02-01", "2023-05-01", "2023-08-01"]
