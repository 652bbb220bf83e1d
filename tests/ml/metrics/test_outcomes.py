"""What happens at each threshold, against the metrics of decided labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.ml.metrics import METRICS
from headrace.ml.metrics.money import Payoffs, UnitCosts
from headrace.ml.metrics.outcomes import RATES, Outcomes

ROWS = st.lists(st.tuples(st.booleans(), st.integers(0, 10)), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.tuples(*[st.floats(-100, 100) for _ in range(4)]))
def test_every_figure_is_what_deciding_by_the_threshold_gives(rows, amounts):
    target = np.array([int(label) for label, _ in rows])
    scores = np.array([score / 10 for _, score in rows], dtype=np.float32)
    payoffs = Payoffs(*amounts)
    money = np.array([[payoffs.true_negative, payoffs.false_positive], [payoffs.false_negative, payoffs.true_positive]])
    steps = Outcomes.at_every(target, scores)
    again = Outcomes.at(target, scores, steps.thresholds)
    assert (steps.found == again.found).all() and (steps.acted == again.acted).all()
    assert (np.diff(steps.thresholds) < 0).all() and (steps.acted[0], steps.acted[-1]) == (0, len(rows))
    for place, threshold in enumerate(steps.thresholds):
        acted = (scores >= np.float32(threshold)).astype(np.int64)
        assert steps.money(payoffs)[place] == pytest.approx(money[target, acted].mean(), abs=1e-9)
        assert steps.rate("share")[place] == pytest.approx(acted.mean())
        for name in RATES.keys() - {"share"}:
            expected = METRICS[name].score(target, np.column_stack([1 - scores, scores]), threshold)
            assert steps.rate(name)[place] == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_resamples_spread_as_the_rows_do():
    generator = np.random.default_rng(1)
    scores = generator.random(2000)
    target = (generator.random(2000) < scores).astype(np.int64)
    drawn = Outcomes.at(target, scores, np.array([0.7, 0.3])).resampled(seed=0)
    assert drawn.found.shape == (1000, 2)
    assert (drawn.found <= drawn.acted).all() and (drawn.acted[:, 0] <= drawn.acted[:, 1]).all()
    share = (scores >= 0.7).mean()
    assert drawn.rate("share")[:, 0].mean() == pytest.approx(share, abs=0.002)
    assert drawn.rate("share")[:, 0].std() == pytest.approx(np.sqrt(share * (1 - share) / 2000), rel=0.1)


def test_thresholds_between_neighbouring_numbers_of_single_precision_still_part_them():
    low = np.float32(0.3)
    high = np.nextafter(low, np.float32(1))
    steps = Outcomes.at_every(np.array([0, 1]), np.array([low, high]))
    assert Outcomes.at(np.array([0, 1]), np.array([low, high]), steps.thresholds).acted.tolist() == [0, 1, 2]


def test_errors_cost_by_their_direction_and_size():
    target = np.array([10.0, 10.0, 10.0])
    assert UnitCosts(under=2, over=1).earned(target, np.array([7.0, 14.0, 10.0])).tolist() == [-6, -4, 0]
