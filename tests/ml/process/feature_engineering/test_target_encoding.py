"""Target encodings: smoothed, per outcome, and blind to a row's own target."""

import numpy as np
import pytest

from headrace.ml.process.feature_engineering.target_encoding import FOLDS, MOST_CLASSES, SMOOTHING, Outcomes


def test_levels_are_drawn_towards_the_overall_mean():
    target = np.array([1] * 30 + [0] * 70)
    codes = np.repeat([0, 1], [30, 70])[:, None]
    table, _ = Outcomes.of(target, 2, 0).encode(codes, 3)
    assert table[:, 0] == pytest.approx(
        [(30 + 0.3 * SMOOTHING) / (30 + SMOOTHING), 0.3 * SMOOTHING / (70 + SMOOTHING), 0.3]
    )


def test_out_of_fold_tables_do_not_know_their_fold():
    random = np.random.default_rng(0)
    target, codes = random.normal(size=200), random.integers([0, 4], [4, 8], (200, 2))
    outcomes = Outcomes.of(target, 0, 1)
    _, without = outcomes.encode(codes, 8)
    changed = outcomes.values.copy()
    changed[outcomes.folds == 2] += 1000
    _, after = Outcomes(changed, outcomes.folds, outcomes.names).encode(codes, 8)
    np.testing.assert_array_equal(without[2], after[2])
    assert (np.abs(without[0] - after[0]) > 1).all()


def test_a_useless_column_of_many_levels_explains_nothing_out_of_fold():
    random = np.random.default_rng(0)
    target, codes = random.integers(0, 2, 2000), np.arange(2000)[:, None] // 2
    outcomes = Outcomes.of(target, 2, 0)
    table, without = outcomes.encode(codes, 1000)
    assert np.corrcoef(table[codes[:, 0], 0], target)[0, 1] > 0.5
    assert abs(np.corrcoef(without[outcomes.folds, codes[:, 0], 0], target)[0, 1]) < 0.1


def test_many_classes_keep_the_most_frequent():
    target = np.concatenate([np.arange(20), np.full(50, 19), np.full(30, 3)])
    outcomes = Outcomes.of(target, 20, 0)
    assert outcomes.values.shape == (100, MOST_CLASSES)
    assert {"rate of class 3", "rate of class 19"} <= set(outcomes.names)
    assert set(outcomes.folds) == set(range(FOLDS))


def test_large_targets_are_centred_and_bounded():
    outcomes = Outcomes.of(np.array([1e12, 1e12 + 1, 1e12 + 2]), 0, 0)
    assert outcomes.values[:, 0].tolist() == [-1.0, 0.0, 1.0]
    table, _ = Outcomes.of(np.array([1e300, 0.0]), 0, 0).encode(np.array([[0], [1]]), 2)
    assert np.isfinite(table).all()
