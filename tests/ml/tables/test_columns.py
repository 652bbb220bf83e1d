"""The column parser and its single-value twin must agree on every value."""

import datetime
import math
from decimal import Decimal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.ml.tables import Column, ColumnKind, parse_column, parse_value, table_from_frame

NUMBERS = [
    Column("x", ColumnKind.NUMBER),
    Column("x", ColumnKind.NUMBER, missing=("-999", "?"), thousands=",", affixes=("$", "%", "EUR")),
    Column("x", ColumnKind.NUMBER, decimal=",", thousands=".", affixes=("€",)),
    Column("x", ColumnKind.NUMBER, decimal=",", thousands=" "),
    Column("x", ColumnKind.NUMBER, thousands="'", affixes=("kg", "k", "+")),
]
DATES = [
    Column("x", ColumnKind.DATE, date_formats=("%Y-%m-%d", "%d/%m/%Y", "%d-%b-%Y", "%Y%m%d", "%b %d, %Y")),
    Column("x", ColumnKind.DATE, date_formats=("%m/%d/%y", "%Y-%m", "epoch"), missing=("0000-00-00",)),
    Column("x", ColumnKind.DATE, date_formats=("epoch_ms",)),
]
TEXTS = [Column("x", ColumnKind.CATEGORY, missing=("?", "N/A")), Column("x", ColumnKind.TEXT)]


def assert_agree(raw: pl.Series, values: list[object], column: Column) -> None:
    parsed, unreadable = parse_column(raw, column)
    single = [parse_value(value, column) for value in values]
    assert parsed.name == column.name
    assert unreadable.dtype == pl.Boolean and len(unreadable) == len(raw)
    if column.kind in (ColumnKind.CATEGORY, ColumnKind.TEXT):
        assert parsed.dtype == pl.String and parsed.to_list() == single
        assert not unreadable.any()
        return
    assert parsed.dtype == pl.Float64
    for value, whole, alone, odd in zip(values, parsed.to_list(), single, unreadable.to_list(), strict=True):
        assert isinstance(alone, float)
        assert (whole is None) == math.isnan(alone), value
        assert whole is None or (whole == alone and math.copysign(1, whole) == math.copysign(1, alone)), value
        assert not (odd and whole is not None), value


number_like = st.text("0123456789.,+-−eE'$€% \u00a0kgEURinfa?", max_size=14)
date_like = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(["2021", "21", "1", "31", "29", "Mar", "September", "0001", "Fri, 5"]),
    st.sampled_from(["-", "/", " ", "", "."]),
    st.sampled_from(["02", "2", "13", "Feb", "30", "sept.", "ſep"]),
    st.sampled_from(["-", "/", " ", "", ", "]),
    st.sampled_from(["2020", "29", "1", "99", "2100", "00"]),
    st.sampled_from(
        [
            "",
            " 10:15",
            "T24:00",
            "T10:15:30.123456789Z",
            " 12:05 am",
            " 1:5",
            " 13:00 PM",
            " 10:15+05:30",
            "T01:02:03-0800",
        ]
    ),
)


@pytest.mark.parametrize("column", [*NUMBERS, *DATES, *TEXTS], ids=str)
@settings(deadline=None)
@given(
    values=st.lists(
        st.one_of(st.none(), number_like, date_like, st.text(max_size=8), st.floats().map(repr)), max_size=8
    )
)
def test_text_agrees(column: Column, values: list[str | None]):
    assert_agree(pl.Series("raw", values, dtype=pl.String), list(values), column)


@pytest.mark.parametrize("column", [NUMBERS[1], DATES[0], DATES[1], TEXTS[0]], ids=str)
@pytest.mark.parametrize(
    ("dtype", "strategy"),
    [
        (pl.Int64, st.integers(-(1 << 63), (1 << 63) - 1)),
        (pl.Int8, st.integers(-128, 127)),
        (pl.UInt64, st.integers(0, (1 << 64) - 1)),
        (pl.Float64, st.floats()),
        (pl.Float32, st.floats(width=32)),
        (pl.Boolean, st.booleans()),
        (pl.Decimal(20, 4), st.decimals(-(10**12), 10**12, places=4)),
        (pl.Date, st.dates()),
        (pl.Datetime("us"), st.datetimes()),
        (pl.Datetime("us", "UTC"), st.datetimes(timezones=st.just(datetime.UTC))),
        (pl.Datetime("ms"), st.datetimes().map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000))),
        (pl.Duration("us"), st.timedeltas(datetime.timedelta(-9999), datetime.timedelta(9999))),
        (pl.Time, st.times()),
        (pl.Categorical, st.sampled_from(["a", "?", "1.5", ""])),
        (pl.List(pl.Int64), st.lists(st.integers(0, 9), max_size=3)),
        (pl.Binary, st.binary(max_size=5)),
    ],
    ids=str,
)
def test_native_values_agree(column: Column, dtype: pl.DataType, strategy: st.SearchStrategy[object]):
    @settings(max_examples=25, deadline=None)
    @given(values=st.lists(st.one_of(st.none(), strategy), max_size=6))
    def agree(values: list[object]):
        raw = pl.Series("raw", values, dtype=dtype)
        assert_agree(raw, raw.to_list(), column)

    agree()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("12", 12.0),
        (" 1,234.50 ", 1234.5),
        ("$1,234", 1234.0),
        ("-$3", -3.0),
        ("$ -3", -3.0),
        ("−3", -3.0),
        ("45 %", 45.0),
        ("12 EUR", 12.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("true", 1.0),
        ("-999", None),
        ("-999.0", None),
        ("?", None),
        ("", None),
        ("  ", None),
    ],
)
def test_numbers(raw: str, expected: float | None):
    values, unreadable = parse_column(pl.Series([raw]), NUMBERS[1])
    assert values.to_list() == [expected]
    assert not unreadable.any()


