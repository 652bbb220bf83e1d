"""The two executions of a plan agree, also on rows that nobody would expect."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.ml.contract import View
from headrace.ml.process.feature_engineering.parity import compare_executions, difference

BOUND = 1e-6
STRATEGIES = ("median", "most_frequent", "knn", "iterative")

numbers = st.one_of(
    st.none(),
    st.floats(),
    st.sampled_from(
        [0.0, -0.0, 1e30, -1e30, 1e300, -1e308, 5e-324, 1e-30, 7e12, 2**53 + 1.0, float("inf"), float("-inf")]
    ),
)
dates = st.one_of(st.none(), st.floats(), st.integers(-(10**12), 10**12).map(float))
texts = st.one_of(
    st.sampled_from(["", " ", "red", "RED", "shop 1", "late late late", "very good", "é", "\x00", "a  b", " late"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)
rows = st.fixed_dictionaries(
    {
        "size": numbers,
        "price": numbers,
        "identifier": numbers,
        "signed up": dates,
        "cancelled": dates,
        "colour": texts,
        "shop": texts,
        "remark": texts,
    }
)
SCHEMA = dict.fromkeys(("size", "price", "identifier", "signed up", "cancelled"), pl.Float64) | dict.fromkeys(
    ("colour", "shop", "remark"), pl.String
)


@pytest.mark.parametrize("classes", [0, 2, 3])
@pytest.mark.parametrize("imputation", STRATEGIES)
def test_executions_agree_on_the_rows_fitted_on(fit, classes, imputation):
    plan, _, frame, _ = fit(classes, imputation)
    assert compare_executions(plan, frame, list(View)) <= BOUND


@pytest.mark.parametrize("imputation", STRATEGIES)
def test_executions_agree_on_hostile_rows(fit, imputation):
    plan, *_ = fit(3, imputation)

    @settings(max_examples=25, deadline=None, derandomize=True)
    @given(st.lists(rows, min_size=1, max_size=12))
    def agree(records):
        frame = pl.DataFrame(records, schema=SCHEMA)
        assert compare_executions(plan, frame, list(View)) <= BOUND
        assert np.isfinite(plan.transform(frame, View.SCALED)).all()
        assert not np.isinf(plan.transform(frame, View.TREES)).any()

    agree()


@pytest.mark.parametrize("imputation", STRATEGIES)
def test_executions_agree_where_everything_is_missing(fit, imputation):
    plan, *_ = fit(2, imputation)
    empty = pl.DataFrame(
        {name: [None if kind == pl.Float64 else ""] * 3 for name, kind in SCHEMA.items()}, schema=SCHEMA
    )
    assert compare_executions(plan, empty, list(View)) <= BOUND
    assert np.isfinite(plan.transform(empty, View.SCALED)).all()


def test_difference_is_relative_and_sees_missing_values():
    ones = np.ones((2, 2), dtype=np.float32)
    assert difference(ones, ones) == 0
    assert difference(ones * 1000, ones * 1001) == pytest.approx(1e-3)
    gap = ones.copy()
    gap[0, 0] = np.nan
    assert difference(ones, gap) == float("inf")
    assert difference(gap, gap) == 0
    assert difference(ones, ones[:, :1]) == float("inf")
