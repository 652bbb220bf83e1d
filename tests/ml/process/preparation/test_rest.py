"""Rows beyond the sample are typed like it, and those that cannot be learnt from are left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from headrace.ml.contract import Task
from headrace.ml.process.preparation.rest import find_rest
from headrace.ml.tables.columns import Column, ColumnKind
from headrace.ml.tables.table import Table

from .conftest import framing_of, make_dataset

RAW = pl.DataFrame({"size": ["1.5", "", "x", "4"], "kind": ["a", "b", "", "c"], "y": ["class1", "", "new", "class0"]})


def rest_of(task: Task, raw: pl.DataFrame, *, shuffled: bool = True, total: int = 14):
    frame = pl.DataFrame({"size": np.arange(10.0), "kind": ["a", "b"] * 5})
    dataset = make_dataset(frame, [0, 1] * 5, task, target_column=Column("y", ColumnKind.CATEGORY))
    table = Table(frame, np.arange(1, 11), "t.csv", "csv", total=total, rest=lambda: iter([raw]))
    return find_rest(table, dataset, framing_of(dataset), dataset.columns, shuffled=shuffled)


def test_rows_without_a_label_or_with_one_that_the_sample_lacks_are_left_out() -> None:
    rest = rest_of(Task.BINARY, RAW)
    assert rest.rows == 4
    [(frame, target)] = rest.blocks()
    assert frame.to_dict(as_series=False) == {"size": [1.5, 4.0], "kind": ["a", "c"]}
    assert target.tolist() == [1, 0]


def test_values_are_read_as_numbers() -> None:
    raw = RAW.with_columns(pl.Series("y", ["2.5", "", "text", "-1"]))
    [(frame, target)] = rest_of(Task.REGRESSION, raw).blocks()
    assert frame.height == 2
    assert target.tolist() == [2.5, -1.0]


def test_a_block_without_labels_is_passed_over() -> None:
    raw = RAW.with_columns(y=pl.lit(""))
    assert list(rest_of(Task.BINARY, raw).blocks()) == []


def test_rows_split_by_time_or_group_get_no_others() -> None:
    assert rest_of(Task.BINARY, RAW, shuffled=False) is None


def test_a_table_in_memory_has_no_others() -> None:
    frame = pl.DataFrame({"size": np.arange(10.0), "kind": ["a", "b"] * 5})
    dataset = make_dataset(frame, [0, 1] * 5, Task.BINARY)
    table = Table(frame, np.arange(1, 11), "t.csv", "csv")
    assert find_rest(table, dataset, framing_of(dataset), dataset.columns, shuffled=True) is None
    assert replace(table, total=0).rest is None
