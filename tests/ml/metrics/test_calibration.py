"""The calibration error by hand, and of probabilities that are true."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.ml.metrics.calibration import calibration_error, reliability


def test_by_hand() -> None:
    target = np.array([0, 1, 1, 1])
    scores = np.array([0.2, 0.2, 0.6, 0.6])
    assert calibration_error(target, np.column_stack([1 - scores, scores])) == pytest.approx((0.3 + 0.4) / 2)
    assert [bin["count"] for bin in reliability(target == 1, scores)] == [2, 2]


def test_true_probabilities_have_next_to_none_and_doubled_log_odds_have_some() -> None:
    random = np.random.default_rng(0)
    scores = random.random(20_000)
    target = (random.random(20_000) < scores).astype(np.int64)
    assert calibration_error(target, np.column_stack([1 - scores, scores])) < 0.01
    sure = scores**2 / (scores**2 + (1 - scores) ** 2)
    assert calibration_error(target, np.column_stack([1 - sure, sure])) > 0.05


def test_several_classes_are_averaged_and_no_rows_have_none() -> None:
    target = np.array([0, 1, 2])
    assert calibration_error(target, np.eye(3)) == 0
    assert np.isnan(calibration_error(target[:0], np.empty((0, 3))))
