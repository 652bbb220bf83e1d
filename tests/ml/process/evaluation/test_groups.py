"""Segments and sensitive groups."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.ml.contract import Task
from headrace.ml.metrics import METRICS
from headrace.ml.process.evaluation.groups import Measured, segments, sensitive_groups, split
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


def test_rates_of_sensitive_groups_are_counted_by_hand():
    target = np.array([1, 1, 0, 0, 1, 0, 0, 0])
    scores = np.array([1, 1, 1, 0, 1, 0, 0, 0.0])
    frame = pl.DataFrame({"city": ["a"] * 4 + ["b"] * 4})
    a, b = sensitive_groups(frame, [CITY], measured(target, scores))
    assert (a["selection_rate"], a["true_positive_rate"], a["false_positive_rate"]) == (0.75, 1.0, 0.5)
    assert (b["selection_rate"], b["base_rate"]) == (0.25, 0.25)
    assert (a["disparate_impact"], b["disparate_impact"]) == (1.0, pytest.approx(1 / 3))


def test_groups_of_one_class_and_groups_never_selected_have_no_rates_to_divide_by():
    frame = pl.DataFrame({"city": ["a"] * 3})
    (group,) = sensitive_groups(frame, [CITY], measured(np.zeros(3, dtype=np.int64), np.zeros(3), "roc_auc"))
    assert group["true_positive_rate"] is None and group["roc_auc"] is None
    assert "disparate_impact" not in group


def test_a_handful_of_rows_is_no_yardstick_for_the_others():
    scores = np.array([1.0] * 20 + [0.0] * 20 + [1.0] * 10 + [0.0] * 30 + [1.0])
    frame = pl.DataFrame({"city": ["a"] * 40 + ["b"] * 40 + ["c"]})
    groups = sensitive_groups(frame, [CITY], measured((scores > 0).astype(int), scores))
    assert [group["disparate_impact"] for group in groups] == [1.0, 0.5, 2.0]
