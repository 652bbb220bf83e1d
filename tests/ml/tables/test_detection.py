from pathlib import Path

import numpy as np
import polars as pl
import pytest

from headrace.ml.tables import Column, ColumnKind, detect_column, detect_columns, parse_column, read_table


def kind(values: list[object], name: str = "x") -> ColumnKind:
    return detect_column(pl.Series(name, values))[0].kind


def parsed(values: list[str]) -> list[float | None]:
    raw = pl.Series("x", values)
    return parse_column(raw, detect_column(raw)[0])[0].to_list()


@pytest.mark.parametrize(
    "values",
    [
        ["1", "2.5", "-3e4", ""],
        ["1,234.5", "12", "7,000,000"],
        ["1.234,5", "12,25", "7"],
        ["0,5", "12,25", "7"],
        ["1 234,5", "12,25", "7"],
        ["1'234.5", "12.25"],
        ["$1", "$2,000.50", "-$3"],
        ["£512.20", "£529.00"],
        ["12%", "7 %", "100%"],
        ["5 kg", "7.5 kg", "12 kg"],
        ["12 EUR", "7 EUR"],
        [1, 2, None],
        [True, False, None],
        ["1", "2", "n/a", "4", "?", "-"],
    ],
)
def test_numbers(values: list[object]):
    column, _ = detect_column(pl.Series("x", values))
    assert column.kind is ColumnKind.NUMBER
    assert not parse_column(pl.Series("x", values), column)[1].any()


@pytest.mark.parametrize(
    "values",
    [
        ["yes", "no", "yes"],
        ["A11", "A12", "A13"],
        ["12A", "13A"],
        ["01234", "98765", "10001"],
        ["", "", ""],
        [None, None],
        ["true", "false"],
        ["2 to 4", "more than 4", "none", "1"],
        ["unknown", "a"],
        ["0803-001", "1234-002"],
        ["00:15", "10:30"],
        ["10.0.0.1", "192.168.0.1"],
        ["1.2.3", "4.5.6"],
    ],
)
def test_labels(values: list[object]):
    assert kind(values) is ColumnKind.CATEGORY


def test_ints_that_are_codes_stay_numbers():
    assert kind(["1", "2", "3", "1"]) is ColumnKind.NUMBER


def test_zip_codes_are_labels_and_said():
    column, notes = detect_column(pl.Series("zip", ["01234", "98765", "10001"]))
    assert column.kind is ColumnKind.CATEGORY
    assert "leading zeros" in notes[0]


def test_free_text():
    texts = [f"this is sentence number {n} and it goes on for a while" for n in range(50)]
    assert kind(texts) is ColumnKind.TEXT
    assert kind(["red wine", "white wine"] * 50) is ColumnKind.CATEGORY


@pytest.mark.parametrize("token", ["?", "N/A", "na", "NULL", "none", "-", "nan", "#N/A"])
def test_disguised_missing_values(token: str):
    values = ["1", token, "3", "4", "5.5"]
    column, notes = detect_column(pl.Series("x", values))
    assert column.kind is ColumnKind.NUMBER
    assert parse_column(pl.Series("x", values), column)[0].to_list() == [1, None, 3, 4, 5.5]
    assert notes == (f"column 'x' has 1 values '{token}' (first: row 2) that count as missing",)


def test_unknown_is_a_label_and_none_may_be():
    assert detect_column(pl.Series("x", ["unknown", "a", "none", "?"]))[0].missing == ("?",)
    assert detect_column(pl.Series("x", ["None", "a"]))[0].missing == ("None",)


def test_a_few_odd_tokens_among_numbers_are_missing_and_said():
    values = [str(n) for n in range(99)] + ["ten"]
    column, notes = detect_column(pl.Series("x", values), np.arange(1001, 1101))
    assert column.kind is ColumnKind.NUMBER
    assert "ten" in column.missing
    assert notes == (
        "column 'x' has 1 values that are not numbers (first: 'ten' in row 1,100), which count as missing",
    )


