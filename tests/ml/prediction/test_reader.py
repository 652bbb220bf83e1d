"""The two readings of a value, alone and in a column, agree."""

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.ml.errors import InputError
from headrace.ml.prediction.manifest import Input
from headrace.ml.prediction.reader import read_rows, require_columns, row_reader, shortened
from headrace.ml.tables.columns import Column, ColumnKind

COLUMNS = [
    Column("a", ColumnKind.NUMBER),
    Column("a", ColumnKind.NUMBER, missing=("-999", "n/a"), decimal=",", thousands=".", affixes=("€", "%")),
    Column("a", ColumnKind.DATE, date_formats=("%d/%m/%Y", "%Y-%m-%d")),
    Column("a", ColumnKind.CATEGORY, missing=("?",)),
    Column("a", ColumnKind.TEXT),
]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.text(max_size=8),
    st.sampled_from(["", " ", "1.234,5", "€ 12", "n/a", "?", "-999", -999, "03/04/2021", "inf", "1e400", "\ud800"]),
)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"{column.kind}{column.decimal}")
@given(values=st.lists(VALUES, min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_value_alone_and_in_a_column_read_the_same(column, values):
    read = row_reader(column)
    alone = []
    for value in values:
        try:
            alone.append(read(value))
        except InputError:
            alone.append("unreadable")
    for _ in range(2):  # what is remembered stays the same
        assert [read(v) for v, a in zip(values, alone, strict=True) if a != "unreadable" and a == a] == [
            a for a in alone if a != "unreadable" and a == a
        ]
    missing = [math.nan if a == "unreadable" else a for a in alone]
    # A readable value keeps the column from being refused whole.
    filler = {ColumnKind.NUMBER: 1.0, ColumnKind.DATE: "2020-01-01"}.get(column.kind, "x")
    typed = read_rows([{"a": v} for v in [*values, filler]], [Input(column)])
    together = typed.frame["a"].to_list()[:-1]
    for one, other in zip(missing, together, strict=True):
        assert one == other or (one != one and other is None)
    assert any("not" in note for note in typed.notes) == ("unreadable" in alone)


def test_numbers_whole_and_broken_make_one_column():
    typed = read_rows({"a": [1, 2.5, None]}, [Input(COLUMNS[0])])
    assert typed.frame["a"].to_list() == [1.0, 2.5, None]
    labels = read_rows({"a": [1, 2.5, True, None, "x"]}, [Input(COLUMNS[3])])
    assert labels.frame["a"].to_list() == ["1", "2.5", "true", "", "x"]


def test_many_absent_columns_are_counted():
    inputs = [Input(Column(f"c{i}", ColumnKind.NUMBER)) for i in range(8)]
    with pytest.raises(InputError, match="'c0', 'c1', 'c2', 'c3', 'c4' and 3 more are absent"):
        require_columns([], inputs)
    with pytest.raises(InputError, match="column 'c7' is absent"):
        require_columns([f"c{i}" for i in range(7)], inputs)


def test_a_misspelt_column_is_found():
    with pytest.raises(InputError, match=r"column 'tenure' is absent .* or rename 'Tenur' to 'tenure'"):
        read_rows({"Tenur": [1]}, [Input(Column("tenure", ColumnKind.NUMBER))])


def test_an_arrow_table_with_a_name_twice_is_refused():
    import pyarrow

    with pytest.raises(InputError, match="the Arrow table cannot be read"):
        read_rows(pyarrow.table([[1], [2]], names=["a", "a"]), [Input(COLUMNS[0])])


def test_names_that_are_numbers_are_read_as_text():
    import pandas

    typed = read_rows(pandas.DataFrame({0: [1.5]}), [Input(Column("0", ColumnKind.NUMBER))])
    assert typed.frame["0"].to_list() == [1.5]


def test_rows_without_inputs_keep_their_number():
    assert read_rows(pl.DataFrame({"other": [1, 2]}), []).frame.height == 2


def test_long_values_are_cut_in_messages():
    assert shortened("x" * 100) == "'" + "x" * 56 + "..."


@pytest.mark.parametrize("value", [999, 999.0, "999", "999.0", None, float("nan")])
def test_a_number_that_stands_for_missing_is_no_error(value):
    assert math.isnan(row_reader(Column("days", ColumnKind.NUMBER, missing=("999",)))(value))
