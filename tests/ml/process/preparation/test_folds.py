"""The cross-validation plan: how many folds, and what they hold."""

import numpy as np
import pytest

from headrace.ml.contract import Task
from headrace.ml.process.datasets.splitting import Order
from headrace.ml.process.preparation.folds import fold_count, plan_folds


def plan(target, task=Task.BINARY, order=None, columns=5, budget=60.0, seed=0):
    target = np.asarray(target)
    train = (
        np.random.default_rng(0).permutation(len(target))
        if order is None or order.times is None
        else np.arange(len(target))
    )
    validation = np.arange(len(target), len(target) + 10)
    return (
        train,
        validation,
        *plan_folds(train, validation, target, task, order or Order(), columns, seed=seed, budget=budget),
    )


def test_small_tables_leave_one_out():
    train, _, folds, described = plan(np.arange(40) % 2)
    assert len(folds) == 40
    assert all(len(scored) == 1 and len(fitted) == 39 for fitted, scored in folds)
    assert "leave one out" in described
    assert sorted(int(scored[0]) for _, scored in folds) == sorted(train)


def test_folds_are_stratified_and_score_every_row_once():
    target = (np.arange(2000) % 10 == 0).astype(np.int64)
    train, _, folds, _ = plan(target)
    assert len(folds) == 5
    assert np.array_equal(np.sort(np.concatenate([scored for _, scored in folds])), np.sort(train))
    for fitted, scored in folds:
        assert not set(fitted) & set(scored)
        assert target[scored].mean() == pytest.approx(0.1)


def test_a_class_of_one_row_is_always_fitted_on():
    target = np.array([0] * 20 + [1] * 20 + [2])
    _, _, folds, _ = plan(target, Task.MULTICLASS)
    assert all(40 in fitted and 40 not in scored for fitted, scored in folds)


def test_large_tables_hold_out_the_validation_part():
    train, validation, folds, described = plan(np.arange(120_000) % 2)
    assert len(folds) == 1
    assert np.array_equal(folds[0][0], train)
    assert np.array_equal(folds[0][1], validation)
    assert "hold-out" in described


@pytest.mark.parametrize(
    ("rows", "columns", "budget", "folds"),
    [
        (60, 10, 60, 60),
        (60, 10, 15, 10),
        (61, 10, 60, 10),
        (999, 10, None, 10),
        (1_000, 10, None, 5),
        (100_000, 10_000, None, 5),
        (100_001, 1, None, 1),
        (700, 10_000, 60, 1),
        (5_000, 20, 15, 5),
        (20_000, 15, 15, 1),
        (10_000, 20, 15, 3),
    ],
)
def test_the_number_of_folds_follows_from_shape_and_budget(rows, columns, budget, folds):
    assert fold_count(rows, columns, budget) == folds


def test_groups_stay_whole():
    groups = np.random.default_rng(0).integers(0, 40, 500)
    _, _, folds, described = plan(np.arange(500) % 2, order=Order(groups))
    assert len(folds) == 10
    assert "grouped" in described
    for fitted, scored in folds:
        assert not set(groups[fitted]) & set(groups[scored])


def test_there_are_never_more_folds_than_groups():
    assert len(plan(np.arange(300) % 2, order=Order(np.arange(300) % 3))[2]) == 3


def test_folds_in_time_score_what_is_newer():
    _, _, folds, described = plan(np.arange(600) % 2, order=Order(times=np.arange(600.0)))
    assert len(folds) == 10
    assert "order of time" in described
    for fitted, scored in folds:
        assert fitted.max() < scored.min()


def test_time_folds_that_miss_a_class_are_left_out():
    target = np.concatenate([np.zeros(300, dtype=int), np.arange(300) % 2])
    _, _, folds, _ = plan(target, order=Order(times=np.arange(600.0)))
    assert folds
    assert all(len(np.unique(target[fitted])) == 2 for fitted, _ in folds)
