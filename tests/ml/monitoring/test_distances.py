"""Distances from what a baseline counted, against what libraries say of the rows themselves."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

from headrace.ml.monitoring.distances import (
    adjusted,
    category_distance,
    number_distance,
    outside_p_value,
    share_p_value,
    stability_index,
)
from headrace.ml.prediction.baseline import points_of


@pytest.mark.parametrize("shift", [0.0, 0.2, 1.0])
def test_numbers_are_as_far_as_the_rows_say(shift: float) -> None:
    random = np.random.default_rng(0)
    before, now = random.normal(0, 2, 3000), random.normal(shift, 2, 800)
    found = number_distance(points_of(before), float(before.std()), now)
    exact = ks_2samp(before, now)
    assert exact.statistic - 0.011 <= found.distance <= exact.statistic
    assert found.p_value >= exact.pvalue * 0.9
    assert found.wasserstein == pytest.approx(wasserstein_distance(before, now) / before.std(), abs=0.04)
    assert sum(share for _, share, _ in found.bins) == pytest.approx(1)
    assert sum(share for _, _, share in found.bins) == pytest.approx(1)


def test_few_values_are_compared_exactly() -> None:
    before, now = np.repeat([0.0, 1.0], [700, 300]), np.repeat([0.0, 1.0], [40, 60])
    found = number_distance(points_of(before), 0.5, now)
    assert found.distance == pytest.approx(0.3)
    assert [name for name, _, _ in found.bins] == ["0", "1"]


def test_labels_are_tested_as_a_library_tests_them() -> None:
    before, now = {"a": 500.0, "b": 300.0, "c": 200.0}, {"a": 40.0, "b": 40.0, "c": 20.0}
    found = category_distance(before, now)
    assert found.p_value == pytest.approx(chi2_contingency([[500, 300, 200], [40, 40, 20]], correction=False).pvalue)
    assert found.distance == pytest.approx(0.1)


def test_rare_labels_are_counted_together() -> None:
    before = {"a": 900.0} | {f"v{i}": 1.0 for i in range(100)}
    assert len(category_distance(before, {"a": 90.0, "new": 10.0}).bins) == 2


def test_the_stability_index_of_an_empty_bin_is_finite() -> None:
    assert stability_index(np.array([0.5, 0.5]), np.array([0.5, 0.5]), 100, 100) == 0
    assert np.isfinite(stability_index(np.array([0.0, 1.0]), np.array([1.0, 0.0]), 100, 100))


def test_what_lies_outside_is_expected_now_and_then() -> None:
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(400):
        before, now = random.normal(size=100), random.normal(size=200)
        outside = int(((now < before.min()) | (now > before.max())).sum())
        alarms += outside > 0 and outside_p_value(100, outside, 200, 1) < 0.05
    assert alarms <= 35


def test_shares_and_many_tests() -> None:
    assert share_p_value(0, 1000, 0, 100) == 1
    assert share_p_value(0, 1000, 20, 100) < 1e-12
    assert adjusted([]) == []
    assert adjusted([0.01, 0.5]) == pytest.approx([0.02, 0.5])
