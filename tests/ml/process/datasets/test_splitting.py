"""The split: strata, groups, times, tiny tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.ml.contract import Task
from headrace.ml.errors import ColumnError
from headrace.ml.process.datasets.splitting import Order, split_rows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=10, max_size=200), st.integers(0, 5), st.sampled_from([0, 7]))
def test_every_row_has_one_part_and_every_class_is_in_train(labels, seed, test_rows):
    target = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    parts = split_rows(target, Task.MULTICLASS, Order(), seed=seed, test_rows=test_rows)
    together = np.concatenate([parts.train, parts.validation, parts.test])
    assert sorted(together) == list(range(len(target) + test_rows))
    assert set(target[parts.train]) == set(target)


def test_classes_keep_their_shares():
    target = (np.random.default_rng(0).random(5000) < 0.1).astype(np.int64)
    parts = split_rows(target, Task.BINARY, Order(), seed=0)
    for part in (parts.train, parts.validation, parts.test):
        assert target[part].mean() == pytest.approx(target.mean(), abs=0.002)


def test_a_class_of_one_row_is_trained_on():
    target = np.array([0] * 50 + [1] * 50 + [2], dtype=np.int64)
    for seed in range(10):
        assert 100 in split_rows(target, Task.MULTICLASS, Order(), seed=seed).train


def test_no_group_lies_in_two_parts():
    generator = np.random.default_rng(1)
    groups = generator.integers(0, 60, 1000)
    parts = split_rows(generator.integers(0, 2, 1000), Task.BINARY, Order(groups), seed=3)
    found = [set(groups[part]) for part in (parts.train, parts.validation, parts.test)]
    assert not found[0] & found[1] and not found[0] & found[2] and not found[1] & found[2]
    assert len(parts.test) == pytest.approx(200, abs=40)
    assert len(parts.validation) == pytest.approx(100, abs=40)


@pytest.mark.parametrize("sizes", [[900, 50, 50], [10, 10, 10], [5] * 4 + [300]])
def test_few_or_uneven_groups_still_fill_every_part(sizes):
    groups = np.repeat(np.arange(len(sizes)), sizes)
    parts = split_rows(np.zeros(len(groups)), Task.REGRESSION, Order(groups), seed=0)
    assert min(len(parts.train), len(parts.validation), len(parts.test)) > 0
    assert groups.max() in groups[parts.train] or len(parts.train) >= 10


def test_two_groups_are_refused():
    with pytest.raises(ColumnError, match="2 groups"):
        split_rows(np.zeros(20), Task.REGRESSION, Order(np.arange(20) % 2), seed=0)


def test_the_newest_rows_are_tested_on():
    times = np.random.default_rng(0).permutation(200).astype(float)
    parts = split_rows(np.zeros(200), Task.REGRESSION, Order(times=times), seed=0)
    assert times[parts.train].max() < times[parts.validation].min()
    assert times[parts.validation].max() < times[parts.test].min()
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [140, 20, 40]
    assert (np.diff(times[parts.train]) > 0).all()


def test_groups_in_time_test_the_newest_groups():
    groups = np.repeat(np.arange(20), 10)
    parts = split_rows(
        np.zeros(200), Task.REGRESSION, Order(groups, groups * 100.0 + np.tile(np.arange(10), 20)), seed=0
    )
    assert set(groups[parts.test]) == {16, 17, 18, 19}
    assert set(groups[parts.validation]) == {14, 15}
