"""Time stamps as people write them."""

import datetime

import numpy as np
import polars as pl
import pytest

from headrace.ml.applications.forecasting.panel.moments import read_moments
from headrace.ml.errors import ColumnError, OptionError, ParseError
from headrace.ml.tables import table_from_frame


def read(values, **options):
    """Return the moments as text, and what is notable."""
    seconds, _, notes = read_moments(table_from_frame(pl.DataFrame({"t": values})), "t", **options)
    return seconds.astype("datetime64[s]").astype(str).tolist(), notes


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2024-01-31", "2024-02-01", "2024-01-31T00:00:00"),
        ("2024-01-31 07:05:09", "2024-01-31 08:05:09", "2024-01-31T07:05:09"),
        ("2024-01-31T07:05:09.25", "2024-01-31T08:05:09.25", "2024-01-31T07:05:09"),
        ("31.01.2024", "01.02.2024", "2024-01-31T00:00:00"),
        ("1/31/2024 7:05 PM", "2/1/2024 7:05 PM", "2024-01-31T19:05:00"),
        ("Jan 31, 2024", "Feb 1, 2024", "2024-01-31T00:00:00"),
        ("2024-01", "2024-02", "2024-01-01T00:00:00"),
        ("202401", "202402", "2024-01-01T00:00:00"),
        ("20240131", "20240201", "2024-01-31T00:00:00"),
        ("2024", "2025", "2024-01-01T00:00:00"),
        ("2024Q3", "2024Q4", "2024-07-01T00:00:00"),
        ("Q3 2024", "Q4 2024", "2024-07-01T00:00:00"),
        ("2024-W05", "2024-W06", "2024-01-29T00:00:00"),
        (2024, 2025, "2024-01-01T00:00:00"),
        (1706659200, 1706745600, "2024-01-31T00:00:00"),
        (datetime.date(2024, 1, 31), datetime.date(2024, 2, 1), "2024-01-31T00:00:00"),
    ],
)
def test_formats(first, second, expected):
    found, notes = read([first, second])
    assert found[0] == expected
    assert notes == ()


def test_the_local_clock_of_one_offset():
    found, notes = read(["2024-01-31T07:00:00+05:30", "2024-01-31T08:00:00+05:30"])
    assert found[0] == "2024-01-31T07:00:00"
    assert "local clock of its offset +05:30" in notes[0]
    assert read(["2024-01-31T07:00:00Z", "2024-01-31T08:00:00Z"]) == (
        ["2024-01-31T07:00:00", "2024-01-31T08:00:00"],
        (),
    )


def test_days_of_summer_and_winter_time_stay_days():
    found, notes = read(["2024-03-30T00:00:00+01:00", "2024-04-01T00:00:00+02:00"])
    assert found == ["2024-03-30T00:00:00", "2024-04-01T00:00:00"]
    assert "days are read as written" in notes[0]
    found, notes = read(["2024-03-30T09:00:00+01:00", "2024-04-01T09:00:00+02:00"])
    assert found == ["2024-03-30T08:00:00", "2024-04-01T07:00:00"]
    assert "read in UTC" in notes[0]


def test_a_time_zone_that_is_named():
    stamps = ["2024-03-30T08:00:00Z", "2024-04-01T08:00:00Z"]
    assert read(stamps, time_zone="Europe/Berlin")[0] == ["2024-03-30T09:00:00", "2024-04-01T10:00:00"]
    mixed = ["2024-03-30T08:00:00Z", "2024-04-01 08:00:00"]
    assert read(mixed, time_zone="Europe/Berlin")[0] == ["2024-03-30T09:00:00", "2024-04-01T08:00:00"]
    native = pl.Series([datetime.datetime(2024, 3, 30, 8)], dtype=pl.Datetime("us", "UTC"))
    assert read(native)[0] == ["2024-03-30T08:00:00"]
    assert read(native, time_zone="Asia/Tokyo")[0] == ["2024-03-30T17:00:00"]
    with pytest.raises(OptionError, match="no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'"):
        read(["2024-01-01 10:00"], time_zone="Europe/Berln")


def test_offsets_in_some_rows_alone_are_refused():
    with pytest.raises(ParseError, match=r"with an offset, as in row 1 .*and without, as in row 2"):
        read(["2024-03-30T08:00:00Z", "2024-04-01 08:00:00"])


def test_two_formats_in_one_column_name_their_rows():
    with pytest.raises(ParseError, match=r"2 formats, as in row 1 \('2024-01-01'\) and in row 41 \('13/02/2024'\)"):
        read([f"2024-01-{1 + day % 28:02d}" for day in range(40)] + ["13/02/2024", "14/02/2024"] * 9)


def test_formats_that_cannot_be_confused_are_said():
    found, notes = read([f"2024-01-{1 + day % 28:02d}" for day in range(40)] + ["2024/02/13"] * 9)
    assert found[-1] == "2024-02-13T00:00:00"
    assert "in 2 formats, as in row 1 ('2024-01-01') and in row 41 ('2024/02/13')" in notes[0]


def test_what_is_no_time_stamp_names_its_row():
    days = [f"2024-01-{1 + day % 28:02d}" for day in range(60)]
    with pytest.raises(ParseError, match=r"1 value that cannot be read .*\(first: row 61 \('soon'\)\)"):
        read([*days, "soon"])
    with pytest.raises(ParseError, match=r"no time stamp in a row \(first: row 2\)"):
        read(["2024-01-01", None])
    with pytest.raises(ParseError, match=r"dd/mm/yyyy.*first: row 1 \('2024-01-01'\)"):
        read(["2024-01-01"], date_format="%d/%m/%Y")
    with pytest.raises(ColumnError, match="holds no dates"):
        read(["red", "green"])
    with pytest.raises(ColumnError, match="no column 'when'"):
        read_moments(table_from_frame(pl.DataFrame({"t": [1]})), "when")


def test_no_such_week():
    with pytest.raises(ParseError, match=r"row 53 \('2023-W53'\)"):
        read([f"2023-W{week:02d}" for week in range(1, 54)])


def test_moments_before_1970():
    found, _ = read(["1949-01-15", "1949-02-15"])
    assert found[0] == "1949-01-15T00:00:00"
    assert np.datetime64(found[1]) > np.datetime64(found[0])
