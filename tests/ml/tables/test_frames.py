import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from headrace.ml.errors import ColumnError, SourceError
from headrace.ml.tables import Table, frame_of, table_from_frame

EXPECTED = {"n": [1, 2], "s": ["x", None]}


class ArrowStream:
    """A frame of a library that is not known here, but speaks Arrow."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return pl.DataFrame(EXPECTED).__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame(EXPECTED),
        pl.LazyFrame(EXPECTED),
        pd.DataFrame(EXPECTED),
        pd.DataFrame(EXPECTED, dtype=object),
        pd.DataFrame(EXPECTED, index=[7, 7]),
        ArrowStream(),
        [{"n": 1, "s": "x"}, {"n": 2}],
        {"n": [1, 2], "s": ["x", None]},
        {"n": np.array([1, 2]), "s": pl.Series(["x", None])},
        {"n": range(1, 3), "s": ("x", None)},
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_every_kind_of_frame(frame: object):
    table = table_from_frame(frame)
    assert isinstance(table, Table)
    assert table.frame.to_dict(as_series=False) == EXPECTED
    assert table.rows.tolist() == [1, 2]
    assert table.format == "frame"


def test_arrow_tables():
    pyarrow = pytest.importorskip("pyarrow")
    assert frame_of(pyarrow.table(EXPECTED)).to_dict(as_series=False) == EXPECTED
    assert frame_of(pyarrow.RecordBatch.from_pydict(EXPECTED)).to_dict(as_series=False) == EXPECTED


def test_pandas_types():
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None], dtype="Int64"),
            "f": [1.5, np.nan],
            "b": pd.array([True, None], dtype="boolean"),
            "c": pd.Categorical(["x", None]),
            "t": pd.to_datetime(["2021-03-05 10:00", None]),
            "z": pd.to_datetime(["2021-03-05 10:00", None]).tz_localize("UTC"),
            "o": [1, "x"],
        }
    )
    found = frame_of(frame)
    assert found.select("i", "f", "b", "c", "o").rows() == [(1, 1.5, True, "x", "1"), (None, None, None, None, "x")]
    assert found["t"].to_list() == [datetime.datetime(2021, 3, 5, 10), None]
    assert found["z"].dt.epoch("s").to_list() == [1614938400, None]


def test_mixed_values_become_text_and_mixed_numbers_floats():
    found = frame_of(
        {"a": [1, "x", None, 2.0], "b": [1, 2.5, None, 3], "c": [1 << 70, 1, None, 0], "d": [Decimal("1.5")] * 4}
    )
    assert found["a"].to_list() == ["1", "x", None, "2"]
    assert found["b"].to_list() == [1.0, 2.5, None, 3.0]
    assert found["c"].to_list() == [float(1 << 70), 1.0, None, 0.0]
    assert found["d"].to_list() == ["1.5"] * 4


@pytest.mark.parametrize(
    ("frame", "error", "sentence"),
    [
        ([], SourceError, "no columns"),
        ({}, SourceError, "no columns"),
        ({"a": []}, SourceError, "no rows"),
        ({"a": [1, 2], "b": [1]}, SourceError, "column 'b' of frame has 1 values where others have 2"),
        ({"a": "text"}, SourceError, "column 'a' of frame is a str"),
        ({"a": 1}, SourceError, "column 'a' of frame is a int"),
        (3, SourceError, "frame is a int, not a table"),
        ([1, 2], SourceError, "frame is a list, not a table"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), ColumnError, "several columns named 'a'"),
    ],
    ids=str,
)
def test_what_is_no_table(frame: object, error: type[Exception], sentence: str):
    with pytest.raises(error, match=sentence):
        table_from_frame(frame)
