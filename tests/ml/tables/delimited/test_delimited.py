"""Delimited text: small cases written here, and two public collections of messy files."""

import csv
import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headrace.ml.errors import ColumnError, DataError, ParseError, SourceError
from headrace.ml.tables import Table, read_table
from headrace.ml.tables.delimited import read_delimited

SPECTRUM = Path(__file__).parents[3] / "data" / "csv_spectrum"


def read(text: str, header: bool | None = None) -> Table:
    return read_delimited(text, "t.csv", header)


def rows(text: str) -> list[tuple[str, ...]]:
    return [tuple(read(text).frame.columns), *read(text).frame.rows()]


@pytest.mark.parametrize("path", sorted((SPECTRUM / "csvs").iterdir()), ids=lambda path: path.stem)
def test_csv_spectrum(path: Path):
    expected = json.loads((SPECTRUM / "json" / f"{path.stem}.json").read_text(encoding="utf-8"))
    expected = [{name: value.replace("\r\n", "\n") for name, value in row.items()} for row in expected]
    assert read_table(path).frame.rows(named=True) == expected


def plain(cell: str) -> str:
    return cell.replace("\r\n", "\n").strip()


POLLOCK_REFUSED = {
    "file_multitable_less.csv": "row 84 ",
    "file_multitable_same.csv": "row 84 ",
    "file_no_payload.csv": "is empty",
    "locations-1998.csv": "is empty",
    "row_field_delimiter_15_0x20.csv": "row 15 ",
    "row_less_sep_row0_col1.csv": "the header .* \\(line 1\\)",
    "row_less_sep_row13_col5.csv": "row 13 ",
    "row_less_sep_row20_col3.csv": "row 20 ",
    "row_less_sep_row27_col1.csv": "row 27 ",
    "row_less_sep_row6_col7.csv": "row 6 ",
}


def test_pollock(data_sets: Path):
    seen = 0
    for path in sorted((data_sets / "messy_csv_pollock").glob("*/csv/*.csv")):
        seen += 1
        if path.name in POLLOCK_REFUSED:
            with pytest.raises(DataError, match=POLLOCK_REFUSED[path.name]):
                read_table(path)
            continue
        with (path.parents[1] / "clean" / path.name).open(encoding="utf-8", newline="") as stream:
            header, *expected = [[plain(cell) for cell in row] for row in csv.reader(stream)]
        table = read_table(path)
        assert [[plain(cell) for cell in row] for row in table.frame.rows()] == expected, path.name
        named = [name or f"column_{position}" for position, name in enumerate(header, 1)]
        if path.name.startswith("Auto_Tone"):
            named = [f"column_{position}" for position in range(1, len(header) + 1)]
        different = [pair for pair in zip(map(plain, table.frame.columns), named, strict=True) if pair[0] != pair[1]]
        # three names of one header over three rows were typed by hand in the expected table
        assert len(different) == (3 if path.name.startswith("workforce") else 0), different
    assert seen == 42


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("sms_spam/SMSSpamCollection.tsv", (5574, 2)),
        ("bank_marketing/bank-additional-full.csv", (41188, 21)),
        ("german_credit/german.csv", (1000, 21)),
        ("avocado_sales/avocado.csv", (30021, 13)),
        ("adult/adult.csv.gz", (48842, 15)),
        ("titanic/train.csv", (891, 12)),
        ("ames_housing/ames.csv", (2930, 82)),
        ("messy_csv_encodings/volcano_db.csv", (1571, 10)),
        ("ag_news_test/test.csv", (7600, 3)),
        ("tatoeba_fra_eng/fra.txt.gz", (142787, 2)),
        ("m4_hourly_weekly/Weekly-train.csv.gz", (359, 2598)),
    ],
)
def test_real_tables(data_sets: Path, name: str, shape: tuple[int, int]):
    assert read_table(data_sets / name).frame.shape == shape


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, end: str):
    lines = [["name", "size", "note"], ["ann", "1.5", "x y"], ["bob", "2", ""], ["cy", "-3", "z"]]
    assert rows(end.join(delimiter.join(line) for line in lines) + end) == [tuple(line) for line in lines]


def test_mixed_line_ends_and_blank_lines():
    assert rows("a,b\r\n1,2\n\n3,4\r5,6\n\n\n") == [("a", "b"), ("1", "2"), ("3", "4"), ("5", "6")]


def test_decimal_commas_do_not_separate():
    assert rows("a;b\n1,5;2,25\n2,5;3,75\n")[1:] == [("1,5", "2,25"), ("2,5", "3,75")]


def test_spaces_separate_where_nothing_else_does():
    table = read("1 2.5 A11\n4  5.5 A12\n7 8.5 A11 \n")
    assert table.frame.rows() == [("1", "2.5", "A11"), ("4", "5.5", "A12"), ("7", "8.5", "A11")]
    assert table.frame.columns == ["column_1", "column_2", "column_3"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a,b\n"x ""y"" z",1\n', ('x "y" z', "1")),
        ('a,b\n"line\nbreak",1\n', ("line\nbreak", "1")),
        ('a,b\n"x, y",1\n', ("x, y", "1")),
        ('a,b\n"x \\"y\\" z",1\nq,2\n', ('x "y" z', "1")),
        ('a,b\n"he said "hi" there",1\nq,2\n', ('he said "hi" there', "1")),
        ("a,b\n'x, y',1\nq,2\n", ("x, y", "1")),
        ('a, b\nx, "1, 2"\nq, 2\n', ("x", "1, 2")),
        ('a,b\n5" pipe,1\n"q",2\n', ('5" pipe', "1")),
        ('a,b\n"unclosed,1\nq,2\n', ('"unclosed', "1")),
    ],
)
def test_quotes(text: str, expected: tuple[str, str]):
    assert read(text).frame.row(0) == expected


