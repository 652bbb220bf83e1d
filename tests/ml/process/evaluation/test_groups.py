"""Segments and sensitive groups."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.ml.contract import Task
from headrace.ml.metrics import METRICS
from headrace.ml.process.evaluation.groups import Measured, segments, split
from headrace.ml.tables.columns import Column, ColumnKind

CITY = Column("city", ColumnKind.CATEGORY)


def measured(target, scores, metric="accuracy"):
    return Measured(Task.BINARY, target, np.column_stack([1 - scores, scores]), METRICS[metric], 0.5, 0)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=60), st.sampled_from(["number", "date"]))
def test_ranges_of_numbers_hold_every_row_once(values, kind):
    masks = [mask for _, mask in split(pl.Series("n", values, dtype=pl.Float64), ColumnKind(kind))]
    assert np.sum(masks, axis=0).tolist() == [1] * len(values)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("abcdefghijklmnop") | st.just(""), min_size=1, max_size=80))
def test_categories_hold_every_row_once(values):
    groups = list(split(pl.Series("c", values), ColumnKind.CATEGORY))
    assert np.sum([mask for _, mask in groups], axis=0).tolist() == [1] * len(values)
    assert len({name for name, _ in groups}) == len(groups) <= 9


def test_ranges_are_named_by_their_ends_and_dates_by_their_day():
    names = [name for name, _ in split(pl.Series("n", [float(i) for i in range(101)] + [None]), ColumnKind.NUMBER)]
    assert names == ["0 to below 25", "25 to below 50", "50 to below 75", "75 to 100", "(missing)"]
    assert [name for name, _ in split(pl.Series("d", [0.0, 86400.0]), ColumnKind.DATE)] == ["1970-01-01", "1970-01-02"]


def test_the_worst_segment_comes_first_and_small_ones_are_left_out():
    target = np.zeros(100, dtype=np.int64)
    scores = np.r_[np.zeros(60), np.ones(30), np.zeros(10)]
    frame = pl.DataFrame({"city": ["good"] * 60 + ["bad"] * 30 + ["small"] * 10})
    found = segments(frame, [CITY], measured(target, scores))
    assert [(row["group"], row["accuracy"], row["rows"]) for row in found] == [("bad", 0.0, 30), ("good", 1.0, 60)]