@pytest.mark.parametrize(
    "raw", ["1,2", "12,34,5", "--3", "+$-3", "abc", "1 2", "1_000", "0x10", "inf", "-Infinity", "nan", "1e999", "$"]
)
def test_what_is_no_finite_number_is_unreadable(raw: str):
    values, unreadable = parse_column(pl.Series([raw]), NUMBERS[1])
    assert values.to_list() == [None]
    assert unreadable.to_list() == [True]


def test_decimal_comma():
    values, _ = parse_column(pl.Series(["1.234,5", "0,5 €", "1.234", "1.5"]), NUMBERS[2])
    assert values.to_list() == [1234.5, 0.5, 1234.0, None]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2021-03-05", "2021-03-05T00:00:00"),
        ("2021-03-05 10:11", "2021-03-05T10:11:00"),
        ("2021-03-05T10:11:12.5Z", "2021-03-05T10:11:12.5"),
        ("2021-03-05T10:11:12+02:00", "2021-03-05T08:11:12"),
        ("03/04/2021", "2021-04-03T00:00:00"),
        ("3/4/2021 1:15 PM", "2021-04-03T13:15:00"),
        ("5-Mar-2021", "2021-03-05T00:00:00"),
        ("20210305", "2021-03-05T00:00:00"),
        ("March 5, 2021", "2021-03-05T00:00:00"),
        ("1969-12-31 23:59:59.75", "1969-12-31T23:59:59.75"),
        ("0001-01-01", "0001-01-01T00:00:00"),
        ("2024-02-29", "2024-02-29T00:00:00"),
    ],
)
def test_dates(raw: str, expected: str):
    values, unreadable = parse_column(pl.Series([raw]), DATES[0])
    seconds = datetime.datetime.fromisoformat(expected).replace(tzinfo=datetime.UTC).timestamp()
    assert values.to_list() == [seconds]
    assert not unreadable.any()


@pytest.mark.parametrize(
    "raw", ["2021-02-29", "2021-13-01", "31/04/2021", "2021-03-05 25:00", "0000-01-01", "soon", "5-Foo-2021"]
)
def test_impossible_dates_are_unreadable(raw: str):
    values, unreadable = parse_column(pl.Series([raw]), DATES[0])
    assert values.to_list() == [None]
    assert unreadable.to_list() == [True]


@settings(deadline=None)
@given(st.datetimes())
def test_every_iso_date_reads_as_python_reads_it(moment: datetime.datetime):
    expected = (moment - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1) / 1e6
    assert parse_value(moment.isoformat(), DATES[0]) == expected
    assert parse_value(moment, DATES[0]) == expected


def test_epochs():
    column = Column("x", ColumnKind.DATE, date_formats=("epoch",))
    assert parse_value("964982703", column) == parse_value(964982703, column) == 964982703.0
    assert parse_value("964982703500", Column("x", ColumnKind.DATE, date_formats=("epoch_ms",))) == 964982703.5


def test_infinities_become_missing_and_are_counted():
    values, unreadable = parse_column(
        pl.Series([1.0, math.inf, -math.inf, math.nan, None]), Column("x", ColumnKind.NUMBER)
    )
    assert values.to_list() == [1.0, None, None, None, None]
    assert unreadable.to_list() == [False, True, True, False, False]


def test_labels_are_stripped_and_missing_ones_empty():
    values, _ = parse_column(pl.Series([" Private", "?", "", None, "N/A", "x "]), TEXTS[0])
    assert values.to_list() == ["Private", "", "", "", "", "x"]


def test_whole_numbers_are_one_label_whatever_their_type():
    assert {parse_value(value, TEXTS[0]) for value in (1, 1.0, "1", np.int64(1), np.float32(1), Decimal("1.0"))} == {
        "1"
    }


@pytest.mark.parametrize(
    "value",
    [None, math.nan, np.nan, np.datetime64("NaT", "s"), np.timedelta64("NaT", "s"), pl.Series([], dtype=pl.Int8)],
)
def test_whatever_means_nothing_is_missing(value: object):
    assert math.isnan(parse_value(value, NUMBERS[0]))
    assert math.isnan(parse_value(value, DATES[0]))
    assert parse_value(value, TEXTS[0]) == ""


def test_pandas_values_agree_with_pandas_columns():
    import pandas as pd

    frame = pd.DataFrame(
        {"x": pd.to_datetime(["2021-03-05 10:00:00.123456789", None]), "y": pd.array([1, None], dtype="Int64")}
    )
    table = table_from_frame(frame)
    for name, column in (("x", DATES[0]), ("y", NUMBERS[0])):
        parsed, _ = parse_column(table.frame[name], column)
        assert parsed.to_list()[0] == parse_value(frame[name].iloc[0], column)
        assert math.isnan(parse_value(frame[name].iloc[1], column)) and parsed.to_list()[1] is None