def test_lone_quotes_in_unquoted_text_do_not_swallow_lines():
    text = 'label\tmessage\nham\t"Hello there\nspam\tbuy now"\nham\tfine\n'
    assert rows(text)[1:] == [("ham", '"Hello there'), ("spam", 'buy now"'), ("ham", "fine")]


def test_short_and_long_rows_are_put_right_and_said():
    table = read("a,b,c\n1,2,3\n4,5\n7,8,9,\n1,2,3\n")
    assert table.frame.rows() == [("1", "2", "3"), ("4", "5", ""), ("7", "8", "9"), ("1", "2", "3")]
    assert any("short" in note and "row 2" in note for note in table.notes)
    assert any("end" in note and "row 3" in note for note in table.notes)


def test_an_ambiguous_row_is_refused_with_its_number():
    with pytest.raises(ParseError, match=r"row 2 \(line 3\) of 't.csv' has 4 fields where the others have 3"):
        read("a,b,c\n1,2,3\n4,5,6,7\n7,8,9\n")


def test_lines_around_the_table_are_dropped_and_said():
    table = read("My report\nMade today\n\na,b,c\n1,2,3\n4,5,6\nSource: the office of things\n")
    assert table.frame.columns == ["a", "b", "c"]
    assert table.frame.height == 2
    assert len(table.notes) == 2


@pytest.mark.parametrize("comment", ["# made by x", "# made by x, y", "// x", "# z\n# y"])
def test_comments_are_dropped(comment: str):
    assert rows(f"{comment}\na,b\n1,2\n3,4\n") == [("a", "b"), ("1", "2"), ("3", "4")]


def test_a_header_may_begin_with_a_hash():
    assert read("#id,name\n1,x\n2,y\n").frame.columns == ["#id", "name"]


def test_rows_keep_their_position_when_empty_ones_are_dropped():
    table = read("a,b\n1,2\n,\n3,4\n,\n")
    assert table.rows.tolist() == [1, 3]
    assert table.frame.rows() == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("1,2\n3,4\n", ["column_1", "column_2"]),
        ("A11,6,x\nA12,7,y\nA11,8,x\nA12,6,x\n", ["column_1", "column_2", "column_3"]),
        ("country,2015,2016\nFR,1.5,2\nDE,3,4\n", ["country", "2015", "2016"]),
        ("a,b\nx,y\nz,w\n", ["a", "b"]),
        (" a , b \n1,2\n", ["a", "b"]),
        ("a,,c\n1,2,3\n4,5,6\n", ["a", "column_2", "c"]),
        (",a\n0,x\n1,y\n", ["column_1", "a"]),
        ("Group,,Other\n,x,y\nn,1,2\nm,3,4\n", ["Group", "Group x", "Other y"]),
    ],
)
def test_headers(text: str, columns: list[str]):
    assert read(text).frame.columns == columns


def test_header_as_told():
    assert read("a,b\nc,d\n", header=False).frame.rows() == [("a", "b"), ("c", "d")]
    assert read("1,2\n3,4\n", header=True).frame.columns == ["1", "2"]


def test_a_single_column():
    assert rows("text\nhello world, yes\nno\n") == [("text",), ("hello world, yes",), ("no",)]


def test_what_is_refused():
    with pytest.raises(SourceError, match="is empty"):
        read(" \n\n")
    with pytest.raises(SourceError, match="has a header but no rows"):
        read("a,b,c\n")
    with pytest.raises(ColumnError, match=r"several columns named 'a' \('a' at positions 1, 3\)"):
        read("a,b,a\n1,2,3\n")
    with pytest.raises(ParseError, match=r"row 3 .* repeats the header"):
        read("a,b\n1,2\n3,4\na,b\n5,6\n")
    with pytest.raises(ParseError, match=r"the header .* has 2 names but its rows have 3 fields"):
        read("a,b\n1,2,3\n4,5,6\n7,8,9\n")


def test_ten_thousand_columns():
    header = ",".join(f"c{index}" for index in range(10_000))
    table = read("\n".join([header, *(",".join(["1.5"] * 10_000) for _ in range(5))]))
    assert table.frame.shape == (5, 10_000)
    assert table.frame.columns[-1] == "c9999"


cells = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff\u2028\u2029\x85"), max_size=6
)


@settings(deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), min_size=3, max_size=8), st.sampled_from([",", ";", "\t"]))
def test_whatever_is_quoted_by_the_book_is_read_back(values: list[tuple[str, str, str]], delimiter: str):
    head = [("first name", "second name", "third name"), ("a b", "1.5", "2")]
    lines = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in [*head, *values]]
    table = read("\r\n".join(lines), header=True)
    kept = [row for row in [head[1], *values] if any(cell.strip() for cell in row)]
    assert table.frame.rows() == kept


@settings(deadline=None, max_examples=300)
@example('#;";')
@example("1;\r1;;1;\r1;")
@example("'1\r1';'1\r1'")
@given(st.text('ab1,;"\n\r\t |#\\', max_size=60))
def test_any_text_is_read_or_refused(text: str):
    try:
        table = read(text)
    except DataError as error:
        assert "'t.csv'" in str(error) and "\n" not in str(error)
    else:
        assert table.frame.height == len(table.rows) > 0
        assert all(dtype == pl.String for dtype in table.frame.dtypes)
