"""Frequencies found in time stamps, aligned as these are."""

import numpy as np
import pytest

from headrace.ml.applications.forecasting.frequencies import Frequency
from headrace.ml.applications.forecasting.panel import infer_frequency
from headrace.ml.applications.forecasting.panel.inference import aligned, differing_steps
from headrace.ml.errors import DataError


def times(first, count, step, unit):
    """Return moments at an even step."""
    return (np.datetime64(first) + np.arange(count) * np.timedelta64(step, unit)).astype("datetime64[s]")


MONTH_ENDS = (np.arange(1, 25).astype("datetime64[M]").astype("datetime64[D]") - 1).astype("datetime64[s]")


@pytest.mark.parametrize(
    ("moments", "frequency"),
    [
        (times("2024-01-01T00:00:00", 50, 15, "m"), Frequency("min", 15)),
        (times("2024-01-01T00:30:00", 50, 1, "h"), Frequency("H")),
        (times("2024-01-01T06:00:00", 50, 24, "h"), Frequency("D", hour=6)),
        (times("2024-01-07", 50, 7, "D"), Frequency("W", day_of_week=6)),
        (times("2024-01", 50, 1, "M"), Frequency("M")),
        (times("2024-02", 50, 3, "M"), Frequency("M", 3, phase=1)),
        (times("1950", 50, 1, "Y"), Frequency("Y")),
        (MONTH_ENDS, Frequency("M")),
        (MONTH_ENDS + np.timedelta64(15, "D"), Frequency("M", day_of_month=15)),
    ],
)
def test_even_steps(moments, frequency):
    assert infer_frequency(moments) == frequency


def test_gaps_change_nothing():
    generator = np.random.default_rng(0)
    days = times("2024-01-01", 400, 1, "D")
    assert infer_frequency(days[generator.random(400) < 0.6]) == Frequency("D")
    assert infer_frequency(days[np.arange(400) % 7 < 5]) == Frequency("D")


def test_sensors_a_few_seconds_off():
    jitter = np.random.default_rng(0).integers(-5, 6, 300)
    assert infer_frequency(times("2024-01-01", 300, 300, "s") + jitter.astype("timedelta64[s]")) == Frequency("min", 5)


def test_moments_of_single_sales_become_days():
    at = np.sort(np.random.default_rng(0).integers(0, 100 * 86400, 2000))
    assert infer_frequency((at + 1_700_000_000).astype("datetime64[s]")) == Frequency("D")


def test_one_moment_is_too_few():
    with pytest.raises(DataError, match="no item has two time stamps"):
        infer_frequency(times("2024-01-01", 2, 1, "D"), np.array([0, 1]))


def test_an_asked_frequency_begins_where_the_data_do():
    sundays, items = times("2024-01-07", 50, 7, "D"), np.zeros(50, np.int64)
    assert aligned(Frequency("W"), sundays, items) == Frequency("W", day_of_week=6)
    assert aligned(Frequency("M"), sundays, items) == Frequency("M")


def test_items_of_other_steps_are_found():
    moments = np.concatenate([times("2024-01-01", 30, 1, "D"), times("2024-01-01", 30, 7, "D")])
    assert differing_steps(moments, np.repeat([0, 1], 30)) == ((0, 1.0), (1, 7.0), 0.5)
    months = np.concatenate([times("2024-01", 30, 1, "M"), times("2024-02", 30, 1, "M")])
    assert differing_steps(months, np.repeat([0, 1], 30)) is None
