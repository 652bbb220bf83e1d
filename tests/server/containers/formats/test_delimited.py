"""CSV: the quick reader and the careful one, and the sentences about what is no row."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.server.containers.contract import ClientError
from headrace.server.containers.formats.delimited import _read_carefully, _read_large, read_csv
from headrace.server.containers.formats.soundness import Source

SOURCE = Source("train.csv")
NAN = float("nan")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"1,2\n3,4\n", [[1, 2], [3, 4]]),
        (b"1,2\r\n3,4", [[1, 2], [3, 4]]),
        (b"\n1,2\n\n  \n3,4\n\n", [[1, 2], [3, 4]]),
        (b"\xef\xbb\xbf1,2\n", [[1, 2]]),
        (b"1,\n,4\n,\n", [[1, NAN], [NAN, 4], [NAN, NAN]]),
        (b"nan,NaN\n", [[NAN, NAN]]),
        (b" 1 , 2 \n-3e-2,+.5\n", [[1, 2], [-0.03, 0.5]]),
        (b'"1","2"\n"3",4\n', [[1, 2], [3, 4]]),
        (b"1;2\n3;4\n", [[1, 2], [3, 4]]),
        (b"1\t2\n3\t\n", [[1, 2], [3, NAN]]),
        (b"\t2\n\t\n3\t4\n", [[NAN, 2], [NAN, NAN], [3, 4]]),
        (b"1|2\n3|4\n", [[1, 2], [3, 4]]),
        (b"1 2\n3  4 \n", [[1, 2], [3, 4]]),
        (b"1\n2\n\n3\n", [[1], [2], [3]]),
        (b"7", [[7]]),
    ],
)
def test_rows_are_read(text: bytes, expected: list[list[float]]) -> None:
    read = read_csv(text, SOURCE)
    np.testing.assert_array_equal(read.features, np.array(expected, np.float32))
    assert read.features.dtype == np.float32
    assert read.labels is None
    assert read.weights is None


def test_labels_come_first_then_weights() -> None:
    text = b"1,0.5,3,4\n0,2,5,6\n"
    rows = read_csv(text, SOURCE, label_size=1, weighted=True)
    assert rows.labels is not None
    assert rows.weights is not None
    assert rows.labels.tolist() == [1, 0]
    assert rows.weights.tolist() == [0.5, 2]
    assert rows.features.tolist() == [[3, 4], [5, 6]]
    several = read_csv(text, SOURCE, label_size=2)
    assert several.labels is not None
    assert several.labels.tolist() == [[1, 0.5], [0, 2]]


@pytest.mark.parametrize(
    ("text", "options", "sentence"),
    [
        (b"", {}, "There are no rows in file 'train.csv'."),
        (b"\n \r\n", {}, "There are no rows in file 'train.csv'."),
        (
            b"sex,length,rings\n1,2,3\n",
            {},
            "Non-numeric value 'sex' found in the header line 'sex,length,rings' of file 'train.csv'. CSV format "
            "requires no header line in it; if the header line is already removed, every value has to be a number.",
        ),
        (
            b"1,2,3\n4,five,6\n",
            {},
            "Non-numeric value 'five' found in line 2, column 2 of file 'train.csv'; every value has to be a number, and "
            "an empty one is missing.",
        ),
        (b"1,2\n3,1_000\n", {}, "Non-numeric value '1_000' found in line 2, column 2"),
        (b"1,2\n3,0x10\n", {}, "Non-numeric value '0x10' found in line 2, column 2"),
        (b"1,2\n3,\xff\xfe\n", {}, r"Non-numeric value '\xff\xfe' found in line 2, column 2"),
        (b"1,2\n3,\xd9\xa3\n", {}, "Non-numeric value"),
        (b"1,2\n3," + b"x" * 500, {}, "Non-numeric value '" + "x" * 50 + "...' found"),
        (b"1,2\n3\n", {}, "Line 2 of file 'train.csv' has 1 columns, and the first line has 2"),
        (b"1,2\n\n3,4,5\n", {}, "Line 3 of file 'train.csv' has 3 columns, and the first line has 2"),
        (b"1,2\n3,1e999\n", {}, "Row 2 of file 'train.csv' holds a number that is infinite or too large"),
        (b"1,2\n3,1e39\n", {}, "Row 2 of file 'train.csv' holds a number that is infinite or too large"),
        (b"1,-inf\n", {}, "Row 1 of file 'train.csv' holds a number that is infinite"),
        (b"1,2\n,2\n", {"label_size": 1}, "Row 2 of file 'train.csv' has no label"),
        (b"inf,2\n", {"label_size": 1}, "Row 1 of file 'train.csv' has no label, or one that is not a finite number"),
        (b"1,-2,3\n", {"label_size": 1, "weighted": True}, "Row 1 of file 'train.csv' has a weight"),
        (b"1\n2\n", {"label_size": 1}, "which leaves no feature beside 1 of labels"),
        (b'1,2\n"3,4\n', {}, "the quotes in line 2 are not closed"),
        (b"1,2\n3,\x00\n", {}, "Non-numeric value"),
    ],
)
def test_what_is_no_row_is_named(text: bytes, options: dict[str, bool], sentence: str) -> None:
    padding = b"1,2\n" * 9000 if b"\n" in text.strip() and text[:4] == b"1,2\n" else b""
    with pytest.raises(ClientError) as caught:
        read_csv(text, SOURCE, **options)
    assert sentence in str(caught.value)
    if padding:
        with pytest.raises(ClientError):
            read_csv(padding + text, SOURCE, **options)


def test_lines_and_rows_go_on_counting() -> None:
    with pytest.raises(ClientError, match=r"found in line 102, column 1 of file 'train.csv'"):
        read_csv(b"1,2\nx,4\n", Source("train.csv", rows=90, lines=100))
    with pytest.raises(ClientError, match=r"found in line 101, column 1 of file 'train.csv'"):
        read_csv(b"x,4\n", Source("train.csv", rows=90, lines=100))


FIELDS = st.sampled_from([b"1", b"-2.5", b"", b" 3", b"4 ", b"1e5", b".5", b"5.", b"nan", b"+1", b"1e-9", b"0.1"])
LINES = st.lists(st.lists(FIELDS, min_size=3, max_size=3).map(b",".join), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(LINES, st.sampled_from([b"\n", b"\r\n", b"\n\n"]), st.booleans(), st.sampled_from([b",", b"\t", b";"]))
def test_the_quick_reader_is_the_careful_one(lines: list[bytes], ending: bytes, last: bool, delimiter: bytes) -> None:
    text = (ending.join(lines) + (ending if last else b"")).replace(b",", delimiter)
    careful = _read_carefully(text, delimiter, 3, SOURCE)
    quick = _read_large(text, delimiter, 3)
    assert quick is None or np.allclose(quick, careful, rtol=1e-6, atol=0, equal_nan=True)
    assert quick is not None or b" " in text


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_rows_or_an_error(text: bytes) -> None:
    try:
        rows = read_csv(text, SOURCE)
    except ClientError as error:
        assert "train.csv" in str(error) or "line" in str(error)
    else:
        assert rows.features.ndim == 2