def test_infinities_are_left_to_be_counted():
    values = [*map(str, range(20)), "inf", "-Infinity"]
    column, _ = detect_column(pl.Series("x", values))
    assert column.kind is ColumnKind.NUMBER
    assert parse_column(pl.Series("x", values), column)[1].sum() == 2


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ([-999, 1, 5, 9, -999, 40], ("-999",)),
        ([999, 1, 5, 9, 999, 40], ("999",)),
        (["-999", "1.5", "5", "9", "-999.0", "40"], ("-999",)),
        ([-1, 0, 1, 2, 3, -1], ()),
        ([-1, 1, -1, 1, 1, -1], ()),
        ([-1, 2010, 2011, 2015, -1, 2020], ("-1",)),
        ([99, 1, 50, 98, 99, 70], ()),
        ([99999, 41310, 0, 5, 99999, 3000], ()),
        ([-999, 1, 5, 9, 40], ()),
    ],
)
def test_sentinels_only_where_they_stand_apart(values: list[object], missing: tuple[str, ...]):
    assert detect_column(pl.Series("x", values))[0].missing == missing


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["2021-03-05", "2021-03-06"], ("%Y-%m-%d",)),
        (["2021-03-05T10:00:00Z", "2021-03-06T10:00:00+02:00"], ("%Y-%m-%d",)),
        (["13/04/2021", "03/04/2021"], ("%d/%m/%Y",)),
        (["04/13/2021", "04/03/2021"], ("%m/%d/%Y",)),
        (["01/04/2021", "02/04/2021", "03/04/2021"], ("%d/%m/%Y",)),
        (["5-Mar-2021", "6-Apr-2021"], ("%d-%b-%Y",)),
        (["March 5, 2021", "April 6, 2021"], ("%b %d, %Y",)),
        (["20210305", "20210306"], ("%Y%m%d",)),
        ([20210305, 20210306], ("%Y%m%d",)),
        (["1949-01", "1949-02"], ("%Y-%m",)),
        (["28.01.2018", "29.01.2018"], ("%d.%m.%Y",)),
    ],
)
def test_dates(values: list[object], formats: tuple[str, ...]):
    column, _ = detect_column(pl.Series("x", values))
    assert (column.kind, column.date_formats) == (ColumnKind.DATE, formats)
    assert not parse_column(pl.Series("x", values), column)[1].any()


def test_dates_in_five_formats():
    values = ["2021-03-05", "05/03/2021", "5-Mar-2021", "20210305", "March 5, 2021", "25/03/2021"]
    assert parsed(values) == [1614902400.0] * 5 + [1616630400.0]


def test_time_stamps_as_numbers_need_a_name_that_says_so():
    values = ["964982703", "964981247"]
    assert detect_column(pl.Series("timestamp", values))[0].date_formats == ("epoch",)
    assert detect_column(pl.Series("customer", values))[0].kind is ColumnKind.NUMBER
    assert detect_column(pl.Series("created_at", [964982703000]))[0].date_formats == ("epoch_ms",)


@pytest.mark.parametrize("dtype", [pl.Date, pl.Datetime("us"), pl.Datetime("ns", "UTC")])
def test_native_dates(dtype: pl.DataType):
    raw = pl.Series("x", ["2021-03-05"]).str.to_date().cast(dtype)
    column, _ = detect_column(raw)
    assert column.kind is ColumnKind.DATE
    assert parse_column(raw, column)[0].to_list() == [1614902400.0]
    assert parse_column(raw.cast(pl.String), column)[0].to_list() == [1614902400.0]


def test_lists_and_bytes_do_not_break_it():
    assert kind([["a", "b"], ["c"]]) is ColumnKind.CATEGORY
    assert detect_column(pl.Series("x", [b"\x89PNG"]))[1] != ()


def test_every_kind_of_text_column_is_found_in_one_table():
    frame = pl.DataFrame({"a": ["1", "2"], "b": ["x", "y"], "c": ["2021-03-05", ""]})
    columns, notes = detect_columns(frame)
    assert [column.kind.value for column in columns] == ["number", "category", "date"]
    assert columns[0] == Column("a", ColumnKind.NUMBER)
    assert notes == ()


def test_detection_does_not_depend_on_the_order_it_is_asked():
    frame = pl.DataFrame({"a": ["1", "?", "3"], "b": ["05/03/2021", "06/03/2021", "07/03/2021"]})
    assert detect_columns(frame) == detect_columns(frame)
    assert detect_columns(frame.select("b", "a"))[0] == tuple(reversed(detect_columns(frame)[0]))


def test_telco_churn(data_sets: Path):
    table = read_table(data_sets / "telco_churn/Telco-Customer-Churn.csv")
    columns = {column.name: column.kind.value for column in detect_columns(table.frame, table.rows)[0]}
    numbers = {name for name, value in columns.items() if value == "number"}
    assert numbers == {"SeniorCitizen", "tenure", "MonthlyCharges", "TotalCharges"}
    assert set(columns.values()) == {"number", "category"}


def test_bank_marketing(data_sets: Path):
    table = read_table(data_sets / "bank_marketing/bank-additional-full.csv")
    columns = {column.name: column for column in detect_columns(table.frame, table.rows)[0]}
    assert columns["pdays"].missing == ("999",)
    assert columns["job"] == Column("job", ColumnKind.CATEGORY)
