"""Quantiles keep their promise after calibration."""

from statistics import NormalDist

import numpy as np
import pytest

from headrace.ml.applications.forecasting.predictor.calibration import calibrate, no_calibration

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)


def windows(spread, *, items=200, horizon=6, seed=0):
    """Return what came, and normal quantiles that say `spread` where the truth is 1."""
    draw = np.random.default_rng(seed)
    actual = draw.normal(10, 1, (items, horizon))
    reach = spread * np.array([NormalDist().inv_cdf(level) for level in LEVELS])
    return actual, np.broadcast_to(10 + reach, (items, horizon, len(LEVELS)))


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_the_share_inside_is_as_promised_on_other_values(spread):
    actual, values = windows(spread)
    learnt = calibrate([actual], [values], LEVELS)
    other, said = windows(spread, seed=1)
    fixed = learnt.apply(said[..., 2], said, LEVELS)
    inside = (other >= fixed[..., 1]) & (other <= fixed[..., 3])
    assert inside.mean() == pytest.approx(0.8, abs=0.03)


def test_a_handful_of_values_teaches_little():
    actual, values = windows(0.2, items=1, horizon=2)
    learnt = calibrate([actual], [values], LEVELS)
    assert (learnt.stretches < 2).all()


def test_levels_between_are_stretched_as_their_neighbours_and_all_ascend():
    actual, values = windows(0.5)
    learnt = calibrate([actual], [values], LEVELS)
    fixed = learnt.apply(
        np.full((1, 6), 10.0), np.array([[[9.0, 9.5, 10.0, 11.0]]] * 1).repeat(6, 1), (0.1, 0.3, 0.5, 0.9)
    )
    assert (np.diff(fixed, axis=-1) >= 0).all()
    assert fixed[0, 0, 0] < 9.0


def test_nothing_known_changes_nothing():
    actual = np.full((3, 2), np.nan)
    values = np.tile([1.0, 2.0, 3.0, 4.0, 5.0], (3, 2, 1))
    assert np.array_equal(calibrate([actual], [values], LEVELS).apply(values[..., 2], values, LEVELS), values)
    assert np.array_equal(no_calibration(2).apply(values[..., 2], values, LEVELS), values)
